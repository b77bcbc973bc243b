import { type BertConfig } from "../../model/bert/config.js";
import { bertParameterSpecs } from "../../model/bert/parameters.js";
import { type DecoderConfig, headShape } from "../../model/config.js";
import { type AdaptableConfig, chooseTargets, isBertConfig, isT5Config } from "../../model/lora/config.js";
import { type ParameterSpec, parameterSpecs } from "../../model/parameters.js";
import type { T5Config } from "../../model/t5/config.js";
import { t5ParameterSpecs } from "../../model/t5/parameters.js";

/** A row of a tuning, in tokens; of an encoder-decoder the encoder reads the prompt and the decoder says the response. */
export interface RowShape {
  readonly prompt: number;
  readonly response: number;
}

/** All weights, or low-rank updates of some layers with these all that is trained. */
export type Tuning =
  | { readonly kind: "full" }
  | { readonly kind: "lora"; readonly rank: number; readonly targets: readonly string[] };

/** What a row takes, in floating-point operations and in numbers that are kept until the backward pass. */
export interface RowWork {
  /** Of a step's forward and backward pass. */
  readonly flops: number;
  /** Numbers (float32) that the backward pass needs of the forward pass. */
  readonly kept: number;
}

/** All parameters of a model of any family. */
export function specsOf(config: AdaptableConfig): readonly ParameterSpec[] {
  if (isT5Config(config)) return t5ParameterSpecs(config);
  return isBertConfig(config) ? bertParameterSpecs(config) : parameterSpecs(config);
}

/** Number of weights; a tied head counts once. */
export function parametersOf(config: AdaptableConfig): number {
  return specsOf(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/**
 * What a row takes. Matrices: 2 operations for each weight and token forward, 2 for the gradient of what came in, 2 for that of the
 * weights where they are trained. Pairs of tokens: 4 for each pair and feature of a head, three times. The head is computed for the
 * tokens of the response alone, as the kit does it; BERT's for the first token. Norms, activations and padding are left out.
 */
export function rowWork(config: AdaptableConfig, row: RowShape, tuning: Tuning): RowWork {
  const adapted = tuning.kind === "lora" ? chooseTargets(config, tuning) : [];
  const rank = tuning.kind === "lora" ? tuning.rank : 0;
  const isFull = tuning.kind === "full";
  let flops = 0;
  for (const { name, weights } of matrices(config)) {
    flops += (isFull ? 6 : 4) * weights * tokensOf(config, name, row);
  }
  for (const { layer, inputs, columns } of adapted) {
    flops += 6 * rank * (inputs + columns[1] - columns[0]) * tokensOf(config, layer, row);
  }
  const pairs = attentions(config, row);
  flops += pairs.reduce((sum, { layers, from, to, width }) => sum + 12 * layers * from * to * width, 0);
  return {
    flops,
    kept: keptNumbers(config, row, (name) => isFull || adapted.some(({ layer }) => layer === name)),
  };
}

interface Matrix {
  readonly name: string;
  readonly weights: number;
}

/** The matrices that tokens are multiplied by; the head also where it is the embedding. */
function matrices(config: AdaptableConfig): Matrix[] {
  const own = specsOf(config).flatMap(({ name, shape }) =>
    shape.length === 2 && name.endsWith(".weight")
      ? [{ name: name.slice(0, -".weight".length), weights: sizeOf(shape) }]
      : [],
  );
  const isTied = isBertConfig(config) ? config.head.kind !== "classification" : config.tiedHead;
  return isTied ? [...own, { name: "head", weights: config.vocabularySize * config.width }] : own;
}

/** Tokens that go through a layer. */
function tokensOf(config: AdaptableConfig, name: string, { prompt, response }: RowShape): number {
  if (isT5Config(config)) {
    const readsEncoder = name.startsWith("encoder.") || /crossAttention\.(key|value)$/.test(name);
    return readsEncoder ? prompt : response;
  }
  if (name.startsWith("layers.")) return prompt + response;
  // Of a pair the first token has the class, and masked words are trained as responses are.
  return isBertConfig(config) && !/^(head|masked)/.test(name) ? 1 : response;
}

interface Attention {
  readonly layers: number;
  readonly from: number;
  readonly to: number;
  /** Features of all heads. */
  readonly width: number;
  readonly heads: number;
}

function attentions(config: AdaptableConfig, { prompt, response }: RowShape): Attention[] {
  if (isT5Config(config)) {
    const { heads, headWidth, encoderLayers, decoderLayers } = config;
    const shape = { heads, width: heads * headWidth };
    return [
      { ...shape, layers: encoderLayers, from: prompt, to: prompt },
      { ...shape, layers: decoderLayers, from: response, to: response },
      { ...shape, layers: decoderLayers, from: response, to: prompt },
    ];
  }
  const tokens = prompt + response;
  const { heads, headWidth } = isBertConfig(config)
    ? { heads: config.heads, headWidth: config.width / config.heads }
    : headShape(config);
  return [{ layers: config.layers, from: tokens, to: tokens, heads, width: heads * headWidth }];
}

/**
 * Numbers that are kept of a row: in each block the residual stream before each norm, queries, keys and values (with rotary positions
 * also before they are turned), the attention's weights, what its output reads, and what the activation reads; and, for each
 * layer that is trained or adapted, what it reads. Then the logits of the response with their gradient.
 */
function keptNumbers(config: AdaptableConfig, row: RowShape, isLearning: (layer: string) => boolean): number {
  const scores = attentions(config, row).reduce(
    (sum, { layers, heads, from, to }) => sum + layers * heads * from * to,
    0,
  );
  const blocks = isT5Config(config)
    ? t5Blocks(config, row, isLearning)
    : plainBlocks(config, row, isLearning);
  const classes = isBertConfig(config) && config.head.kind === "classification" ? 0 : config.vocabularySize;
  return scores + blocks + 2 * classes * row.response;
}

function plainBlocks(
  config: DecoderConfig | BertConfig,
  { prompt, response }: RowShape,
  isLearning: (layer: string) => boolean,
): number {
  const { width, feedForwardWidth, layers } = config;
  const bert = isBertConfig(config);
  const shape = bert ? undefined : headShape(config);
  const queries = shape === undefined ? width : shape.heads * shape.headWidth;
  const keys = shape === undefined ? width : shape.keyValueHeads * shape.headWidth;
  const isTurned = !bert && config.positions.kind === "rotary";
  const gated = !bert && config.activation === "swiglu" ? 2 : 1;
  const block = (layer: number): number => {
    const learns = (name: string): boolean => isLearning(`layers.${layer}.${name}`);
    return (
      2 * width +
      (isTurned ? 2 : 1) * (queries + keys) +
      keys +
      queries +
      gated * feedForwardWidth +
      (learns("attention.queryKeyValue") ? width : 0) +
      (learns("feedForward.up") || learns("feedForward.gate") ? width : 0) +
      (learns("feedForward.down") ? feedForwardWidth : 0)
    );
  };
  return (prompt + response) * Array.from({ length: layers }, (_, layer) => block(layer)).reduce(add, 0);
}

function t5Blocks(
  config: T5Config,
  { prompt, response }: RowShape,
  isLearning: (layer: string) => boolean,
): number {
  const { width, feedForwardWidth, heads, headWidth, encoderLayers, decoderLayers } = config;
  const inner = heads * headWidth;
  const gated = config.activation === "geglu" ? 2 : 1;
  const read = (name: string, size: number): number => (isLearning(name) ? size : 0);
  const attention = (name: string): number => width + 3 * inner + inner + read(`${name}.query`, width);
  const feedForward = (name: string): number =>
    width + gated * feedForwardWidth + read(`${name}.up`, width) + read(`${name}.down`, feedForwardWidth);
  let total = 0;
  for (let layer = 0; layer < encoderLayers; layer++) {
    const block = `encoder.layers.${layer}`;
    total += prompt * (attention(`${block}.attention`) + feedForward(`${block}.feedForward`));
  }
  for (let layer = 0; layer < decoderLayers; layer++) {
    const block = `decoder.layers.${layer}`;
    const own = attention(`${block}.attention`) + feedForward(`${block}.feedForward`);
    const cross = width + 2 * inner + read(`${block}.crossAttention.query`, width);
    total += response * (own + cross) + prompt * 2 * inner;
  }
  return total;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function add(a: number, b: number): number {
  return a + b;
}
