/**
 * The large run behind what the statistics promise: how often 95% intervals hold the truth, and how often tests find what
 * is not there. The tests run a small part of it.
 *
 *     node --import ./src/cli/register.js tests/simulation/statistics.ts [worlds]
 */
import { bcaInterval, mean } from "../../src/evaluate/statistics/bca.js";
import { pairedDifference } from "../../src/evaluate/statistics/bootstrap.js";
import { fewSeedsInterval } from "../../src/evaluate/statistics/few-seeds.js";
import { holm } from "../../src/evaluate/statistics/holm.js";
import { mcnemar } from "../../src/evaluate/statistics/mcnemar.js";
import { pairedPermutationTest, taskTypeTest } from "../../src/evaluate/statistics/permutation.js";
import { Random } from "../../src/support/random.js";
import { covers, drawArms, shareOf, type World } from "./worlds.js";

const worlds = Number(process.argv[2] ?? 2000);
const RESAMPLES = 1000;

function print(name: string, share: number): void {
  const error = 1.96 * Math.sqrt((share * (1 - share)) / worlds);
  console.log(`${name.padEnd(74)} ${share.toFixed(3)} ± ${error.toFixed(3)}`);
}

console.log(`${worlds} worlds, 95% intervals, level 0.05\n\nCoverage of the paired difference`);
const base: Omit<World, "seeds" | "spread"> = { taskTypes: 12, examples: 6, shared: true };
const spreads = {
  "seeds small": { seed: 0.05, taskType: 0.5, example: 1 },
  "seeds a third of the standard error": { seed: 0.1, taskType: 0.5, example: 1 },
  "seeds large": { seed: 0.4, taskType: 0.5, example: 1 },
};
for (const [label, spread] of Object.entries(spreads)) {
  for (const seeds of [2, 3, 5, 10]) {
    for (const shared of [true, false]) {
      const world = { ...base, seeds, spread, shared };
      const name = `${seeds} seeds, 12 ${shared ? "shared" : "own"} types, ${label}`;
      const random = new Random(seeds);
      const arms = Array.from({ length: worlds }, () => drawArms(random, world));
      print(
        `${name}: bootstrap`,
        shareOf(worlds, (index) => {
          const pair = arms[index];
          if (pair === undefined) return false;
          return covers(pairedDifference(pair, { resamples: RESAMPLES, level: 0.95, seed: index }), 1);
        }),
      );
      print(
        `${name}: few seeds (t)`,
        shareOf(worlds, (index) => {
          const pair = arms[index];
          return pair !== undefined && covers(fewSeedsInterval(pair, 0.95), 1);
        }),
      );
    }
  }
}

console.log("\nCoverage of the mean of independent units");
for (const [label, draw, truth] of [
  ["normal", (random: Random): number => random.normal(), 0],
  ["exponential", (random: Random): number => -Math.log(1 - random.next()), 1],
] as const) {
  for (const units of [8, 12, 20, 40, 80]) {
    const random = new Random(units);
    const values = Array.from({ length: worlds }, () => Array.from({ length: units }, () => draw(random)));
    for (const method of ["percentile", "BCa"] as const) {
      print(
        `${units} ${label} units: ${method}`,
        shareOf(worlds, (index) => {
          const sample = values[index] ?? [];
          const options = { resamples: RESAMPLES, level: 0.95, seed: index };
          if (method === "BCa") return covers(bcaInterval(sample, options, mean), truth);
          const scores = sample.map((score, id) => ({ seed: 0, taskType: "one", id: String(id), score }));
          const zero = scores.map((row) => ({ ...row, score: 0 }));
          return covers(pairedDifference({ a: scores, b: zero }, options), truth);
        }),
      );
    }
  }
}

console.log("\nFalse positives at 0.05");
const random = new Random(77);
for (const units of [6, 12, 40]) {
  print(
    `sign-flip test, ${units} normal units`,
    shareOf(
      worlds,
      (seed) =>
        pairedPermutationTest(
          Array.from({ length: units }, () => random.normal()),
          { resamples: 999, seed },
        ).pValue <= 0.05,
    ),
  );
}
for (const seedSpread of [0, 0.1, 0.4]) {
  const world = { ...base, seeds: 2, spread: { seed: seedSpread, taskType: 0.5, example: 1 } };
  print(
    `task-type test, 2 seeds, 12 shared types, spread of seeds ${seedSpread}`,
    shareOf(worlds, (seed) => {
      const { a, b } = drawArms(random, world);
      const shifted = a.map((row) => ({ ...row, score: row.score - 1 }));
      return taskTypeTest({ a: shifted, b }, { resamples: 999, seed }).pValue <= 0.05;
    }),
  );
}
for (const kind of ["exact", "midP", "corrected"] as const) {
  print(
    `McNemar, 60 rows, ${kind}`,
    shareOf(worlds, () => {
      const draw = (): boolean[] => Array.from({ length: 60 }, () => random.next() < 0.6);
      return mcnemar(draw(), draw())[kind] <= 0.05;
    }),
  );
}
print(
  "Holm over 10 true hypotheses: any false positive",
  shareOf(worlds, () => holm(Array.from({ length: 10 }, () => random.next())).some((value) => value <= 0.05)),
);
