import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KitError } from "../../src/support/errors.js";
import { parseTrainConfig } from "../../src/train/config.js";
import type { OptimizerConfig } from "../../src/train/optimizers/config.js";

const golden = JSON.parse(
  readFileSync(new URL("../parity/golden/optimizers.json", import.meta.url), "utf8"),
) as { readonly cases: Readonly<Record<string, { readonly config: OptimizerConfig }>> };

test("what does not go together is an error that names it", () => {
  const adafactor = golden.cases["Adafactor with relative steps"]?.config;
  const base = {
    budget: { unit: "steps", amount: 20 },
    batch: { kind: "bucketed", rowsPerStep: 4 },
    optimizer: golden.cases.Lion?.config,
    schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
    seed: 0,
  };
  const stable = { kind: "warmup-stable-decay", decayShape: "linear", finalFraction: 0 };
  for (const { config } of Object.values(golden.cases)) {
    assert.deepEqual(parseTrainConfig({ ...base, optimizer: config }).optimizer, config);
  }
  const cases: [object, string, RegExp][] = [
    [
      { optimizer: { ...base.optimizer, epsilon: 1 } },
      "optimizer.epsilon",
      /kind, learningRate, beta1, beta2, weight/,
    ],
    [{ optimizer: { kind: "adam" } }, "optimizer.kind", /"adam".*"adafactor", "sgd", "lion"/],
    [
      { optimizer: { ...golden.cases.SGD?.config, nesterov: true } },
      "optimizer.nesterov",
      /optimizer.momentum is 0/,
    ],
    [
      { optimizer: adafactor, schedule: { kind: "cosine", warmupFraction: 0, finalFraction: 0 } },
      "schedule.kind",
      /Adafactor chooses its step size by itself.*optimizer.learningRate a number/,
    ],
    [
      { optimizer: adafactor, schedule: { kind: "constant", warmupFraction: 0.1, finalFraction: 1 } },
      "schedule.kind",
      /the schedule would do nothing/,
    ],
    [{ schedule: { ...stable, warmupFraction: 0.1 } }, "schedule.decayFraction", /the decay is not given/],
    [
      { schedule: { ...stable, warmupFraction: 0.1, decayFraction: 0.1, decaySteps: 3 } },
      "schedule.decayFraction",
      /given twice.*either decayFraction/,
    ],
    [
      { schedule: { ...stable, warmupFraction: 0.6, decayFraction: 0.5 } },
      "schedule.decayFraction",
      /take more than the budget/,
    ],
    [
      {
        budget: { unit: "total-tokens", amount: 100 },
        schedule: { ...stable, warmupFraction: 0.6, decaySteps: 5 },
      },
      "schedule.decaySteps",
      /the decay is in steps but the budget is in total-tokens/,
    ],
    [
      { schedule: { kind: "linear", warmupFraction: 0, finalFraction: 0, decaySteps: 3 } },
      "schedule.decaySteps",
      /no such field/,
    ],
    [{ weightAverage: { decay: 1, use: "average" } }, "weightAverage.decay", /less than 1/],
  ];
  for (const [change, field, words] of cases) {
    assert.throws(
      () => parseTrainConfig({ ...base, ...change }),
      (error) => {
        assert.ok(error instanceof KitError);
        assert.equal(error.location.field, field, error.message);
        assert.match(error.message, words);
        return true;
      },
    );
  }
});
