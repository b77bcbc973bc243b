import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  causalAttention,
  causalMask,
  embeddingLookup,
  gelu,
  layerNorm,
  linear,
  rmsNorm,
  segmentMask,
  silu,
  softmaxCrossEntropySum,
  swiglu,
} from "../../src/engine/ops/index.js";
import { selfAttentionOperation } from "../../src/engine/ops/attention.js";
import { runDifferentiable } from "../../src/engine/ops/operation.js";
import { positionsOperation } from "../../src/engine/ops/positions.js";
import { rotaryAngles } from "../../src/engine/ops/rotary.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import {
  assertClose,
  BACKENDS,
  finiteDifferenceError,
  gradientsOf,
  integers,
  normals,
  on,
} from "./numeric.js";

type Tensor = TensorFlow.Tensor;

/** An op of up to three tensors. */
type Run = (a: Tensor, b: Tensor, c: Tensor) => Tensor;

interface OpCase {
  /** The op, native or portable after the backend in use. */
  readonly run: Run;
  /** The same by plain differentiable functions of TF.js. */
  readonly reference: Run;
  readonly inputs: () => Tensor[];
}

const targets = (): TensorFlow.Tensor1D => integers([5], 7, 3) as TensorFlow.Tensor1D;
const weights = (): TensorFlow.Tensor1D => tf.tensor1d([1, 0, 2, 0.5, 1]);
const ids = (): Tensor => tf.tensor2d([2, 0, 2, 4, 2, 1], [2, 3], "int32");
const segments = (): TensorFlow.Tensor2D => tf.tensor2d([1, 1, 2, 2, 2, 1, 2, 2, 3, 0], [2, 5], "int32");
const GELU = Math.sqrt(2 / Math.PI);

function apply(run: Run): (inputs: readonly Tensor[]) => Tensor {
  return (inputs) => run(...(inputs as [Tensor, Tensor, Tensor]));
}

function normalize(x: Tensor, centred: boolean): Tensor {
  const shifted = centred ? x.sub(x.mean(-1, true)) : x;
  return shifted.div(shifted.square().mean(-1, true).add(1e-3).sqrt());
}

function plainAttention(parts: readonly Tensor[], bias: Tensor): Tensor {
  const [query, key, value] = parts as [Tensor, Tensor, Tensor];
  const scores = tf.matMul(query, key, false, true).mul(1 / Math.sqrt(4));
  return tf.matMul(tf.softmax(scores.add(bias)), value);
}

/** Queries, keys and values side by side, turned by the textbook formula for halves. */
function plainSelfAttention(joint: Tensor, bias: Tensor, places: Tensor | undefined): Tensor {
  const parts = tf.split(joint, 3, 1).map((part) => part.reshape([2, 5, 2, 4]).transpose([0, 2, 1, 3]));
  const turned = parts.map((part, index) => {
    if (index === 2 || places === undefined) return part;
    const angles = places
      .toFloat()
      .reshape([2, 1, 5, 1])
      .mul(tf.tensor1d([1, 0.1]));
    const [first, second] = tf.split(part, 2, 3) as [Tensor, Tensor];
    return tf.concat(
      [
        first.mul(angles.cos()).sub(second.mul(angles.sin())),
        second.mul(angles.cos()).add(first.mul(angles.sin())),
      ],
      3,
    );
  });
  return plainAttention(turned, bias).transpose([0, 2, 1, 3]).reshape([10, 8]);
}

const places = (): TensorFlow.Tensor2D => tf.tensor2d([0, 1, 0, 1, 2, 0, 0, 1, 0, 0], [2, 5], "int32");
const selfAttention = (
  mask: () => ReturnType<typeof causalMask>,
  rotary: boolean,
  keyValueHeads = 2,
  querySlices = 1,
): OpCase => ({
  run: (joint) =>
    runDifferentiable(selfAttentionOperation, [joint], {
      querySlices,
      mask: mask(),
      batch: 2,
      time: 5,
      heads: 2,
      keyValueHeads,
      rotary: rotary
        ? rotaryAngles(places(), { contextLength: 8, headWidth: 4, heads: 2, keyValueHeads, base: 100 })
        : undefined,
    }),
  reference: (joint) =>
    plainSelfAttention(
      keyValueHeads === 2 ? joint : repeated(joint),
      mask().bias,
      rotary ? places() : undefined,
    ),
  inputs: () => [normals([10, 4 * (2 + 2 * keyValueHeads)], 1)],
});

/** Two query heads, one key head, one value head -> two of each. */
function repeated(joint: Tensor): Tensor {
  const [query, key, value] = tf.split(joint, [8, 4, 4], 1) as [Tensor, Tensor, Tensor];
  return tf.concat([query, key, key, value, value], 1);
}

const cases: Record<string, OpCase> = {
  softmaxCrossEntropySum: {
    run: (x) => softmaxCrossEntropySum(x as TensorFlow.Tensor2D, targets()),
    reference: (x) => tf.logSoftmax(x).mul(tf.oneHot(targets(), 7)).sum().neg(),
    inputs: () => [normals([5, 7], 1)],
  },
  "softmaxCrossEntropySum with weights": {
    run: (x) => softmaxCrossEntropySum(x as TensorFlow.Tensor2D, targets(), weights()),
    reference: (x) => tf.logSoftmax(x).mul(tf.oneHot(targets(), 7)).sum(1).mul(weights()).sum().neg(),
    inputs: () => [normals([5, 7], 1)],
  },
  layerNorm: {
    run: (x, gain, bias) =>
      layerNorm(x as TensorFlow.Tensor2D, gain as TensorFlow.Tensor1D, bias as TensorFlow.Tensor1D, 1e-3),
    reference: (x, gain, bias) => normalize(x, true).mul(gain).add(bias),
    inputs: () => [normals([4, 6], 1), normals([6], 2), normals([6], 3)],
  },
  "layerNorm without bias": {
    run: (x, gain) => layerNorm(x as TensorFlow.Tensor2D, gain as TensorFlow.Tensor1D, undefined, 1e-3),
    reference: (x, gain) => normalize(x, true).mul(gain),
    inputs: () => [normals([4, 6], 1), normals([6], 2)],
  },
  rmsNorm: {
    run: (x, gain) => rmsNorm(x as TensorFlow.Tensor2D, gain as TensorFlow.Tensor1D, 1e-3),
    reference: (x, gain) => normalize(x, false).mul(gain),
    inputs: () => [normals([4, 6], 1), normals([6], 2)],
  },
  gelu: {
    run: (x) => gelu(x),
    reference: (x) => {
      const u = tf.mul(GELU, tf.add(x, tf.mul(0.044715, tf.pow(x, tf.scalar(3, "int32")))));
      return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(u)));
    },
    inputs: () => [normals([3, 8], 1, 2)],
  },
  silu: {
    run: (x) => silu(x),
    reference: (x) => tf.mul(x, tf.sigmoid(x)),
    inputs: () => [normals([3, 8], 1, 2)],
  },
  swiglu: {
    run: (gate, value) => swiglu(gate, value),
    reference: (gate, value) => tf.mul(gate, tf.sigmoid(gate)).mul(value),
    inputs: () => [normals([3, 8], 1, 2), normals([3, 8], 2)],
  },
  linear: {
    run: (x, weight, bias) =>
      linear(x as TensorFlow.Tensor2D, weight as TensorFlow.Tensor2D, bias as TensorFlow.Tensor1D),
    reference: (x, weight, bias) => tf.matMul(x, weight).add(bias),
    inputs: () => [normals([4, 3], 1), normals([3, 5], 2), normals([5], 3)],
  },
  "linear with the weight of an embedding": {
    run: (x, weight) => linear(x as TensorFlow.Tensor2D, weight as TensorFlow.Tensor2D, undefined, true),
    reference: (x, weight) => tf.matMul(x, weight, false, true),
    inputs: () => [normals([4, 3], 1), normals([5, 3], 2)],
  },
  embeddingLookup: {
    run: (table) => embeddingLookup(table as TensorFlow.Tensor2D, ids()),
    reference: (table) => tf.matMul(tf.oneHot(ids().flatten(), 5).toFloat(), table).reshape([2, 3, 4]),
    inputs: () => [normals([5, 4], 1)],
  },
  "learned positions from 0": {
    run: (x, table) =>
      runDifferentiable(positionsOperation, [x, table], {
        batch: 2,
        time: 5,
        positions: undefined,
        contextLength: 8,
      }),
    reference: (x, table) => tf.add(x, tf.tile(tf.slice(table, [0, 0], [5, 3]), [2, 1])),
    inputs: () => [normals([10, 3], 1), normals([8, 3], 2)],
  },
  "learned positions as given": {
    run: (x, table) =>
      runDifferentiable(positionsOperation, [x, table], {
        batch: 2,
        time: 5,
        positions: places(),
        contextLength: 8,
      }),
    reference: (x, table) => tf.add(x, tf.matMul(tf.oneHot(places().flatten(), 8).toFloat(), table)),
    inputs: () => [normals([10, 3], 1), normals([8, 3], 2)],
  },
  causalAttention: {
    run: (query, key, value) =>
      causalAttention(
        query as TensorFlow.Tensor4D,
        key as TensorFlow.Tensor4D,
        value as TensorFlow.Tensor4D,
        causalMask(5),
      ),
    reference: (...inputs) => plainAttention(inputs, causalMask(5).bias),
    inputs: () => [1, 2, 3].map((seed) => normals([2, 2, 5, 4], seed)),
  },
  "causalAttention of packed rows": {
    run: (query, key, value) =>
      causalAttention(
        query as TensorFlow.Tensor4D,
        key as TensorFlow.Tensor4D,
        value as TensorFlow.Tensor4D,
        segmentMask(segments()),
      ),
    reference: (...inputs) => plainAttention(inputs, segmentMask(segments()).bias),
    inputs: () => [1, 2, 3].map((seed) => normals([2, 2, 5, 4], seed)),
  },
  selfAttention: selfAttention(() => causalMask(5), false),
  "selfAttention with rotary positions": selfAttention(() => causalMask(5), true),
  "selfAttention of packed rows with rotary positions": selfAttention(() => segmentMask(segments()), true),
  "selfAttention with one key head": selfAttention(() => causalMask(5), false, 1),
  "selfAttention of packed rows with rotary positions and one key head": selfAttention(
    () => segmentMask(segments()),
    true,
    1,
  ),
  "selfAttention in slices of queries": selfAttention(() => causalMask(5), false, 2, 5),
  "selfAttention of packed rows in slices, with rotary positions and one key head": selfAttention(
    () => segmentMask(segments()),
    true,
    1,
    5,
  ),
};

describe("ops: gradient against finite differences, value and gradient against plain TF.js", () => {
  for (const [name, { run, reference, inputs }] of Object.entries(cases)) {
    for (const backend of BACKENDS) {
      it(`${name} on ${backend}`, async () => {
        // What plain TF.js gives, on its own backend: an independent formula and an independent gradient.
        const expected = await on("cpu", () => ({
          value: apply(reference)(inputs()).dataSync().slice(),
          gradients: gradientsOf(apply(reference), inputs()),
        }));
        await on(backend, () => {
          const arguments_ = inputs();
          assertClose(apply(run)(arguments_).dataSync(), expected.value, 2e-5);
          const gradients = gradientsOf(apply(run), arguments_);
          gradients.forEach((gradient, index) =>
            assertClose(gradient, expected.gradients[index] ?? [], 5e-5),
          );
          // Each difference costs a run: once on the native path, once on the portable one.
          if (backend === "wasm") return;
          assert.ok(finiteDifferenceError(apply(run), arguments_, gradients) < 2e-3);
          const wrong = gradients.map((gradient) =>
            gradient.map((value, k) => (k === 0 ? value + 0.05 : value)),
          );
          assert.ok(
            finiteDifferenceError(apply(run), arguments_, wrong) > 4e-3,
            "the check sees a wrong gradient",
          );
        });
      });
    }
  }
});

describe("ops: where float32 is hard", () => {
  for (const backend of BACKENDS) {
    it(`a loss beyond 87 nats stays exact on ${backend}`, async () => {
      await on(backend, () => {
        const logits = tf.tensor2d([200, 0, -50], [1, 3]);
        const loss = softmaxCrossEntropySum(logits, tf.tensor1d([2], "int32"));
        assertClose(loss.dataSync(), [250], 1e-4);
      });
    });

    it(`hidden positions have no part at all on ${backend}`, async () => {
      await on(backend, () => {
        const value = normals([1, 1, 4, 4], 3);
        const query = normals([1, 1, 4, 4], 1) as TensorFlow.Tensor4D;
        const key = normals([1, 1, 4, 4], 2) as TensorFlow.Tensor4D;
        const run = (values: Tensor): ArrayLike<number> =>
          causalAttention(query, key, values as TensorFlow.Tensor4D, causalMask(4))
            .dataSync()
            .slice(0, 12);
        const changed = tf.add(
          value,
          tf.tensor4d(
            Array.from({ length: 16 }, (_, k) => (k < 12 ? 0 : 1e6)),
            [1, 1, 4, 4],
          ),
        );
        assert.deepEqual(run(changed), run(value));
      });
    });
  }
});

describe("ops: memory", () => {
  for (const backend of BACKENDS) {
    it(`a gradient leaves no tensor behind on ${backend}`, async () => {
      await on(backend, () => {
        for (const [name, { run, inputs }] of Object.entries(cases)) {
          const step = (): void => {
            tf.tidy(() => {
              gradientsOf(apply(run), inputs());
            });
          };
          step();
          const before = tf.memory().numTensors;
          step();
          assert.equal(tf.memory().numTensors, before, name);
        }
      });
    });
  }
});
