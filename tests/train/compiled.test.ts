import assert from "node:assert/strict";
import { afterEach, before, test } from "node:test";
import type { Spans } from "../../src/data/spans.js";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import type { BatchArrays } from "../../src/train/batch.js";
import type { TrainConfig } from "../../src/train/config.js";
import { batchLossSums } from "../../src/train/loss.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { CompiledStep } from "../../src/train/step/compiled-step.js";
import { EagerStep } from "../../src/train/step/eager-step.js";
import { train, type TrainOptions, type TrainResult } from "../../src/train/train.js";
import { LLAMA_PARTS, NextTokenModel, TINY_GPT2, waveRows } from "./stand-in.js";

const GPT2: DecoderConfig = TINY_GPT2;
const LLAMA: DecoderConfig = {
  ...GPT2,
  heads: 4,
  ...LLAMA_PARTS,
};
const CONFIG = {
  budget: { unit: "steps", amount: 50 },
  batch: { kind: "bucketed", rowsPerStep: 6 },
  microBatchRows: 4,
  optimizer: { learningRate: 0.005, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
} as const satisfies TrainConfig;
const PACKED = {
  ...CONFIG,
  batch: { kind: "packed", tokensPerRow: 24, rowsPerStep: 3 },
  microBatchRows: 2,
  optimizer: { ...CONFIG.optimizer, weightDecay: 0, clipNorm: "off" },
} as const satisfies TrainConfig;

const PLAN = { longestRow: 24, packed: false, timeUnit: 1, fuse: false };

const models: { dispose(): void }[] = [];
const kept = <Model extends { dispose(): void }>(model: Model): Model => {
  models.push(model);
  return model;
};

before(async () => {
  await startEngine({ backend: "tensorflow" });
});
afterEach(() => {
  for (const model of models.splice(0)) model.dispose();
});

/** No two rows alike, so that 50 steps do not learn them by heart. */
const rows = (): Spans[] => waveRows(60, 16);

/** A batch in which every position has a target; packed: two sequences in each row. */
function sizedBatch(batch: number, time: number, packed = false): BatchArrays {
  const size = batch * time;
  const fill = (value: (index: number) => number): Int32Array =>
    Int32Array.from({ length: size }, (_, index) => value(index));
  const split = time / 2;
  return {
    batch,
    time,
    ids: fill((index) => (index * 7) % 16),
    targets: fill((index) => (index * 5) % 16),
    targetPositions: fill((index) => index),
    ...(packed && {
      positions: fill((index) => (index % time) % split),
      segments: fill((index) => (index % time < split ? 1 : 2)),
    }),
  };
}

async function run(
  shape: DecoderConfig,
  config: TrainConfig,
  options: TrainOptions,
): Promise<{ readonly result: TrainResult; readonly values: number[] }> {
  const model = kept(Decoder.create(shape, 1));
  const result = await train(model, rows(), config, options);
  return { result, values: [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]) };
}

function largestDifference(one: TrainResult, other: TrainResult, of: "loss" | "gradientNorm"): number {
  return Math.max(
    ...one.history.map((progress, index) => {
      const value = other.history[index]?.[of] ?? NaN;
      return Math.abs(progress[of] - value) / value;
    }),
  );
}

const shapes = { GPT2, LLAMA };
for (const name of ["GPT2", "LLAMA"] as const) {
  for (const [batching, config] of [
    ["bucketed", CONFIG],
    ["packed", PACKED],
  ] as const) {
    test(`${name}, ${batching}: 50 steps are those of the eager step`, async () => {
      const eager = await run(shapes[name], config, { compile: false });
      const compiled = await run(shapes[name], config, {});
      assert.equal(compiled.result.step, "compiled");
      assert.equal(eager.result.step, "eager");
      assert.equal(compiled.result.history.length, 50);
      assert.ok(largestDifference(compiled.result, eager.result, "loss") < 1e-5);
      assert.ok(largestDifference(compiled.result, eager.result, "gradientNorm") < 1e-4);
      // The bias of the keys has no effect on the loss: its gradient is rounding, which Adam makes as large as any.
      const apart = compiled.values.filter(
        (value, index) => Math.abs(value - (eager.values[index] ?? NaN)) > 1e-4,
      );
      assert.ok(apart.length < 0.01 * eager.values.length, `${apart.length} parameters differ`);
      // The control: a thousandth of the learning rate shows.
      const learningRate = config.optimizer.learningRate * 1.001;
      const other = { ...config, optimizer: { ...config.optimizer, learningRate } };
      const changed = await run(shapes[name], other, {});
      assert.ok(largestDifference(changed.result, eager.result, "loss") > 1e-5);
    });
  }
}

test("the same run gives the same bits", async () => {
  const [one, two] = [await run(GPT2, CONFIG, {}), await run(GPT2, CONFIG, {})];
  assert.deepEqual(one.values, two.values);
});

test("one graph serves every size, from one token to a full context", () => {
  const model = kept(Decoder.create(GPT2, 1));
  const step = kept(new CompiledStep(nextToken(model), CONFIG, PLAN));
  for (const [batch, time] of [
    [1, 1],
    [1, 24],
    [4, 3],
    [3, 24],
  ] as const) {
    const size = batch * time;
    const arrays = sizedBatch(batch, time);
    const { loss } = step.measure([arrays]);
    const eager = tf.tidy(() => batchLossSums(nextToken(model), arrays)[0]?.dataSync()[0] ?? NaN) / size;
    assert.ok(Math.abs(loss - eager) < 1e-6 * eager, `${batch} x ${time}: ${loss}, eager ${eager}`);
  }
});

for (const name of ["GPT2", "LLAMA"] as const) {
  for (const packed of [false, true]) {
    test(`${name}, ${packed ? "packed" : "one row each"}: attention in slices gives the eager step's numbers`, () => {
      const grouped = name === "LLAMA" ? { keyValueHeads: 2 } : {};
      const model = kept(Decoder.create({ ...shapes[name], ...grouped, contextLength: 32 }, 1));
      const plan = { ...PLAN, longestRow: 32, packed, timeUnit: 4, querySlices: 4 };
      const step = kept(new CompiledStep(nextToken(model), CONFIG, plan));
      const oracle = kept(new EagerStep(nextToken(model), CONFIG));
      for (const [batch, time] of [
        [1, 4],
        [3, 32],
        [2, 16],
      ] as const) {
        const arrays = sizedBatch(batch, time, packed);
        const [sliced, whole] = [step.measure([arrays]), oracle.measure([arrays])];
        oracle.discard();
        assert.ok(Math.abs(sliced.loss - whole.loss) < 1e-6 * whole.loss);
        assert.ok(Math.abs(sliced.gradientNorm - whole.gradientNorm) < 1e-5 * whole.gradientNorm);
        // The control: one other token in the last slice shows.
        const ids = arrays.ids.with(-1, ((arrays.ids.at(-1) ?? 0) + 1) % 16);
        assert.ok(Math.abs(step.measure([{ ...arrays, ids }]).loss - whole.loss) > 1e-6 * whole.loss);
      }
    });
  }
}

test("steps leave no tensor behind, and a step that is not taken changes nothing", () => {
  const model = kept(Decoder.create(GPT2, 1));
  const untouched = kept(Decoder.create(GPT2, 1));
  const step = kept(new CompiledStep(nextToken(model), CONFIG, PLAN));
  const oracle = kept(new EagerStep(nextToken(untouched), CONFIG));
  const arrays = {
    batch: 2,
    time: 3,
    ids: Int32Array.of(1, 2, 3, 4, 5, 6),
    targets: Int32Array.of(2, 3, 5),
    targetPositions: Int32Array.of(0, 1, 4),
  };
  const steps = (count: number): void => {
    for (let index = 0; index < count; index++) {
      step.update(0.01, step.measure([arrays, arrays]).gradientNorm);
    }
  };
  steps(1);
  oracle.update(0.01, oracle.measure([arrays, arrays]).gradientNorm);
  const { numTensors, numBytes } = tf.memory();
  step.measure([arrays]);
  step.discard();
  const [taken, wanted] = [step.measure([arrays]).loss, oracle.measure([arrays]).loss];
  oracle.discard();
  assert.ok(Math.abs(taken - wanted) < 1e-5 * wanted);
  steps(20);
  assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [numTensors, numBytes]);
});

test("the model has its new values after training, also when it is stopped or fails", async () => {
  const values = (model: NextTokenModel): string => JSON.stringify([...model.values()]);
  const runUntil = async (
    compile: boolean,
    onStep: TrainOptions["onStep"],
    signal?: AbortSignal,
  ): Promise<string> => {
    const model = kept(new NextTokenModel());
    const options = { compile, ...(onStep && { onStep }), ...(signal && { signal }) };
    await train(model, waveRows(20), CONFIG, options).catch((error: unknown) => {
      assert.match(String(error), /the cell failed/);
    });
    return values(model);
  };
  const fail: TrainOptions["onStep"] = ({ step }) => {
    if (step === 3) throw new Error("the cell failed");
  };
  const stop = (): [TrainOptions["onStep"], AbortSignal] => {
    const controller = new AbortController();
    return [
      ({ step }) => {
        if (step === 3) controller.abort();
      },
      controller.signal,
    ];
  };
  const failed = await runUntil(true, fail);
  assert.equal(await runUntil(true, ...stop()), failed);
  const start = kept(new NextTokenModel());
  assert.notEqual(failed, values(start));
});

test("a model that reads its own tensors is refused by name, and trains without compiling", async () => {
  class Reading extends NextTokenModel {
    override logits(hidden: Parameters<NextTokenModel["logits"]>[0]): ReturnType<NextTokenModel["logits"]> {
      const largest = tf.max(tf.abs(hidden)).dataSync()[0] ?? 1;
      return super.logits(tf.div(hidden, largest));
    }
  }
  const model = kept(new Reading());
  await assert.rejects(train(model, waveRows(20), CONFIG), (error) => {
    assert.ok(error instanceof KitError);
    assert.match(error.message, /a result of the op Max is read by JavaScript.*compile: false, --eager/);
    return true;
  });
  const { status } = await train(model, waveRows(20), CONFIG, { compile: false });
  assert.equal(status, "finished");
});
