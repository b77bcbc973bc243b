import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { Random } from "../../src/support/random.js";
import { type BatchArrays, layOut, type TensorRow } from "../../src/train/batch.js";
import { batchLossSums, meanLoss, stepLoss } from "../../src/train/loss.js";
import { nextToken, type TrainableModel } from "../../src/train/objectives/next-token.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { prepareRows, type TrainingRow } from "../../src/train/rows.js";
import { spansOf } from "./stand-in.js";

const OPTIMIZER = {
  learningRate: 1,
  beta1: 0.9,
  beta2: 0.9,
  epsilon: 1e-8,
  weightDecay: 0,
  clipNorm: "off",
} as const;
const LEARNED: DecoderConfig = {
  vocabularySize: 23,
  width: 16,
  layers: 2,
  heads: 2,
  feedForwardWidth: 32,
  contextLength: 40,
  positions: { kind: "learned" },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: true,
  tiedHead: true,
};
const ROTARY: DecoderConfig = {
  ...LEARNED,
  positions: { kind: "rotary", base: 10000 },
  norm: { kind: "rms", epsilon: 1e-6 },
  activation: "swiglu",
  biases: false,
  tiedHead: false,
};

interface LossAndGradient {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

function lossAndGradient(model: TrainableModel, batches: readonly BatchArrays[]): LossAndGradient {
  const optimizer = new Optimizer(model.parameters, OPTIMIZER);
  const loss = stepLoss(nextToken(model), batches, optimizer);
  const gradients = optimizer.gradients();
  optimizer.dispose();
  return { loss, gradients };
}

/** Norm of the difference over all parameters, as a share of the gradient's norm. */
function gradientDifference(a: LossAndGradient, b: LossAndGradient): number {
  let difference = 0;
  let whole = 0;
  for (const [name, values] of a.gradients) {
    const others = b.gradients.get(name);
    assert.ok(others?.length === values.length);
    values.forEach((value, index) => {
      difference += (value - (others[index] ?? NaN)) ** 2;
      whole += value ** 2;
    });
  }
  assert.ok(whole > 1e-6, "there is a gradient");
  return Math.sqrt(difference / whole);
}

function assertSame(a: LossAndGradient, b: LossAndGradient, what: string): void {
  assert.ok(Math.abs(a.loss / b.loss - 1) < 1e-5, `${what}: losses ${a.loss} and ${b.loss}`);
  assert.ok(gradientDifference(a, b) < 1e-5, `${what}: gradients differ by ${gradientDifference(a, b)}`);
}

function assertDifferent(a: LossAndGradient, b: LossAndGradient, what: string): void {
  assert.ok(Math.abs(a.loss / b.loss - 1) > 1e-4, `${what}: losses ${a.loss} and ${b.loss}`);
  assert.ok(gradientDifference(a, b) > 1e-2, `${what}: gradients differ by ${gradientDifference(a, b)}`);
}

/** Rows of 2 to 14 tokens with 1 to 13 targets: sums and means of batches differ much. */
function randomRows(): TrainingRow[] {
  const random = new Random(4);
  const spans = Array.from({ length: 9 }, (_, row) => {
    const ids = Array.from({ length: 2 + ((row * 5) % 13) }, () => random.integer(23));
    return spansOf(`row${row}`, ids, 1 + random.integer(ids.length - 1));
  });
  return prepareRows(spans, LEARNED);
}

/** A decoder whose weights are large enough for attention to matter. */
function decoderOf(config: DecoderConfig): Decoder {
  const decoder = Decoder.create(config, 5);
  for (const variable of decoder.parameters.values()) {
    if (variable.rank >= 2) tf.tidy(() => variable.assign(tf.mul(variable, 4)));
  }
  return decoder;
}

const rows = randomRows();
const every = rows.map((_, index) => index);
const single = (indexes: readonly number[]): TensorRow[] => indexes.map((index) => [index]);
/** The same tensors with more padding. */
const padded = (arrays: BatchArrays, more: number): BatchArrays => {
  const { batch, time, ids, targetPositions } = arrays;
  const wide = new Int32Array(batch * (time + more));
  for (let row = 0; row < batch; row++)
    wide.set(ids.subarray(row * time, (row + 1) * time), row * (time + more));
  const moved = targetPositions.map((at) => Math.floor(at / time) * (time + more) + (at % time));
  return { ...arrays, time: time + more, ids: wide, targetPositions: moved };
};

before(async () => {
  await startEngine();
});

for (const [name, config] of [
  ["learned positions, LayerNorm, GELU, tied head", LEARNED],
  ["rotary positions, RMSNorm, SwiGLU, untied head", ROTARY],
] as const) {
  test(`${name}: how a step is cut, ordered and padded does not matter`, () => {
    const decoder = decoderOf(config);
    const whole = lossAndGradient(decoder, [layOut(rows, single(every), "bucketed")]);
    for (const size of [1, 2, 4, 8]) {
      const batches: BatchArrays[] = [];
      for (let first = 0; first < every.length; first += size) {
        batches.push(layOut(rows, single(every.slice(first, first + size)), "bucketed"));
      }
      assertSame(whole, lossAndGradient(decoder, batches), `passes of ${size} rows`);
    }
    const order = [3, 1, 8, 0, 7, 2, 6, 5, 4];
    assertSame(whole, lossAndGradient(decoder, [layOut(rows, single(order), "bucketed")]), "another order");
    const widened = padded(layOut(rows, single(every), "bucketed"), 9);
    assertSame(whole, lossAndGradient(decoder, [widened]), "more padding");

    // Controls: the mistakes that these comparisons are there to find.
    const halves = [every.slice(0, 2), every.slice(2)].map((part) => layOut(rows, single(part), "bucketed"));
    const means = halves.map((half) => lossAndGradient(decoder, [half]));
    const averaged: LossAndGradient = {
      loss: means.reduce((sum, { loss }) => sum + loss, 0) / 2,
      gradients: new Map(
        [...whole.gradients].map(([parameter, values]) => [
          parameter,
          values.map(
            (_, index) =>
              means.reduce((sum, { gradients }) => sum + (gradients.get(parameter)?.[index] ?? 0), 0) / 2,
          ),
        ]),
      ),
    };
    assertDifferent(whole, averaged, "a mean of means");
    const supervised = widened.targets.length;
    const share = supervised / widened.ids.length;
    const counted: LossAndGradient = {
      loss: whole.loss * share,
      gradients: new Map(
        [...whole.gradients].map(([parameter, values]) => [parameter, values.map((value) => value * share)]),
      ),
    };
    assertDifferent(whole, counted, "padding in the denominator");
    decoder.dispose();
  });

  test(`${name}: packed rows train as they do alone`, () => {
    const decoder = decoderOf(config);
    const alone = lossAndGradient(decoder, [layOut(rows, single(every), "bucketed")]);
    const packs: TensorRow[] = [[0, 1, 2], [3, 4], [5], [8, 7, 6]];
    const packed = layOut(rows, packs, "packed");
    assertSame(alone, lossAndGradient(decoder, [packed]), "packed");
    assertSame(
      alone,
      lossAndGradient(decoder, [
        layOut(rows, packs.slice(0, 2), "packed"),
        layOut(rows, packs.slice(2), "packed"),
      ]),
      "packed, two passes",
    );

    // Controls: without segments rows see each other; without positions a row starts where the last one ended.
    const { segments, positions, ...plain } = packed;
    assertDifferent(alone, lossAndGradient(decoder, [{ ...plain, positions }]), "packing without segments");
    if (config.positions.kind === "learned") {
      assertDifferent(alone, lossAndGradient(decoder, [{ ...plain, segments }]), "packing without positions");
    }
    decoder.dispose();
  });
}

test("the loss is that of the supervised tokens alone, token i predicted from the tokens before it", () => {
  const decoder = decoderOf(LEARNED);
  let sum = 0;
  let count = 0;
  for (const { inputs, targetOffsets, targets } of rows) {
    const logits = tf.tidy(() => {
      const hidden = decoder.hiddenStates({ ids: tf.tensor2d(inputs, [1, inputs.length], "int32") });
      return decoder.logits(tf.reshape(hidden, [inputs.length, LEARNED.width])).arraySync();
    });
    targetOffsets.forEach((offset, index) => {
      const scores = logits[offset] ?? [];
      sum +=
        Math.log(scores.reduce((total, score) => total + Math.exp(score), 0)) -
        (scores[targets[index] ?? 0] ?? NaN);
      count++;
    });
  }
  const arrays = layOut(rows, single(every), "bucketed");
  assert.equal(arrays.targets.length, count);
  assert.ok(Math.abs(meanLoss(nextToken(decoder), [arrays]) - sum / count) < 1e-5);
  const first = tf.tidy(() => batchLossSums(nextToken(decoder), arrays)[0]?.dataSync()[0] ?? NaN);
  assert.ok(Math.abs(first / sum - 1) < 1e-5);
  // Control: the mistake of predicting a token from itself.
  const shifted = {
    ...arrays,
    targetPositions: arrays.targetPositions.map((at, i) =>
      arrays.ids[at + 1] === arrays.targets[i] ? at + 1 : at,
    ),
  };
  assert.ok(Math.abs(meanLoss(nextToken(decoder), [shifted]) - sum / count) > 1e-2);
  decoder.dispose();
});

test("a step leaves no tensors behind", () => {
  const decoder = decoderOf(LEARNED);
  const optimizer = new Optimizer(decoder.parameters, { ...OPTIMIZER, learningRate: 1e-3 });
  const batches = [layOut(rows, single(every), "bucketed"), layOut(rows, [[0, 1]], "packed")];
  const step = (): number => {
    stepLoss(nextToken(decoder), batches, optimizer);
    optimizer.step(1e-3, optimizer.gradientNorm());
    return tf.memory().numTensors;
  };
  step();
  const after = step();
  for (let more = 0; more < 5; more++) assert.equal(step(), after);
  optimizer.dispose();
  decoder.dispose();
});
