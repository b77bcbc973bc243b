import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { normals } from "../engine/numeric.js";

/** GPT-2 in small. */
export const GPT2: DecoderConfig = {
  vocabularySize: 13,
  width: 8,
  layers: 2,
  heads: 2,
  feedForwardWidth: 20,
  contextLength: 16,
  positions: { kind: "learned" },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: true,
  tiedHead: true,
};

/** Llama in small. */
export const LLAMA: DecoderConfig = {
  ...GPT2,
  positions: { kind: "rotary", base: 10_000 },
  norm: { kind: "rms", epsilon: 1e-6 },
  activation: "swiglu",
  biases: false,
  tiedHead: false,
};

/** Qwen2 in small: two query heads to a key head, wider heads than the width gives, biases of some layers only. */
export const QWEN2: DecoderConfig = {
  ...LLAMA,
  heads: 4,
  keyValueHeads: 2,
  headWidth: 4,
  biases: ["queryKeyValue"],
  tiedHead: true,
};

/** PaLM in small: attention beside the feed-forward layer, one key head, norms without bias. */
export const PALM: DecoderConfig = {
  ...LLAMA,
  keyValueHeads: 1,
  block: "parallel",
  norm: { kind: "layer", epsilon: 1e-5 },
  tiedHead: true,
};

/** T5 1.0 in small. */
export const T5_SMALL: T5Config = {
  vocabularySize: 13,
  width: 8,
  encoderLayers: 1,
  decoderLayers: 1,
  heads: 2,
  headWidth: 4,
  feedForwardWidth: 12,
  activation: "relu",
  positionBuckets: 8,
  farthestPosition: 16,
  epsilon: 1e-6,
  tiedHead: true,
  scaledHead: true,
  contextLength: 64,
  dropout: 0,
  decoderStart: 0,
};

/** The families. */
export const FAMILIES = { "GPT-2": GPT2, Llama: LLAMA, Qwen2: QWEN2, PaLM: PALM } as const;

/** A decoder with large weights, so that a leak between positions shows far above the rounding. */
export function largeDecoder(config: DecoderConfig): Decoder {
  let seed = 0;
  return Decoder.fromValues(config, ({ name, shape }) => {
    const values = tf.tidy(() => normals(shape, ++seed, 0.5).dataSync<"float32">());
    return name.endsWith(".gain") ? values.map((value) => value + 1) : values.slice();
  });
}

/** int32 `[rows, columns]` */
export function matrix(rows: readonly (readonly number[])[]): TensorFlow.Tensor2D {
  return tf.tensor2d(
    rows.map((row) => [...row]),
    undefined,
    "int32",
  );
}

/** Hidden states of one row alone, one list for each position. */
export function hiddenAlone(decoder: Decoder, ids: readonly number[]): number[][] {
  return tf.tidy(() =>
    tf.squeeze<TensorFlow.Tensor2D>(decoder.hiddenStates({ ids: matrix([ids]) }), [0]).arraySync(),
  );
}

/** A decoder of the Llama family for which one token is always the most probable. */
export function decoderSaying(
  id: number,
  shape: Pick<DecoderConfig, "vocabularySize" | "contextLength">,
): Decoder {
  const config = { ...LLAMA, ...shape };
  return Decoder.fromValues(config, ({ name, shape: sizes }) => {
    const values = new Float32Array(sizes.reduce((product, size) => product * size, 1));
    if (name === "embedding.token" || name === "norm.gain") values.fill(1);
    if (name === "head.weight") values.fill(1, id * config.width, (id + 1) * config.width);
    return values;
  });
}
