import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type BootstrapOptions,
  type ExampleScore,
  meanInterval,
  pairedDifference,
  quantile,
} from "../../src/evaluate/statistics/bootstrap.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { type Arms, drawArms, type World } from "../simulation/worlds.js";

const OPTIONS: BootstrapOptions = { resamples: 2000, level: 0.95, seed: 1 };

/** The same scores as if all rows were independent. */
function flattened({ a, b }: Arms): Arms {
  const flat = (rows: readonly ExampleScore[]): ExampleScore[] =>
    rows.map(({ seed, taskType, id, score }) => ({
      seed: 0,
      taskType: "all",
      id: `${seed} ${taskType} ${id}`,
      score,
    }));
  return { a: flat(a), b: flat(b) };
}

/** Share of simulated worlds whose interval holds the true difference. */
function coverage(
  world: World,
  change: (arms: Arms) => Arms = (arms) => arms,
  options: Partial<BootstrapOptions> = {},
): number {
  const random = new Random(11);
  const worlds = 200;
  let held = 0;
  for (let seed = 0; seed < worlds; seed++) {
    const { low, high } = pairedDifference(change(drawArms(random, world)), {
      resamples: 500,
      level: 0.95,
      seed,
      ...options,
    });
    if (low <= 1 && 1 <= high) held++;
  }
  return held / worlds;
}

// With 200 worlds the standard error of a coverage of 0.95 is 0.015.
const NESTED: World = {
  seeds: 10,
  taskTypes: 6,
  examples: 5,
  spread: { seed: 0.3, taskType: 0.5, example: 1 },
  shared: false,
};

test("95% intervals of nested data cover the truth at about their nominal rate", () => {
  const share = coverage(NESTED);
  assert.ok(share >= 0.9 && share <= 0.99, `coverage ${share}`);
});

test("negative control: taking nested rows for independent ones covers far less", () => {
  const share = coverage(NESTED, flattened);
  assert.ok(share < 0.8, `coverage ${share}`);
});

const CROSSED: World = {
  seeds: 3,
  taskTypes: 16,
  examples: 5,
  spread: { seed: 0.05, taskType: 0.6, example: 0.5 },
  shared: true,
};

test("task types that all seeds share are drawn for all seeds together, and cover", () => {
  const share = coverage(CROSSED);
  assert.ok(share >= 0.88 && share <= 0.99, `coverage ${share}`);
});

test("negative control: taking shared task types for nested ones covers less", () => {
  const share = coverage(CROSSED, undefined, { taskTypes: "nested" });
  assert.ok(share < 0.86, `coverage ${share}`);
});

test("the flat case agrees with scipy.stats.bootstrap within Monte Carlo error", () => {
  const cases = JSON.parse(
    readFileSync(new URL("../parity/golden/bootstrap.json", import.meta.url), "utf8"),
  ) as {
    name: string;
    values: number[];
    level: number;
    low: number;
    high: number;
    standardError: number;
  }[];
  for (const { name, values, level, low, high, standardError } of cases) {
    const scores = values.map((score, index) => ({ seed: 0, taskType: "one", id: String(index), score }));
    const interval = meanInterval(scores, { resamples: 20_000, level, seed: 3 });
    const tolerance = 0.08 * standardError;
    assert.ok(
      Math.abs(interval.low - low) < tolerance,
      `${name} ${level}: low ${interval.low}, scipy ${low}`,
    );
    assert.ok(
      Math.abs(interval.high - high) < tolerance,
      `${name} ${level}: high ${interval.high}, scipy ${high}`,
    );
    assert.ok(Math.abs(interval.standardError / standardError - 1) < 0.05, `${name}: standard error`);
  }
});

test("the same seed gives the same numbers, whatever the order of the rows; another seed gives others", () => {
  const { a, b } = drawArms(new Random(2), NESTED);
  const first = pairedDifference({ a, b }, OPTIONS);
  assert.deepEqual(pairedDifference({ a: a.toReversed(), b: new Random(1).shuffled(b) }, OPTIONS), first);
  const other = pairedDifference({ a, b }, { ...OPTIONS, seed: 2 });
  assert.equal(other.mean, first.mean);
  assert.notEqual(other.low, first.low);
});

test("each task type weighs the same within its seed, and each seed the same", () => {
  const row = (seed: number, taskType: string, id: string, score: number): ExampleScore => ({
    seed,
    taskType,
    id,
    score,
  });
  const scores = [
    row(1, "x", "1", 1),
    row(1, "x", "2", 1),
    row(1, "x", "3", 1),
    row(1, "y", "1", 0),
    row(2, "z", "1", 0),
  ];
  assert.equal(meanInterval(scores, OPTIONS).mean, 0.25);
});

test("the draws are the same for both arms: a constant difference has an interval of no width", () => {
  const { b } = drawArms(new Random(3), NESTED);
  const a = b.map((row) => ({ ...row, score: row.score + 0.5 }));
  const difference = pairedDifference({ a, b }, OPTIONS);
  assert.ok(Math.abs(difference.low - 0.5) < 1e-9 && Math.abs(difference.high - 0.5) < 1e-9);
  assert.ok(difference.a.high - difference.a.low > 0.05, "the arms by themselves vary");
  assert.ok(Math.abs(difference.mean - (difference.a.mean - difference.b.mean)) < 1e-12);
});

test("an arm's interval in a pair is that of the arm alone", () => {
  const { a, b } = drawArms(new Random(4), CROSSED);
  assert.deepEqual(pairedDifference({ a, b }, OPTIONS).a, meanInterval(a, OPTIONS));
});

test("the result says what was drawn and what could not be", () => {
  const crossed = meanInterval(drawArms(new Random(5), CROSSED).a, OPTIONS);
  assert.deepEqual(crossed.levels, [
    { unit: "seed", count: 3, resampled: true, shared: false },
    { unit: "task type", count: 16, resampled: true, shared: true },
    { unit: "example", count: 80, resampled: true, shared: true },
  ]);
  assert.match(crossed.basis, /3 seeds, 16 task types \(the same in every seed\).*3 seeds show little/);
  const one = meanInterval(
    [1, 0, 1].map((score, index) => ({ seed: 7, taskType: "x", id: String(index), score })),
    OPTIONS,
  );
  assert.deepEqual(
    one.levels.map(({ resampled }) => resampled),
    [false, false, true],
  );
  assert.match(one.basis, /a single seed and a single task type/);
});

test("the interval grows with its level", () => {
  const { a, b } = drawArms(new Random(6), NESTED);
  const widths = [0.5, 0.9, 0.99].map((level) => {
    const { low, high } = pairedDifference({ a, b }, { ...OPTIONS, level });
    return high - low;
  });
  assert.deepEqual(
    widths,
    [...widths].sort((x, y) => x - y),
  );
});

test("what cannot be paired or averaged is an error that names the row", () => {
  const { a, b } = drawArms(new Random(7), { ...NESTED, seeds: 2, taskTypes: 2, examples: 2 });
  const refuse = (arms: Arms, message: RegExp, options = OPTIONS): void => {
    assert.throws(
      () => pairedDifference(arms, options),
      (error) => error instanceof KitError && message.test(error.message),
      String(message),
    );
  };
  refuse(
    { a: a.slice(1), b },
    /do not pair up \(7 and 8 scores\): \(seed 0, task type "type 0\/0", id "row 0"\) is only in arm b/,
  );
  refuse({ a, b: b.slice(0, -1) }, /is only in arm a/);
  refuse({ a, b: b.map((row) => ({ ...row, seed: row.seed + 1 })) }, /do not pair up/);
  refuse({ a: [...a, ...a.slice(0, 1)], b }, /two scores for \(seed 0/);
  refuse(
    { a: a.map((row, index) => (index === 3 ? { ...row, score: Number.NaN } : row)), b },
    /"row 1" is NaN/,
  );
  refuse({ a: [], b: [] }, /no scores/);
  refuse({ a, b }, /at least 100/, { ...OPTIONS, resamples: 10 });
  refuse({ a, b }, /between 0 and 1/, { ...OPTIONS, level: 95 });
  const most = drawArms(new Random(8), { ...CROSSED, seeds: 2 }).a.filter(
    ({ seed, taskType }) => seed === 0 || taskType !== "type 3",
  );
  refuse({ a: most, b: most }, /"type 3" is in 1 of 2 seeds|is in 2 of 2 seeds/);
  refuse({ a, b }, /no task type in common/, { ...OPTIONS, taskTypes: "shared" });
});

test("a few names that seeds have in common by chance do not make their task types shared", () => {
  const { a } = drawArms(new Random(9), { ...NESTED, seeds: 2 });
  const met = a.map((row) => (row.taskType.endsWith("/0") ? { ...row, taskType: "met" } : row));
  const levels = meanInterval(met, OPTIONS).levels.map(({ count, shared }) => [count, shared]);
  assert.deepEqual(levels, [
    [2, false],
    [12, false],
    [60, false],
  ]);
});

test("quantiles interpolate as numpy's", () => {
  const sorted = Float64Array.from([1, 2, 4, 8]);
  assert.deepEqual(
    [0, 0.25, 0.5, 0.9, 1].map((probability) => quantile(sorted, probability)),
    [1, 1.75, 3, 6.800000000000001, 8],
  );
});
