import assert from "node:assert/strict";
import { test } from "node:test";
import { bcaInterval } from "../../src/evaluate/statistics/bca.js";
import { pairedDifference } from "../../src/evaluate/statistics/bootstrap.js";
import { cohenDz, pairedSuperiority } from "../../src/evaluate/statistics/effect-size.js";
import { fewSeedsInterval } from "../../src/evaluate/statistics/few-seeds.js";
import { holm } from "../../src/evaluate/statistics/holm.js";
import { mcnemar } from "../../src/evaluate/statistics/mcnemar.js";
import {
  pairedPermutationTest,
  taskTypeDifferences,
  taskTypeTest,
} from "../../src/evaluate/statistics/permutation.js";
import { detectableDifference, power } from "../../src/evaluate/statistics/power.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { covers, drawArms, shareOf, type World } from "../simulation/worlds.js";

/** Seeds that differ much, on the same task types: the case in which two seeds mislead. */
const TWO_SEEDS: World = {
  seeds: 2,
  taskTypes: 12,
  examples: 4,
  spread: { seed: 0.4, taskType: 0.5, example: 1 },
  shared: true,
};

/** Four standard errors of a share of `worlds` around its nominal value: a false alarm in 16,000 runs, were they random. */
function tolerance(nominal: number, worlds: number): number {
  return 4 * Math.sqrt((nominal * (1 - nominal)) / worlds);
}

const WORLDS = 500;

test("the interval for few seeds holds the truth in 93% to 97% of worlds, within two standard errors", () => {
  const cells = { ...TWO_SEEDS, examples: 1, spread: { seed: 0.4, taskType: 0.5, example: 0.4 } };
  const worlds = 2000;
  for (const world of [cells, { ...cells, shared: false }, { ...cells, seeds: 4 }]) {
    const random = new Random(5);
    const share = shareOf(worlds, () => covers(fewSeedsInterval(drawArms(random, world), 0.95), 1));
    assert.ok(Math.abs(share - 0.95) < 0.03, `coverage ${share}`);
  }
});

test("negative control: with two seeds that differ much the bootstrap does not", () => {
  const random = new Random(5);
  const share = shareOf(200, (seed) =>
    covers(pairedDifference(drawArms(random, TWO_SEEDS), { resamples: 300, level: 0.95, seed }), 1),
  );
  assert.ok(share < 0.92, `coverage ${share}`);
});

test("BCa intervals of 40 units hold the truth at their nominal rate", () => {
  const random = new Random(8);
  const share = shareOf(WORLDS, (seed) =>
    covers(
      bcaInterval(
        Array.from({ length: 40 }, () => random.normal()),
        { resamples: 400, level: 0.95, seed },
      ),
      0,
    ),
  );
  assert.ok(Math.abs(share - 0.95) < 0.02 + tolerance(0.95, WORLDS), `coverage ${share}`);
});

test("the sign-flip test finds what is not there at its level, exact and by Monte Carlo", () => {
  const random = new Random(9);
  for (const units of [9, 30]) {
    const share = shareOf(WORLDS, (seed) => {
      const differences = Array.from({ length: units }, () => random.normal());
      return pairedPermutationTest(differences, { resamples: 199, seed }).pValue <= 0.05;
    });
    assert.ok(Math.abs(share - 0.05) < tolerance(0.05, WORLDS), `${units} units: ${share}`);
  }
});

test("the task-type test holds its level where seeds agree; where they differ much it does not: it takes them as they are", () => {
  const falsePositives = (spread: number): number => {
    const random = new Random(10);
    return shareOf(WORLDS, (seed) => {
      const world = { ...TWO_SEEDS, spread: { ...TWO_SEEDS.spread, seed: spread } };
      const { a, b } = drawArms(random, world);
      const equal = a.map((row) => ({ ...row, score: row.score - 1 }));
      return taskTypeTest({ a: equal, b }, { resamples: 199, seed }).pValue <= 0.05;
    });
  };
  const agreeing = falsePositives(0);
  assert.ok(Math.abs(agreeing - 0.05) < tolerance(0.05, WORLDS), `share ${agreeing}`);
  const differing = falsePositives(0.4);
  assert.ok(differing > 0.15, `share ${differing}`);
});

test("Holm keeps the chance of any false positive, without it there are many", () => {
  const random = new Random(11);
  const lists = Array.from({ length: WORLDS }, () => Array.from({ length: 10 }, () => random.next()));
  const any = (adjust: (p: readonly number[]) => readonly number[]): number =>
    lists.filter((p) => adjust(p).some((value) => value <= 0.05)).length / WORLDS;
  assert.ok(any(holm) < 0.05 + tolerance(0.05, WORLDS));
  assert.ok(any((p) => p) > 0.3, "negative control");
});

test("hand-worked p-values", () => {
  const options = { resamples: 100, seed: 1 };
  // Of 2^5 sign patterns only all plus and all minus are as extreme.
  const five = pairedPermutationTest([1, 2, 3, 4, 5], options);
  assert.equal(five.pValue, 2 / 32);
  assert.equal(five.smallestPValue, 2 / 32);
  assert.equal(pairedPermutationTest([1, -1], options).pValue, 1);
  assert.equal(pairedPermutationTest([0, 0, 0], options).pValue, 1, "no difference is no finding");
  const { onlyA, onlyB, exact } = mcnemar([true, true, true, false], [false, false, false, false]);
  assert.deepEqual([onlyA, onlyB], [3, 0]);
  assert.ok(Math.abs(exact - 0.25) < 1e-12);
  assert.deepEqual(holm([0.25, 0.5, 0.125]), [0.5, 0.5, 0.375]);
  assert.equal(pairedSuperiority([1, 1, 0, -1], { resamples: 100, level: 0.95, seed: 1 }).mean, 0.625);
});

test("a task type is one unit, however many examples and seeds it has", () => {
  const { a, b } = drawArms(new Random(3), TWO_SEEDS);
  assert.equal(taskTypeDifferences({ a, b }).length, 12);
  const own = drawArms(new Random(3), { ...TWO_SEEDS, shared: false });
  assert.equal(taskTypeDifferences(own).length, 24, "task types of one seed only are units of their own");
});

test("the interval for few seeds does not depend on the order of the rows, and is a point without variation", () => {
  const arms = drawArms(new Random(4), TWO_SEEDS);
  const shuffled = { a: new Random(1).shuffled(arms.a), b: new Random(2).shuffled(arms.b) };
  assert.deepEqual(fewSeedsInterval(shuffled, 0.95), fewSeedsInterval(arms, 0.95));
  const same = { a: arms.b.map((row) => ({ ...row, score: row.score + 0.5 })), b: arms.b };
  const { low, high, mean } = fewSeedsInterval(same, 0.95);
  assert.ok(Math.abs(high - low) < 1e-12 && Math.abs(mean - 0.5) < 1e-12);
});

test("power grows with the effect and the design, and says what can be seen in one sentence", () => {
  const spread = { seed: 0.0004, taskType: 0.002, rest: 0.001 };
  const options = { alpha: 0.05, simulations: 1000, seed: 2 };
  const design = { seeds: 2, taskTypes: 12, shared: true };
  const small = power(0.02, design, spread, options);
  const large = power(0.2, design, spread, options);
  assert.ok(small < large && large > 0.6, `${small} ${large}`);
  assert.ok(power(0, design, spread, options) < 0.09, "no effect is found at about the level");
  const two = detectableDifference(0.8, design, spread, options);
  const five = detectableDifference(0.8, { ...design, seeds: 5 }, spread, options);
  assert.ok(five.difference < two.difference);
  assert.match(
    two.text,
    /^with 2 seeds and 12 task types you can see a difference of 0\.\d+ \(power 80%, level 5%\)$/,
  );
  assert.ok(Math.abs(power(two.difference, design, spread, options) - 0.8) < 0.002);
});

test("what cannot be tested is an error", () => {
  const refuses = (run: () => unknown, message: RegExp): void => {
    assert.throws(run, (error) => error instanceof KitError && message.test(error.message));
  };
  const options = { resamples: 100, level: 0.95, seed: 1 };
  refuses(() => bcaInterval([1], options), /1 values/);
  refuses(() => bcaInterval([1, Number.NaN], options), /row 2: the value NaN/);
  refuses(() => cohenDz([2, 2, 2], options), /standard deviation is 0/);
  refuses(() => holm([0.5, 1.2]), /row 2: a p-value of 1.2/);
  refuses(() => mcnemar([true], []), /1 and 0 rows/);
  refuses(() => pairedPermutationTest([1], { resamples: 5, seed: 1 }), /5 permutations/);
  const one = [{ seed: 1, taskType: "a", id: "1", score: 1 }];
  refuses(() => fewSeedsInterval({ a: one, b: one }, 0.95), /one seed with one task type/);
  const design = { seeds: 0, taskTypes: 3, shared: true };
  refuses(
    () => power(1, design, { seed: 0, taskType: 0, rest: 1 }, { alpha: 0.05, simulations: 10, seed: 1 }),
    /field "seeds"/,
  );
  refuses(
    () =>
      detectableDifference(
        0.8,
        { ...design, seeds: 2 },
        { seed: Number.NaN, taskType: 0, rest: 1 },
        { alpha: 0.05, simulations: 10, seed: 1 },
      ),
    /field "spread.seed": a variance of NaN/,
  );
});
