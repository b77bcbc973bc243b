import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { KitError } from "../../src/support/errors.js";
import type { OptimizerConfig, TrainConfig } from "../../src/train/config.js";
import { train, type TrainOptions } from "../../src/train/train.js";
import { NextTokenModel, waveRows } from "./stand-in.js";

const common = { weightDecay: 0.1, clipNorm: 1 } as const;
const ADAFACTOR = {
  kind: "adafactor",
  scaleParameter: true,
  epsilonSquare: 1e-30,
  epsilonScale: 1e-3,
  clipThreshold: 1,
  decayRate: 0.8,
  ...common,
} as const;
const optimizers = {
  AdamW: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, ...common },
  "Adafactor with relative steps and a first moment": { ...ADAFACTOR, learningRate: "relative", beta1: 0.9 },
  "Adafactor with a learning rate": { ...ADAFACTOR, learningRate: 0.05, beta1: "off" },
  SGD: { kind: "sgd", learningRate: 0.5, momentum: 0.9, nesterov: true, ...common },
  Lion: { kind: "lion", learningRate: 0.002, beta1: 0.9, beta2: 0.99, ...common, clipNorm: "off" },
} as const satisfies Readonly<Record<string, OptimizerConfig>>;

function configOf(optimizer: OptimizerConfig): TrainConfig {
  const relative = typeof optimizer.learningRate !== "number";
  return {
    budget: { unit: "steps", amount: 16 },
    batch: { kind: "bucketed", rowsPerStep: 8 },
    optimizer,
    schedule: relative
      ? { kind: "constant", warmupFraction: 0, finalFraction: 1 }
      : {
          kind: "warmup-stable-decay",
          warmupSteps: 2,
          decaySteps: 6,
          decayShape: "1-sqrt",
          finalFraction: 0.1,
        },
    weightAverage: { decay: 0.8, use: "average" },
    seed: 1,
  };
}

interface Ran {
  readonly losses: readonly number[];
  readonly values: readonly number[];
}

async function run(config: TrainConfig, options: TrainOptions = {}): Promise<Ran> {
  const model = new NextTokenModel();
  try {
    const { history } = await train(model, waveRows(40), config, options);
    return { losses: history.map(({ loss }) => loss), values: [...model.values().values()].flat() };
  } finally {
    model.dispose();
  }
}

/** Largest difference, as a share of the value for losses, of 1 for weights. */
function worst(one: readonly number[], other: readonly number[], floor: number): number {
  assert.equal(one.length, other.length);
  return Math.max(
    ...one.map((value, index) => {
      const wanted = other[index] ?? NaN;
      return Math.abs(value - wanted) / Math.max(Math.abs(wanted), floor);
    }),
  );
}

const root = mkdtempSync(join(tmpdir(), "ift-kit-optimizers-"));
let folders = 0;
before(async () => {
  await startEngine({ threads: 1 });
});
after(() => rmSync(root, { recursive: true, force: true }));

for (const [name, optimizer] of Object.entries(optimizers)) {
  const config = configOf(optimizer);

  test(`${name}: compiled, in passes and resumed, the run is the same, and so is the average of its weights`, async () => {
    const whole = await run(config);
    const eager = await run(config, { compile: false });
    const passes = await run({ ...config, microBatchRows: 3 });
    for (const other of [eager, passes]) {
      assert.ok(worst(other.losses, whole.losses, 0) < 1e-5);
      assert.ok(worst(other.values, whole.values, 1) < 1e-4);
    }
    const epoch = (first: number): number =>
      whole.losses.slice(first, first + 5).reduce((sum, loss) => sum + loss, 0);
    assert.ok(epoch(10) < epoch(0), "it learns");
    for (const compile of [true, false]) {
      const checkpointed = {
        ...config,
        checkpoint: { directory: join(root, `run${folders++}`), everySteps: 4 },
      };
      for (const last of [3, 11]) {
        const controller = new AbortController();
        await run(checkpointed, {
          compile,
          resume: true,
          signal: controller.signal,
          onStep: ({ step }) => {
            if (step === last) controller.abort();
          },
        });
      }
      assert.deepEqual(await run(checkpointed, { compile, resume: true }), compile ? whole : eager);
      // A checkpoint is of this optimizer only.
      const other = { ...optimizer, weightDecay: 0.2 };
      await assert.rejects(run({ ...checkpointed, optimizer: other }, { compile, resume: true }), (error) => {
        assert.ok(error instanceof KitError);
        return error.location.field === "optimizer.weightDecay";
      });
    }
  });
}

test("the model ends with the average or with the latest weights, as asked; training is the same", async () => {
  const config = configOf(optimizers.AdamW);
  for (const compile of [true, false]) {
    const average = await run(config, { compile });
    const latest = await run({ ...config, weightAverage: { decay: 0.8, use: "latest" } }, { compile });
    const { budget, batch, optimizer, schedule, seed } = config;
    const none = await run({ budget, batch, optimizer, schedule, seed }, { compile });
    assert.deepEqual(average.losses, none.losses);
    assert.deepEqual(latest, none);
    assert.ok(worst(average.values, latest.values, 1) > 1e-3);
    // With a decay of 0 the average is the latest weights.
    const follows = await run({ ...config, weightAverage: { decay: 0, use: "average" } }, { compile });
    assert.ok(worst(follows.values, latest.values, 1) < 1e-6);
  }
});

test("controls: another optimizer or schedule is another run", async () => {
  const lion = configOf(optimizers.Lion);
  const { losses } = await run(lion);
  const changes: Partial<TrainConfig>[] = [
    { optimizer: { ...lion.optimizer, beta1: 0.5 } as OptimizerConfig },
    { schedule: { kind: "linear", warmupSteps: 2, finalFraction: 0.1 } },
    { budget: { unit: "steps", amount: 17 } },
  ];
  for (const change of changes) {
    const other = await run({ ...lion, ...change });
    assert.ok(worst(other.losses.slice(0, 16), losses, 0) > 1e-5);
  }
});
