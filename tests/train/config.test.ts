import assert from "node:assert/strict";
import { test } from "node:test";
import { KitError } from "../../src/support/errors.js";
import { parseTrainConfig, type Budget, type ScheduleConfig } from "../../src/train/config.js";
import { scheduleFactor } from "../../src/train/schedule.js";

const GOOD = {
  budget: { unit: "steps", amount: 10 },
  batch: { kind: "bucketed", rowsPerStep: 4 },
  optimizer: { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 0,
};

test("a right config passes unchanged", () => {
  assert.deepEqual(parseTrainConfig(GOOD), GOOD);
  const steps = {
    ...GOOD,
    schedule: { kind: "linear", warmupSteps: 3, finalFraction: 0 },
    microBatchRows: 2,
  };
  assert.deepEqual(parseTrainConfig(steps), steps);
});

test("a wrong config is an error that names the field and what it may hold", () => {
  const cases: [unknown, string, RegExp][] = [
    [{ ...GOOD, learningRate: 1 }, "learningRate", /no such field.*budget, batch, microBatchRows, optimizer/],
    [
      { ...GOOD, optimizer: { ...GOOD.optimizer, lr: 1 } },
      "optimizer.lr",
      /learningRate, beta1, beta2, epsilon/,
    ],
    [{ ...GOOD, batch: { kind: "packed", rows: 2 } }, "batch.tokensPerRow", /lacks this field/],
    [
      { ...GOOD, batch: { kind: "bucketed", rowsPerStep: 2, tokensPerRow: 3 } },
      "batch.tokensPerRow",
      /use one of kind, rowsPerStep\.$/,
    ],
    [{ ...GOOD, batch: { kind: "sorted" } }, "batch.kind", /"sorted".*one of "bucketed", "packed"/],
    [
      { ...GOOD, budget: { unit: "tokens", amount: 1 } },
      "budget.unit",
      /"supervised-tokens", "total-tokens", "steps"/,
    ],
    [{ ...GOOD, budget: { unit: "steps", amount: 0 } }, "budget.amount", /has the value 0 here.*more than 0/],
    [{ ...GOOD, budget: { unit: "steps", amount: 1.5 } }, "budget.amount", /1\.5.*give a whole number/],
    [
      { ...GOOD, optimizer: { ...GOOD.optimizer, clipNorm: "none" } },
      "optimizer.clipNorm",
      /give a number, or .*"off"/,
    ],
    [{ ...GOOD, optimizer: { ...GOOD.optimizer, beta2: 1 } }, "optimizer.beta2", /less than 1/],
    [{ ...GOOD, seed: undefined }, "seed", /lacks this field/],
    [{ ...GOOD, schedule: { kind: "cosine", finalFraction: 0 } }, "schedule.warmupFraction", /not given/],
    [
      { ...GOOD, schedule: { ...GOOD.schedule, warmupSteps: 1 } },
      "schedule.warmupFraction",
      /given twice.*either warmupFraction/,
    ],
    [
      {
        ...GOOD,
        budget: { unit: "total-tokens", amount: 100 },
        schedule: { kind: "cosine", warmupSteps: 2, finalFraction: 0 },
      },
      "schedule.warmupSteps",
      /budget is in total-tokens.*give warmupFraction/,
    ],
    [
      { ...GOOD, schedule: { kind: "cosine", warmupSteps: 10, finalFraction: 0 } },
      "schedule.warmupSteps",
      /fills the budget/,
    ],
    [
      { ...GOOD, schedule: { ...GOOD.schedule, kind: "constant" } },
      "schedule.finalFraction",
      /constant schedule cannot end at 0.1/,
    ],
  ];
  for (const [config, field, words] of cases) {
    assert.throws(
      () => parseTrainConfig(config, { file: "run.json" }),
      (error) => {
        assert.ok(error instanceof KitError);
        assert.equal(error.location.field, field, error.message);
        assert.equal(error.location.file, "run.json");
        assert.match(error.message, words);
        assert.ok(!error.message.includes("\n"));
        return true;
      },
    );
  }
  assert.throws(() => parseTrainConfig([]), KitError);
  assert.throws(() => parseTrainConfig(undefined), KitError);
});

test("the schedule rises, falls to the final share, and means the same in every unit", () => {
  const cosine: ScheduleConfig = { kind: "cosine", warmupFraction: 0.2, finalFraction: 0.1 };
  const ten: Budget = { unit: "steps", amount: 10 };
  const at = (schedule: ScheduleConfig, step: number): number => scheduleFactor(schedule, ten, step, 1);
  assert.ok(Math.abs(at(cosine, 0) - 0.25) < 1e-12);
  assert.ok(Math.abs(at(cosine, 1) - 0.75) < 1e-12);
  const expected = 0.1 + (0.9 * (1 + Math.cos((Math.PI * 0.35) / 0.8))) / 2;
  assert.ok(Math.abs(at(cosine, 5) - expected) < 1e-12);
  assert.ok(at(cosine, 9) > 0.1 && at(cosine, 9) < 0.12);
  assert.ok(Math.abs(at({ kind: "linear", warmupFraction: 0, finalFraction: 0 }, 4) - 0.55) < 1e-12);
  assert.equal(at({ kind: "constant", warmupFraction: 0, finalFraction: 1 }, 9), 1);
  assert.equal(at({ kind: "linear", warmupSteps: 5, finalFraction: 0 }, 2), 0.5);
  // The same run counted in tokens, 70 a step: the same factors.
  const tokens: Budget = { unit: "supervised-tokens", amount: 700 };
  for (let step = 0; step < 10; step++) {
    assert.ok(Math.abs(scheduleFactor(cosine, tokens, step * 70, 70) - at(cosine, step)) < 1e-12);
  }
});
