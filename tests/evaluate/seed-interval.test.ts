import assert from "node:assert/strict";
import { test } from "node:test";
import { type ExampleScore, pairedDifference } from "../../src/evaluate/statistics/bootstrap.js";
import { fewSeedsInterval } from "../../src/evaluate/statistics/few-seeds.js";
import { seedDifference, seedMean } from "../../src/evaluate/statistics/seed-interval.js";
import { Random } from "../../src/support/random.js";

const OPTIONS = { resamples: 500, level: 0.95, seed: 1 } as const;

/** Scores of seeds that differ from one another, on task types that differ too. */
function scoresOf(seeds: number, right: number, taskTypes = 8): ExampleScore[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const random = Random.derive(seed, `arm ${right}`);
    const shift = 0.2 * (random.next() - 0.5);
    return Array.from({ length: taskTypes }, (_type, type) =>
      Array.from({ length: 10 }, (_row, row) => ({
        seed,
        taskType: `type ${type}`,
        id: `${type}-${row}`,
        score: random.next() < right + shift ? 1 : 0,
      })),
    ).flat();
  }).flat();
}

test("few seeds: Student's t; five and more: the bootstrap", () => {
  const few = { a: scoresOf(3, 0.7), b: scoresOf(3, 0.1) };
  const { low, high } = fewSeedsInterval(few, 0.95);
  const found = seedDifference(few, OPTIONS);
  assert.deepEqual([found.low, found.high], [low, Math.min(1, high)]);
  assert.equal(found.basis, "95% intervals: Student's t over 3 seeds and 8 task types");
  const many = { a: scoresOf(5, 0.7), b: scoresOf(5, 0.1) };
  const bootstrap = pairedDifference(many, OPTIONS);
  const chosen = seedDifference(many, OPTIONS);
  assert.deepEqual([chosen.low, chosen.high], [bootstrap.low, bootstrap.high]);
  assert.match(chosen.basis, /^95% intervals: bootstrap over 5 seeds, 8 task types, \d+ examples$/);
});

test("negative control: with two seeds that differ the bootstrap's interval is narrower", () => {
  const two = { a: scoresOf(2, 0.6), b: scoresOf(2, 0.5) };
  const width = ({ low, high }: { low: number; high: number }): number => high - low;
  assert.ok(width(seedDifference(two, OPTIONS)) > 1.5 * width(pairedDifference(two, OPTIONS)));
});

test("one seed says so; one task type of one seed is drawn again by rows; rows can be the unit", () => {
  assert.match(seedMean(scoresOf(1, 0.5), OPTIONS).basis, /8 task types, one seed only/);
  const single = scoresOf(1, 0.5, 1);
  assert.match(seedMean(single, OPTIONS).basis, /10 examples/);
  const rows = seedMean(single, { ...OPTIONS, unit: "example" });
  assert.match(rows.basis, /10 examples, one seed only/);
  assert.ok(rows.high - rows.low > 0.3);
});

test("an interval ends where the scale does", () => {
  const sure = seedMean(scoresOf(2, 0.97), OPTIONS);
  assert.ok(sure.high <= 1 && sure.low >= 0);
});
