import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { type BatchArrays, layOut, type TensorRow } from "../../src/train/batch.js";
import type { LossConfig, TrainConfig } from "../../src/train/config.js";
import { meanLoss, stepLoss } from "../../src/train/loss.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { prepareRows } from "../../src/train/rows.js";
import { train, type TrainOptions } from "../../src/train/train.js";
import { NextTokenModel, TINY_GPT2, waveRows } from "./stand-in.js";

const LOSS: LossConfig = { labelSmoothing: 0.1, zLoss: 0.01 };
const CONFIG = {
  budget: { unit: "steps", amount: 12 },
  batch: { kind: "bucketed", rowsPerStep: 6 },
  optimizer: { learningRate: 0.005, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  loss: LOSS,
  seed: 1,
} as const satisfies TrainConfig;
const PACKED = { ...CONFIG, batch: { kind: "packed", tokensPerRow: 24, rowsPerStep: 3 } } as const;

const spans = waveRows(30, 16);
const rows = prepareRows(spans, TINY_GPT2);
const root = mkdtempSync(join(tmpdir(), "ift-kit-loss-"));

before(async () => {
  await startEngine({ backend: "tensorflow" });
});
after(() => rmSync(root, { recursive: true, force: true }));

interface Measured {
  readonly loss: number;
  readonly gradient: readonly number[];
}

function measure(decoder: Decoder, batches: readonly BatchArrays[], options: LossConfig): Measured {
  const optimizer = new Optimizer(decoder.parameters, CONFIG.optimizer);
  const loss = stepLoss(nextToken(decoder), batches, optimizer, 0, options);
  const gradient = [...optimizer.gradients().values()].flatMap((values) => [...values]);
  optimizer.dispose();
  return { loss, gradient };
}

/** Difference of loss and of gradient, each as a share. */
function difference(one: Measured, other: Measured): number {
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const apart = one.gradient.map((value, index) => value - (other.gradient[index] ?? NaN));
  return Math.max(Math.abs(one.loss / other.loss - 1), norm(apart) / norm(other.gradient));
}

for (const options of [LOSS, { labelSmoothing: 0.2 }, { zLoss: 0.05 }]) {
  test(`${JSON.stringify(options)}: how a step is cut, ordered and packed does not matter`, () => {
    const decoder = Decoder.create(TINY_GPT2, 1);
    const order = rows.map((_, index) => index).slice(0, 9);
    const single = (indexes: readonly number[]): TensorRow[] => indexes.map((index) => [index]);
    const whole = measure(decoder, [layOut(rows, single(order), "bucketed")], options);
    const cuts = [
      [layOut(rows, single(order.slice(0, 2)), "bucketed"), layOut(rows, single(order.slice(2)), "bucketed")],
      [layOut(rows, single(order.toReversed()), "bucketed")],
      [layOut(rows, [order.slice(0, 3), order.slice(3, 5), order.slice(5)], "packed")],
    ];
    for (const batches of cuts) {
      assert.ok(difference(measure(decoder, batches, options), whole) < 1e-5);
    }
    // Controls: a mean of the passes' means, and the loss without the options.
    const halves = (cuts[0] ?? []).map((half) => measure(decoder, [half], options));
    const mean = (of: (half: Measured) => number): number =>
      halves.reduce((sum, half) => sum + of(half), 0) / halves.length;
    const averaged = {
      loss: mean(({ loss }) => loss),
      gradient: whole.gradient.map((_, index) => mean(({ gradient }) => gradient[index] ?? NaN)),
    };
    assert.ok(difference(averaged, whole) > 1e-3);
    assert.ok(difference(measure(decoder, cuts[0] ?? [], {}), whole) > 1e-3);
    decoder.dispose();
  });
}

interface Ran {
  readonly losses: readonly number[];
  readonly values: readonly number[];
}

async function run(config: TrainConfig, options: TrainOptions = {}): Promise<Ran> {
  const decoder = Decoder.create(TINY_GPT2, 1);
  try {
    const { history } = await train(decoder, spans, config, options);
    const values = [...decoder.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
    return { losses: history.map(({ loss }) => loss), values };
  } finally {
    decoder.dispose();
  }
}

const apart = (one: Ran, other: Ran): number =>
  Math.max(...one.losses.map((loss, step) => Math.abs(loss / (other.losses[step] ?? NaN) - 1)));

test("compiled, in passes, resumed and with blocks computed again, the run is the same", async () => {
  for (const config of [CONFIG, PACKED] satisfies TrainConfig[]) {
    const eager = await run(config, { compile: false });
    const compiled = await run(config);
    assert.ok(apart(compiled, eager) < 1e-5);
    const passes = { ...config, microBatchRows: 2 };
    const kept = await run(passes, { compile: false });
    assert.ok(apart(kept, eager) < 1e-5);
    assert.deepEqual(await run({ ...passes, activationCheckpointing: true }, { compile: false }), kept);
    const again = await run({ ...config, activationCheckpointing: true });
    assert.ok(apart(again, compiled) < 1e-6, `${apart(again, compiled)}`);
    // Controls.
    for (const loss of [{}, { ...LOSS, zLoss: 0.011 }, { ...LOSS, labelSmoothing: 0.11 }]) {
      assert.ok(
        apart(await run({ ...config, loss }, { compile: false }), eager) > 1e-5,
        JSON.stringify(loss),
      );
    }
    if (config === PACKED) continue;
    const checkpointed = { ...config, checkpoint: { directory: join(root, "resumed"), everySteps: 4 } };
    const controller = new AbortController();
    await run(checkpointed, {
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 5) controller.abort();
      },
    });
    assert.deepEqual(await run(checkpointed, { resume: true }), compiled);
    const other = { ...checkpointed, loss: { ...LOSS, zLoss: 0.02 } };
    await assert.rejects(run(other, { resume: true }), /field "loss.zLoss"/);
  }
});

test("a validation measures cross entropy alone, and a loss with more is not given in bits per byte", async () => {
  const held = waveRows(4, 16).map((row) => ({ ...row, ids: row.ids.map((id) => (id + 5) % 16) }));
  for (const loss of [LOSS, {}]) {
    const decoder = Decoder.create(TINY_GPT2, 1);
    const { history, validations } = await train(
      decoder,
      spans,
      { ...CONFIG, loss, validation: { everySteps: 12 } },
      { validation: held, bytesOf: () => 3 },
    );
    const arrays = layOut(
      prepareRows(held, TINY_GPT2),
      held.map((_, index) => [index]),
      "bucketed",
    );
    const plain = meanLoss(nextToken(decoder), [arrays]);
    assert.ok(Math.abs((validations[0]?.loss ?? NaN) / plain - 1) < 1e-5);
    assert.ok(validations[0]?.bitsPerByte !== undefined);
    assert.equal(history[0]?.bitsPerByte === undefined, loss === LOSS);
    decoder.dispose();
  }
});

test("what does not go together is an error that names it", async () => {
  const again: TrainConfig = { ...CONFIG, activationCheckpointing: true };
  const refused = async (promise: Promise<unknown>, field: string, words: RegExp): Promise<void> => {
    await assert.rejects(promise, (error) => {
      assert.ok(error instanceof KitError);
      assert.equal(error.location.field, field);
      assert.match(error.message, words);
      return true;
    });
  };
  const model = new NextTokenModel(16);
  await refused(
    train(model, spans, again, { compile: false }),
    "activationCheckpointing",
    /does nothing for this model.*next-token/,
  );
  model.dispose();
  await refused(
    run({ ...CONFIG, loss: { labelSmoothing: 1 } }),
    "loss.labelSmoothing",
    /give less than 1|less than 1/,
  );
});
