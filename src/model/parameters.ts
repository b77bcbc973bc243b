import { Random } from "../support/random.js";
import { type BiasPlace, type DecoderConfig, hasBias, headShape } from "./config.js";

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
  const { heads, keyValueHeads, headWidth } = headShape(config);
  const joint = (heads + 2 * keyValueHeads) * headWidth;
  const deviation = startDeviation(width);
  const normal = { deviation };
  // Each block adds two branches to the residual stream; scaled so that its variance does not grow with depth.
  const branch = { deviation: deviation / Math.sqrt(2 * config.layers) };
  const specs: ParameterSpec[] = [{ name: "embedding.token", shape: [vocabularySize, width], start: normal }];
  const norm = (name: string): void => {
    specs.push({ name: `${name}.gain`, shape: [width], start: "ones" });
    if (hasBias(config, "norm")) specs.push({ name: `${name}.bias`, shape: [width], start: "zeros" });
  };
  type Shape = readonly [from: number, to: number];
  const matrix = (name: string, place: BiasPlace, [from, to]: Shape, start: ParameterSpec["start"]): void => {
    specs.push({ name: `${name}.weight`, shape: [from, to], start });
    if (hasBias(config, place)) specs.push({ name: `${name}.bias`, shape: [to], start: "zeros" });
  };
  if (config.positions.kind === "learned") {
    specs.push({ name: "embedding.position", shape: [contextLength, width], start: normal });
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const attention = `layers.${layer}.attention`;
    const feedForward = `layers.${layer}.feedForward`;
    const parallel = config.block === "parallel";
    norm(parallel ? `layers.${layer}.norm` : `${attention}.norm`);
    matrix(`${attention}.queryKeyValue`, "queryKeyValue", [width, joint], normal);
    matrix(`${attention}.output`, "attentionOutput", [heads * headWidth, width], branch);
    if (!parallel) norm(`${feedForward}.norm`);
    const inner: Shape = [width, feedForwardWidth];
    if (config.activation === "swiglu") matrix(`${feedForward}.gate`, "feedForward", inner, normal);
    matrix(`${feedForward}.up`, "feedForward", inner, normal);
    matrix(`${feedForward}.down`, "feedForward", [feedForwardWidth, width], branch);
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
