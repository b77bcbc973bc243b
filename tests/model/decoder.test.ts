import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { embeddingLookup, softmaxCrossEntropySum } from "../../src/engine/ops/index.js";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { Decoder, type DecoderInput } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { FAMILIES, GPT2, hiddenAlone, largeDecoder, matrix } from "./models.js";

const ROWS = [
  [1, 2, 3, 4],
  [5, 6],
  [7, 8, 9],
] as const;

/** The rows of `ROWS` side by side: two in the first tensor row, one in the second, with padding. */
const PACKED_IDS = [
  [...ROWS[0], ...ROWS[1], 0, 0],
  [...ROWS[2], 0, 0, 0, 0, 0],
];
const SEGMENTS = [
  [1, 1, 1, 1, 2, 2, 0, 0],
  [1, 1, 1, 0, 0, 0, 0, 0],
];
const POSITIONS = [
  [0, 1, 2, 3, 0, 1, 0, 0],
  [0, 1, 2, 0, 0, 0, 0, 0],
];
/** Where the tokens of `ROWS` are in the flattened tensor. */
const PLACES = [0, 1, 2, 3, 4, 5, 8, 9, 10];

interface Result {
  readonly loss: number;
  readonly hidden: ArrayLike<number>;
  readonly gradients: ArrayLike<number>[];
}

/** Loss and gradients when each token predicts itself plus one: any target will do. */
function run(decoder: Decoder, input: DecoderInput, places: readonly number[]): Result {
  const rows = tf.tensor1d([...places], "int32");
  const hiddenRows = (): TensorFlow.Tensor2D => {
    const hidden = decoder.hiddenStates(input);
    return embeddingLookup(tf.reshape(hidden, [-1, decoder.config.width]), rows) as TensorFlow.Tensor2D;
  };
  const ids = input.ids.dataSync();
  const targets = tf.tensor1d(
    places.map((place) => ((ids[place] ?? 0) + 1) % 13),
    "int32",
  );
  const { value, grads } = tf.variableGrads(() =>
    softmaxCrossEntropySum(decoder.logits(hiddenRows()), targets),
  );
  return {
    loss: value.dataSync()[0] ?? NaN,
    hidden: tf.tidy(() => hiddenRows().dataSync()),
    gradients: [...decoder.parameters.values()].map(({ name }) => grads[name]?.dataSync() ?? []),
  };
}

function sumOf(results: readonly Result[]): Result {
  const [first, ...rest] = results;
  assert.ok(first);
  return rest.reduce<Result>(
    (sum, { loss, hidden, gradients }) => ({
      loss: sum.loss + loss,
      hidden: [...Array.from(sum.hidden), ...Array.from(hidden)],
      gradients: sum.gradients.map((values, index) =>
        Array.from(values, (value, k) => value + (gradients[index]?.[k] ?? NaN)),
      ),
    }),
    first,
  );
}

function differenceOf(a: Result, b: Result): number {
  const parts = a.gradients.map(
    (gradient, index) => largestDifference(gradient, b.gradients[index] ?? []).worst,
  );
  return Math.max(Math.abs(a.loss - b.loss), largestDifference(a.hidden, b.hidden).worst, ...parts);
}

before(async () => {
  await startEngine();
});

describe("packed rows", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: give the logits and gradients of separate rows, and would not without segments`, () => {
      const decoder = largeDecoder(config);
      const separate = sumOf(ROWS.map((row) => run(decoder, { ids: matrix([row]) }, [...row.keys()])));
      const ids = matrix(PACKED_IDS);
      const positions = matrix(POSITIONS);
      const packed = run(decoder, { ids, positions, segments: matrix(SEGMENTS) }, PLACES);
      assert.ok(differenceOf(packed, separate) < 2e-4);
      const leaking = run(decoder, { ids, positions }, PLACES);
      assert.ok(differenceOf(leaking, separate) > 0.1, "attention across rows shows");
      const misplaced = run(decoder, { ids, segments: matrix(SEGMENTS) }, PLACES);
      // Rotary positions are relative, so that a packed row that starts at position 4 is the same row.
      if (family === "GPT-2") assert.ok(differenceOf(misplaced, separate) > 0.1, "wrong positions show");
      else assert.ok(differenceOf(misplaced, separate) < 2e-4);
      decoder.dispose();
    });

    it(`${family}: padding on the right changes nothing, padding on the left does`, () => {
      const decoder = largeDecoder(config);
      const separate = sumOf(ROWS.map((row) => run(decoder, { ids: matrix([row]) }, [...row.keys()])));
      const right = matrix(ROWS.map((row) => [...row, ...new Array<number>(6 - row.length).fill(11)]));
      const places = ROWS.flatMap((row, index) => row.map((_, column) => index * 6 + column));
      assert.ok(differenceOf(run(decoder, { ids: right }, places), separate) < 2e-4);
      const left = matrix(ROWS.map((row) => [...new Array<number>(6 - row.length).fill(11), ...row]));
      const shifted = ROWS.flatMap((row, index) =>
        row.map((_, column) => index * 6 + 6 - row.length + column),
      );
      assert.ok(differenceOf(run(decoder, { ids: left }, shifted), separate) > 0.1);
      decoder.dispose();
    });
  }
});

describe("decoder", () => {
  it("does not see what comes later", () => {
    const decoder = largeDecoder(GPT2);
    const hidden = hiddenAlone(decoder, [1, 2, 3, 4]);
    const changed = hiddenAlone(decoder, [1, 2, 3, 9]);
    assert.deepEqual(changed.slice(0, 3), hidden.slice(0, 3));
    assert.notDeepEqual(changed[3], hidden[3]);
    decoder.dispose();
  });

  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: chosen rows are those of all hidden states, and so are the gradients`, () => {
      const decoder = largeDecoder(config);
      const input = {
        ids: matrix([
          [1, 2, 3, 4, 5],
          [6, 7, 8, 9, 10],
        ]),
      };
      const chosen = tf.tensor1d([7, 1, 4], "int32");
      const { width } = config;
      const gradients = (hidden: () => TensorFlow.Tensor2D): ArrayLike<number>[] => {
        const { grads } = tf.variableGrads(() =>
          softmaxCrossEntropySum(decoder.logits(hidden()), tf.tensor1d([1, 2, 3], "int32")),
        );
        return [...decoder.parameters.values()].map(({ name }) => grads[name]?.dataSync() ?? []);
      };
      const all = (): TensorFlow.Tensor2D =>
        embeddingLookup(tf.reshape(decoder.hiddenStates(input), [10, width]), chosen) as TensorFlow.Tensor2D;
      assertClose(decoder.hiddenRows(input, chosen).dataSync(), all().dataSync(), 1e-5);
      const expected = gradients(all);
      gradients(() => decoder.hiddenRows(input, chosen)).forEach((gradient, index) =>
        assertClose(gradient, expected[index] ?? [], 1e-4),
      );
      decoder.dispose();
    });
  }

  it("starts with the bits of its seed, and each parameter on its own", () => {
    const values = (decoder: Decoder, name: string): Float32Array =>
      decoder.weight(name).dataSync<"float32">().slice();
    const [a, b, other, deeper] = [
      Decoder.create(GPT2, 1),
      Decoder.create(GPT2, 1),
      Decoder.create(GPT2, 2),
      Decoder.create({ ...GPT2, vocabularySize: 20 }, 1),
    ];
    const name = "layers.0.feedForward.up.weight";
    for (const each of a.parameters.keys()) assert.deepEqual(values(a, each), values(b, each));
    assert.notDeepEqual(values(a, name), values(other, name));
    assert.deepEqual(values(a, name), values(deeper, name));
    for (const decoder of [a, b, other, deeper]) decoder.dispose();
  });

  it("starts as GPT-2, wider the narrower it is: the deviation of the branches smaller with the depth", () => {
    const decoder = Decoder.create({ ...GPT2, width: 64, feedForwardWidth: 256, layers: 8 }, 1);
    const deviation = (name: string): number =>
      Math.sqrt(tf.tidy(() => tf.moments(decoder.weight(name)).variance.dataSync()[0] ?? NaN));
    assertClose([deviation("layers.3.attention.queryKeyValue.weight")], [0.02 * Math.sqrt(12)], 2e-3);
    assertClose([deviation("layers.3.feedForward.down.weight")], [(0.02 * Math.sqrt(12)) / 4], 6e-4);
    assert.equal(deviation("layers.3.feedForward.down.bias"), 0);
    decoder.dispose();
  });

  it("counts its parameters: the 5.9 million of the benchmark", () => {
    const { contextLength, ...rest } = GPT2;
    assert.equal(contextLength, 16);
    const large = { vocabularySize: 4096, width: 256, layers: 6, heads: 8, feedForwardWidth: 1024 };
    const decoder = Decoder.create({ ...rest, ...large, contextLength: 256 }, 1);
    // 4096 x 256 + 256 x 256, 6 x (12 x 256^2 + 13 x 256), 2 x 256
    assert.equal(decoder.parameterCount, 5_853_184);
    decoder.dispose();
  });

  it("leaves no tensor behind, with and without a gradient", () => {
    const start = tf.memory().numTensors;
    const warm = (): void => {
      const decoder = largeDecoder(GPT2);
      const ids = matrix(PACKED_IDS);
      const input = { ids, segments: matrix(SEGMENTS), positions: matrix(POSITIONS) };
      decoder.hiddenStates(input).dispose();
      const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(decoder.hiddenStates(input))));
      value.dispose();
      tf.dispose(grads);
      tf.dispose({ ...input });
      decoder.dispose();
    };
    warm();
    const before = tf.memory().numTensors;
    assert.ok(before >= start);
    warm();
    assert.equal(tf.memory().numTensors, before);
  });

  it("refuses a row that is longer than its context", () => {
    const decoder = Decoder.create(GPT2, 1);
    const row = new Array<number>(17).fill(1);
    assert.throws(
      () => hiddenAlone(decoder, row),
      (error) => error instanceof KitError && /17 tokens.*16 tokens/.test(error.message),
    );
    decoder.dispose();
  });
});
