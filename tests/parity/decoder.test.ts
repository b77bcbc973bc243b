import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { softmaxCrossEntropySum } from "../../src/engine/ops/index.js";
import { startEngine, type BackendName } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { type DecoderConfig, parseDecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { parameterSpecs } from "../../src/model/parameters.js";
import { assertClose, largestDifference } from "../engine/numeric.js";

interface Golden {
  readonly config: DecoderConfig;
  readonly ids: number[][];
  readonly targets: number[][];
  readonly positions?: number[][];
  readonly logits: number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, number[]>>;
}

const goldens = JSON.parse(readFileSync(new URL("golden/decoder.json", import.meta.url), "utf8")) as Readonly<
  Record<string, Golden>
>;

/** The weights that make_decoder_goldens.py gives its models. */
function waveDecoder(config: DecoderConfig): Decoder {
  const sorted = parameterSpecs(config)
    .map(({ name }) => name)
    .sort();
  return Decoder.fromValues(config, ({ name, shape }) => {
    const offset = name.endsWith(".gain") ? 1 : 0;
    const phase = sorted.indexOf(name);
    const length = shape.reduce((product, size) => product * size, 1);
    return Float32Array.from({ length }, (_, k) => offset + 0.4 * Math.sin(2.399963 * k + phase));
  });
}

interface Result {
  readonly logits: ArrayLike<number>;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, ArrayLike<number>>;
}

function run(decoder: Decoder, { ids, targets, positions }: Golden): Result {
  tf.engine().startScope();
  try {
    const places = positions === undefined ? {} : { positions: tf.tensor2d(positions, undefined, "int32") };
    const input = { ids: tf.tensor2d(ids, undefined, "int32"), ...places };
    const logits = (): TensorFlow.Tensor2D =>
      decoder.logits(tf.reshape(decoder.hiddenStates(input), [-1, decoder.config.width]));
    const labels = tf.tensor1d(targets.flat(), "int32");
    const { value, grads } = tf.variableGrads(() =>
      tf.div<TensorFlow.Scalar>(softmaxCrossEntropySum(logits(), labels), labels.size),
    );
    const gradients = [...decoder.parameters].map(([name, variable]) => {
      const gradient = grads[variable.name];
      return [name, gradient?.dataSync() ?? []] as const;
    });
    return { logits: logits().dataSync(), loss: value.dataSync()[0] ?? NaN, gradients: new Map(gradients) };
  } finally {
    tf.engine().endScope();
  }
}

describe("decoder against transformers of Hugging Face", () => {
  const backends: readonly BackendName[] = ["tensorflow", "wasm"];
  for (const backend of backends) {
    for (const [name, golden] of Object.entries(goldens)) {
      it(`${name}, on ${backend}`, async () => {
        await startEngine({ backend });
        const decoder = waveDecoder(parseDecoderConfig(golden.config));
        const { logits, loss, gradients } = run(decoder, golden);
        assertClose(logits, golden.logits, 1e-4);
        assertClose([loss], [golden.loss], 1e-5);
        assert.deepEqual([...gradients.keys()].sort(), Object.keys(golden.gradients).sort());
        for (const [parameter, gradient] of gradients) {
          assertClose(gradient, golden.gradients[parameter] ?? [], 1e-4);
        }
        decoder.dispose();
      });
    }
  }

  it("would see another base of the rotary positions, and another epsilon of the norm", async () => {
    await startEngine();
    const golden = goldens["Llama, untied head, 61 tokens"];
    assert.ok(golden);
    for (const change of [
      { positions: { kind: "rotary", base: 10 } },
      { norm: { kind: "rms", epsilon: 1e-2 } },
    ] as const) {
      const decoder = waveDecoder({ ...golden.config, ...change });
      assert.ok(largestDifference(run(decoder, golden).logits, golden.logits).worst > 1e-3);
      decoder.dispose();
    }
  });
});
