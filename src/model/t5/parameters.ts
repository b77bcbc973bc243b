import type { ParameterSpec } from "../parameters.js";
import type { T5Config } from "./config.js";

/** The two stacks of blocks. */
export type Stack = "encoder" | "decoder";

/**
 * All parameters, in the order of the forward pass. Matrices are `[in, out]`, embeddings `[rows, width]`, the table of
 * relative positions `[buckets, heads]`. They start as Mesh TensorFlow and `transformers` start them: attention does not
 * divide its scores, so the queries start as much smaller.
 */
export function t5ParameterSpecs(config: T5Config): ParameterSpec[] {
  const { width, heads, headWidth, feedForwardWidth, vocabularySize, positionBuckets } = config;
  const inner = heads * headWidth;
  const normal = (deviation: number): ParameterSpec["start"] => ({ deviation });
  const specs: ParameterSpec[] = [
    { name: "embedding.token", shape: [vocabularySize, width], start: normal(embeddingDeviation(config)) },
  ];
  const norm = (name: string): void => {
    specs.push({ name: `${name}.gain`, shape: [width], start: "ones" });
  };
  const matrix = (name: string, shape: readonly [from: number, to: number], deviation: number): void => {
    specs.push({ name: `${name}.weight`, shape, start: normal(deviation) });
  };
  const attention = (name: string): void => {
    norm(`${name}.norm`);
    matrix(`${name}.query`, [width, inner], (width * headWidth) ** -0.5);
    matrix(`${name}.key`, [width, inner], width ** -0.5);
    matrix(`${name}.value`, [width, inner], width ** -0.5);
    matrix(`${name}.output`, [inner, width], inner ** -0.5);
  };
  const stack = (name: Stack, layers: number): void => {
    specs.push({
      name: `${name}.positions`,
      shape: [positionBuckets, heads],
      start: normal(width ** -0.5),
    });
    for (let layer = 0; layer < layers; layer++) {
      const block = `${name}.layers.${layer}`;
      attention(`${block}.attention`);
      if (name === "decoder") attention(`${block}.crossAttention`);
      norm(`${block}.feedForward.norm`);
      if (config.activation === "geglu") {
        matrix(`${block}.feedForward.gate`, [width, feedForwardWidth], width ** -0.5);
      }
      matrix(`${block}.feedForward.up`, [width, feedForwardWidth], width ** -0.5);
      matrix(`${block}.feedForward.down`, [feedForwardWidth, width], feedForwardWidth ** -0.5);
    }
    norm(`${name}.norm`);
  };
  stack("encoder", config.encoderLayers);
  stack("decoder", config.decoderLayers);
  if (!config.tiedHead) {
    specs.push({ name: "head.weight", shape: [vocabularySize, width], start: normal(width ** -0.5) });
  }
  return specs;
}

/**
 * 1, so that what a block reads is of the size that its norm gives; where the head is the embedding and reads what the
 * last norm gives as it is, logits of that size would start the loss far above that of a guess.
 */
function embeddingDeviation({ tiedHead, scaledHead, width }: T5Config): number {
  return tiedHead && !scaledHead ? width ** -0.5 : 1;
}
