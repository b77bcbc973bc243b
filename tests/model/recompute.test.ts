import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Tape } from "../../src/engine/ops/tape.js";
import { swigluOperation } from "../../src/engine/ops/silu.js";
import { residualOperation } from "../../src/engine/ops/residual.js";
import { startEngine, type BackendName } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder, type DecoderInput } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import { TINY_GPT2 } from "../train/stand-in.js";

const GPT2: DecoderConfig = { ...TINY_GPT2, layers: 3 };
const LLAMA: DecoderConfig = {
  ...GPT2,
  positions: { kind: "rotary", base: 10_000 },
  norm: { kind: "rms", epsilon: 1e-6 },
  activation: "swiglu",
  biases: false,
  tiedHead: false,
};
const PALM: DecoderConfig = { ...LLAMA, block: "parallel", keyValueHeads: 1 };

before(async () => {
  await startEngine();
});

interface Run {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Bytes that are held between the forward and the backward pass. */
  readonly bytes: number;
}

/** Loss and gradients of made-up packed rows; rows of hidden states are chosen in the last block, as in training. */
function run(decoder: Decoder, recomputeBlocks: boolean, time = 12, dropout = false): Run {
  tf.engine().startScope();
  try {
    const start = tf.memory().numBytes;
    let bytes = 0;
    const { value, grads } = tf.variableGrads(() => {
      // Made in here, they are gone when the backward pass begins, as in a training step.
      const values = (of: (place: number) => number): TensorFlow.Tensor2D =>
        tf.tensor2d(
          Int32Array.from({ length: 2 * time }, (_, place) => of(place)),
          [2, time],
          "int32",
        );
      const input: DecoderInput = {
        ids: values((place) => (place * 7 + 3) % 16),
        positions: values((place) => place % (time / 2)),
        segments: values((place) => 1 + (Math.floor(place / (time / 2)) % 2)),
        ...(dropout ? { dropoutSeed: tf.tensor1d([3, 4], "int32") } : {}),
        recomputeBlocks,
      };
      const rows = tf.tensor1d([1, 4, 5, 13, 17], "int32");
      const hidden = decoder.hiddenRows(input, rows);
      bytes = tf.memory().numBytes - start;
      return tf.sum<TensorFlow.Scalar>(tf.square(tf.sub(decoder.logits(hidden), 0.3)));
    }, [...decoder.parameters.values()]);
    const gradients = [...decoder.parameters].map(([name, variable]): [string, Float32Array] => [
      name,
      Float32Array.from(grads[variable.name]?.dataSync() ?? []),
    ]);
    return { loss: value.dataSync()[0] ?? NaN, gradients: new Map(gradients), bytes };
  } finally {
    tf.engine().endScope();
  }
}

function assertSame(one: Run, other: Run): void {
  assert.equal(one.loss, other.loss);
  assert.deepEqual([...one.gradients.keys()], [...other.gradients.keys()]);
  for (const [name, values] of one.gradients) {
    assert.ok(values.length > 0, name);
    assert.deepEqual(values, other.gradients.get(name), name);
  }
}

for (const backend of ["tensorflow", "wasm"] as const satisfies readonly BackendName[]) {
  for (const [name, config] of Object.entries({ GPT2, LLAMA, PALM })) {
    test(`${backend}, ${name}: recomputed blocks give the same gradients, bit for bit, and leave nothing behind`, async () => {
      await startEngine({ backend });
      const decoder = Decoder.create(config, 1);
      assertSame(run(decoder, true), run(decoder, false));
      const before = tf.memory().numTensors;
      run(decoder, true);
      assert.equal(tf.memory().numTensors, before);
      // The control: another weight in a block is another gradient.
      const [first] = [...decoder.parameters].filter(([parameter]) => parameter.includes("layers.1")) as [
        [string, TensorFlow.Variable],
      ];
      const kept = run(decoder, false);
      tf.tidy(() => first[1].assign(tf.mul(first[1], 1.1)));
      assert.notDeepEqual(run(decoder, true).gradients, kept.gradients);
      decoder.dispose();
    });
  }
}

test("an adapter with dropout draws the same numbers again", async () => {
  await startEngine();
  const base = Decoder.create(LLAMA, 1);
  const adapter = LoraAdapter.create(LLAMA, {
    rank: 2,
    alpha: 4,
    dropout: 0.5,
    targets: ["attention.query", "feedForward.down"],
    seed: 5,
  });
  const decoder = base.withAdapter(adapter);
  for (const variable of adapter.parameters.values()) {
    tf.tidy(() => variable.assign(tf.add(variable, 0.1))); // The second matrices start at 0.
  }
  assertSame(run(decoder, true, 12, true), run(decoder, false, 12, true));
  decoder.dispose();
  base.dispose();
});

test("what is held for the backward pass no longer grows by all of a block with each layer", (context) => {
  const bytesOf = (layers: number, recomputeBlocks: boolean): number => {
    const decoder = Decoder.create(
      { ...GPT2, width: 32, feedForwardWidth: 128, contextLength: 64, layers },
      1,
    );
    run(decoder, recomputeBlocks, 64);
    const { bytes } = run(decoder, recomputeBlocks, 64);
    decoder.dispose();
    return bytes;
  };
  const perLayer = (recomputeBlocks: boolean): number =>
    (bytesOf(7, recomputeBlocks) - bytesOf(3, recomputeBlocks)) / 4;
  const [kept, recomputed] = [perLayer(false), perLayer(true)];
  context.diagnostic(`bytes a layer: ${kept} kept, ${recomputed} recomputed`);
  assert.ok(recomputed < kept / 8, `${recomputed} of ${kept}`);
  assert.equal(recomputed, 2 * 64 * 32 * 4, "the input of the block alone");
});

test("what several parts read has the sum of their gradients, and what depends on no parameter has none", () => {
  const [x, y] = [tf.variable(tf.tensor2d([[1, 2]])), tf.variable(tf.tensor2d([[3, 5]]))];
  const fixed = tf.tensor2d([[7, 11]]);
  /** Each part reads its stream, a shared result of `y`, and what is fixed. */
  const gradients = (again: boolean, parts = 3): number[][] => {
    const { grads } = tf.variableGrads(
      () =>
        tf.sum<TensorFlow.Scalar>(
          Tape.run([x, y], (tape) => {
            const shared = tape.apply(residualOperation, [y, y], undefined);
            let stream: TensorFlow.Tensor = x;
            for (let part = 0; part < parts; part++) {
              const inputs = [stream, shared, fixed] as const;
              const body = ([own, other, third]: typeof inputs): TensorFlow.Tensor => {
                const gated = tape.apply(swigluOperation, [own, other], undefined);
                return tape.apply(residualOperation, [gated, third], undefined);
              };
              stream = again ? tape.recompute(inputs, body) : body(inputs);
            }
            return stream;
          }),
        ),
      [x, y],
    );
    return [x, y].map((variable) => [...(grads[variable.name]?.dataSync() ?? [])]);
  };
  const kept = gradients(false);
  assert.deepEqual(gradients(true), kept);
  // The control: another number of parts that share it.
  assert.notDeepEqual(gradients(true, 2)[1], kept[1]);
  tf.dispose([x, y, fixed]);
});

test("a part that reads what is not its input is a defect, not a wrong gradient", () => {
  const x = tf.variable(tf.ones([2, 2]));
  assert.throws(
    () =>
      tf.variableGrads(() =>
        tf.sum(
          Tape.run([x], (tape) => {
            const doubled = tape.apply(residualOperation, [x, x], undefined);
            return tape.recompute([x], ([input]) =>
              tape.apply(residualOperation, [input, doubled], undefined),
            );
          }),
        ),
      ),
    /reads a result that is not its input/,
  );
  x.dispose();
});
