import { Random } from "../support/random.js";
import type { DecoderConfig } from "./config.js";

/** A parameter of a decoder: its stable name, its shape, and how it starts. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: "zeros" | "ones" | { readonly deviation: number };
}

/**
 * Standard deviation of the start: GPT-2's 0.02 at its width of 768, and larger the narrower the model, as the variance of
 * a sum over `width` inputs asks for. With a plain 0.02 a decoder of width 64 had learned next to nothing (exact match
 * 0.06) in the budget in which this start reaches 0.75 on the string-rewrite suite.
 */
function startDeviation(width: number): number {
  return 0.02 * Math.sqrt(768 / width);
}

/** All parameters, in the order of the forward pass. Matrices are `[in, out]`, embeddings `[rows, width]`. */
export function parameterSpecs(config: DecoderConfig): ParameterSpec[] {
  const { width, feedForwardWidth, vocabularySize, contextLength } = config;
  const deviation = startDeviation(width);
  const normal = { deviation };
  // Each block adds two branches to the residual stream; scaled so that its variance does not grow with depth.
  const branch = { deviation: deviation / Math.sqrt(2 * config.layers) };
  const specs: ParameterSpec[] = [{ name: "embedding.token", shape: [vocabularySize, width], start: normal }];
  const norm = (name: string): void => {
    specs.push({ name: `${name}.gain`, shape: [width], start: "ones" });
    if (config.norm.kind === "layer" && config.biases) {
      specs.push({ name: `${name}.bias`, shape: [width], start: "zeros" });
    }
  };
  const matrix = (name: string, from: number, to: number, start: ParameterSpec["start"]): void => {
    specs.push({ name: `${name}.weight`, shape: [from, to], start });
    if (config.biases) specs.push({ name: `${name}.bias`, shape: [to], start: "zeros" });
  };
  if (config.positions.kind === "learned") {
    specs.push({ name: "embedding.position", shape: [contextLength, width], start: normal });
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `layers.${layer}`;
    norm(`${block}.attention.norm`);
    matrix(`${block}.attention.queryKeyValue`, width, 3 * width, normal);
    matrix(`${block}.attention.output`, width, width, branch);
    norm(`${block}.feedForward.norm`);
    if (config.activation === "swiglu") matrix(`${block}.feedForward.gate`, width, feedForwardWidth, normal);
    matrix(`${block}.feedForward.up`, width, feedForwardWidth, normal);
    matrix(`${block}.feedForward.down`, feedForwardWidth, width, branch);
  }
  norm("norm");
  if (!config.tiedHead) specs.push({ name: "head.weight", shape: [vocabularySize, width], start: normal });
  return specs;
}

/** The start values of a parameter: its own random stream, so that they do not depend on the other parameters. */
export function startValues({ name, shape, start }: ParameterSpec, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (start === "ones") return values.fill(1);
  if (start === "zeros") return values;
  const random = Random.derive(seed, name);
  for (let index = 0; index < values.length; index++) values[index] = start.deviation * random.normal();
  return values;
}
