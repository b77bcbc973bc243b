import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bcaInterval } from "../../src/evaluate/statistics/bca.js";
import { type ExampleScore, meanInterval } from "../../src/evaluate/statistics/bootstrap.js";
import {
  chiSquaredTail,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from "../../src/evaluate/statistics/distributions.js";
import { cliffsDelta, cohenDz, pairedSuperiority } from "../../src/evaluate/statistics/effect-size.js";
import { fewSeedsInterval } from "../../src/evaluate/statistics/few-seeds.js";
import { holm } from "../../src/evaluate/statistics/holm.js";
import { mcnemarOfCounts } from "../../src/evaluate/statistics/mcnemar.js";
import { pairedPermutationTest } from "../../src/evaluate/statistics/permutation.js";
import { detectableDifference, power } from "../../src/evaluate/statistics/power.js";

interface Goldens {
  readonly distributions: {
    readonly z: readonly number[];
    readonly normalCdf: readonly number[];
    readonly p: readonly number[];
    readonly normalQuantile: readonly number[];
    readonly freedoms: readonly number[];
    readonly studentCdf: readonly (readonly number[])[];
    readonly studentQuantile: readonly (readonly number[])[];
    readonly x: readonly number[];
    readonly chiSquaredTail: readonly number[];
  };
  readonly paired: readonly {
    readonly name: string;
    readonly values: readonly number[];
    readonly exact: boolean;
    readonly pValue: number;
    /** Low, high and standard error by level. */
    readonly bca: Readonly<Record<string, readonly [number, number, number]>>;
    readonly dz: number;
    readonly dzBca: readonly [number, number, number] | null;
    readonly superiority: number;
  }[];
  readonly unpaired: readonly { readonly a: number[]; readonly b: number[]; readonly delta: number }[];
  readonly mcnemar: readonly {
    readonly onlyA: number;
    readonly onlyB: number;
    readonly exact?: number;
    readonly midP?: number;
    readonly corrected?: number;
  }[];
  readonly holm: readonly { readonly p: readonly number[]; readonly adjusted: readonly number[] }[];
  readonly crossed: readonly {
    readonly table: readonly (readonly number[])[];
    readonly meanSquares: readonly [number, number, number];
    readonly standardError: number;
    readonly low: number;
    readonly high: number;
  }[];
  readonly power: readonly {
    readonly taskTypes: number;
    readonly effect: number;
    readonly alpha: number;
    readonly power: number;
    readonly detectable: number;
  }[];
}

const GOLDEN = JSON.parse(
  readFileSync(new URL("golden/statistics.json", import.meta.url), "utf8"),
) as Goldens;

function near(given: number, wanted: number, tolerance: number, message: string): void {
  assert.ok(Math.abs(given - wanted) <= tolerance, `${given} instead of ${wanted}: ${message}`);
}

/** Each value of one list by the function at the place of the other. */
function follows(
  xs: readonly number[],
  wanted: readonly number[],
  of: (x: number) => number,
  name: string,
): void {
  assert.equal(xs.length, wanted.length);
  xs.forEach((x, index) => {
    const value = wanted[index] ?? Number.NaN;
    near(of(x), value, 1e-12 + 1e-9 * Math.abs(value), `${name} at ${x}`);
  });
}

test("distributions equal scipy's to nine digits", () => {
  const golden = GOLDEN.distributions;
  follows(golden.z, golden.normalCdf, normalCdf, "normal");
  // The normal distribution of 1 - 1e-9 has seven digits left in float64.
  follows(golden.p.slice(0, -1), golden.normalQuantile.slice(0, -1), normalQuantile, "normal quantile");
  follows(golden.x, golden.chiSquaredTail, chiSquaredTail, "chi-squared");
  golden.freedoms.forEach((freedom, index) => {
    follows(golden.z, golden.studentCdf[index] ?? [], (t) => studentCdf(t, freedom), `t(${freedom})`);
    const quantiles = golden.studentQuantile[index] ?? [];
    follows(golden.p.slice(2, -2), quantiles, (p) => studentQuantile(p, freedom), `t(${freedom}) quantile`);
  });
});

test("BCa intervals equal scipy.stats.bootstrap within Monte Carlo error", () => {
  const options = { resamples: 20_000, seed: 3 };
  for (const { name, values, bca, dz, dzBca } of GOLDEN.paired) {
    for (const [level, [low, high, error]] of Object.entries(bca)) {
      const interval = bcaInterval(values, { ...options, level: Number(level) });
      near(interval.low, low, 0.08 * error, `${name} low at ${level}`);
      near(interval.high, high, 0.08 * error, `${name} high at ${level}`);
    }
    const effect = cohenDz(values, { ...options, level: 0.95 });
    near(effect.mean, dz, 1e-12, `${name} d_z`);
    if (dzBca === null) continue;
    near(effect.low, dzBca[0], 0.08 * dzBca[2], `${name} d_z low`);
    near(effect.high, dzBca[1], 0.08 * dzBca[2], `${name} d_z high`);
  }
});

test("negative control: a percentile interval of the skewed sample is not its BCa interval", () => {
  const skewed = GOLDEN.paired.find(({ name }) => name === "skewed");
  assert.ok(skewed !== undefined);
  const [low = 0, high = 0, error = 0] = skewed.bca["0.95"] ?? [];
  const scores = skewed.values.map((score, id) => ({ seed: 0, taskType: "one", id: String(id), score }));
  const percentile = meanInterval(scores, { resamples: 20_000, level: 0.95, seed: 3 });
  assert.ok(Math.abs(percentile.low - low) > 0.08 * error && Math.abs(percentile.high - high) > 0.08 * error);
});

test("the sign-flip test equals scipy.stats.permutation_test, exact and by Monte Carlo", () => {
  for (const { name, values, exact, pValue } of GOLDEN.paired) {
    const result = pairedPermutationTest(values, { resamples: 100_000, seed: 1 });
    if (exact) {
      assert.ok(result.exact);
      near(result.pValue, pValue, 1e-12, name);
    } else {
      assert.ok(!result.exact);
      near(result.pValue, pValue, 4 * Math.sqrt((pValue * (1 - pValue)) / 100_000) + 1e-5, name);
    }
  }
});

test("effect sizes equal scipy and numpy", () => {
  for (const { values, superiority } of GOLDEN.paired) {
    const options = { resamples: 500, level: 0.95, seed: 1 };
    near(pairedSuperiority(values, options).mean, superiority, 1e-12, "superiority");
  }
  for (const { a, b, delta } of GOLDEN.unpaired) near(cliffsDelta(a, b), delta, 1e-12, "Cliff's delta");
});

test("McNemar's test equals statsmodels, exact and corrected; mid-p equals scipy's binomial", () => {
  for (const { onlyA, onlyB, exact, midP, corrected } of GOLDEN.mcnemar) {
    const result = mcnemarOfCounts(onlyA, onlyB);
    const message = `${onlyA} and ${onlyB}`;
    near(result.exact, exact ?? 1, 1e-9, message);
    near(result.midP, midP ?? 1, 1e-9, message);
    // Equal counts: statsmodels corrects 0 to -1 and squares it; a correction must not go past 0.
    if (onlyA === onlyB) assert.equal(result.corrected, 1);
    else near(result.corrected, corrected ?? 1, 1e-9, message);
  }
});

test("Holm's correction equals statsmodels", () => {
  for (const { p, adjusted } of GOLDEN.holm)
    holm(p).forEach((value, index) => near(value, adjusted[index] ?? NaN, 1e-12, JSON.stringify(p)));
});

test("the interval for few seeds equals the analysis of variance by statsmodels", () => {
  for (const golden of GOLDEN.crossed) {
    const a = golden.table.flatMap((row, seed) =>
      row.map((score, type): ExampleScore => ({ seed, taskType: `t${type}`, id: "1", score })),
    );
    const interval = fewSeedsInterval({ a, b: a.map((row) => ({ ...row, score: 0 })) }, 0.95);
    near(interval.standardError, golden.standardError, 1e-9, "standard error");
    near(interval.low, golden.low, 1e-8, "low");
    near(interval.high, golden.high, 1e-8, "high");
    const [, , rest] = golden.meanSquares;
    near(interval.spread.rest, rest, 1e-9, "rest");
  }
});

test("power with one seed equals the one-sample t test by statsmodels", () => {
  const spread = { seed: 0, taskType: 0, rest: 1 };
  for (const { taskTypes, effect, alpha, power: wanted, detectable } of GOLDEN.power) {
    const design = { seeds: 1, taskTypes, shared: true };
    const options = { alpha, simulations: 8000, seed: 1 };
    // Four standard errors of a simulated share.
    near(power(effect, design, spread, options), wanted, 0.018, `${taskTypes} task types`);
    const found = detectableDifference(0.8, design, spread, options);
    near(found.difference, detectable, 0.03 * detectable, `${taskTypes} task types, detectable`);
  }
});
