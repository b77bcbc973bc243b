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
 * @param again whether each block is computed again in the backward pass (activation checkpointing)
 */
export function rowWork(config: AdaptableConfig, row: RowShape, tuning: Tuning, again = false): RowWork {
  const adapted = tuning.kind === "lora" ? chooseTargets(config, tuning) : [];
  const rank = tuning.kind === "lora" ? tuning.rank : 0;
  const isFull = tuning.kind === "full";
  let flops = 0;
  for (const { name, weights } of matrices(config)) {
    const twice = again && /(^|\.)layers\./.test(name) ? 2 : 0;
    flops += ((isFull ? 6 : 4) + twice) * weights * tokensOf(config, name, row);
  }
  for (const { layer, inputs, columns } of adapted) {
    flops += (again ? 8 : 6) * rank * (inputs + columns[1] - columns[0]) * tokensOf(config, layer, row);
  }
  const pairs = attentions(config, row);
  const ofPair = again ? 16 : 12;
  flops += pairs.reduce((sum, { layers, from, to, width }) => sum + ofPair * layers * from * to * width, 0);
  return {
    flops,
    kept: keptNumbers(config, row, again, (name) => isFull || adapted.some(({ layer }) => layer === name)),
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
}

function attentions(config: AdaptableConfig, { prompt, response }: RowShape): Attention[] {
  if (isT5Config(config)) {
    const { heads, headWidth, encoderLayers, decoderLayers } = config;
    const shape = { width: heads * headWidth };
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
  return [{ layers: config.layers, from: tokens, to: tokens, width: heads * headWidth }];
}

/** Numbers of a row that a block keeps for the backward pass. */
interface BlockNumbers {
  /** What comes into it: all that is kept where it is computed again. */
  readonly input: number;
  /** What its layers keep. */
  readonly inside: number;
}

/**
 * Numbers that are kept of a row: in each block the residual stream before each norm, queries, keys and values (with rotary positions
 * also before they are turned), the attention's weights, what its output reads, and what the activation reads; and, for each
 * layer that is trained or adapted, what it reads. Then the logits of the response with their gradient. Where blocks are computed
 * again, what comes into each, and the inside of the largest.
 */
function keptNumbers(
  config: AdaptableConfig,
  row: RowShape,
  again: boolean,
  isLearning: (layer: string) => boolean,
): number {
  const blocks = isT5Config(config)
    ? t5Blocks(config, row, isLearning)
    : plainBlocks(config, row, isLearning);
  const all = again
    ? blocks.reduce((sum, { input }) => sum + input, 0) + Math.max(...blocks.map(({ inside }) => inside))
    : blocks.reduce((sum, { inside }) => sum + inside, 0);
  const classes = isBertConfig(config) && config.head.kind === "classification" ? 0 : config.vocabularySize;
  return all + 2 * classes * row.response;
}

function plainBlocks(
  config: DecoderConfig | BertConfig,
  { prompt, response }: RowShape,
  isLearning: (layer: string) => boolean,
): BlockNumbers[] {
  const { width, feedForwardWidth, layers } = config;
  const bert = isBertConfig(config);
  const shape = bert ? undefined : headShape(config);
  const queries = shape === undefined ? width : shape.heads * shape.headWidth;
  const keys = shape === undefined ? width : shape.keyValueHeads * shape.headWidth;
  const isTurned = !bert && config.positions.kind === "rotary";
  const gated = !bert && config.activation === "swiglu" ? 2 : 1;
  const tokens = prompt + response;
  return Array.from({ length: layers }, (_, layer) => {
    const learns = (name: string): boolean => isLearning(`layers.${layer}.${name}`);
    const ofToken =
      2 * width +
      (isTurned ? 2 : 1) * (queries + keys) +
      keys +
      queries +
      gated * feedForwardWidth +
      (learns("attention.queryKeyValue") ? width : 0) +
      (learns("feedForward.up") || learns("feedForward.gate") ? width : 0) +
      (learns("feedForward.down") ? feedForwardWidth : 0);
    return { input: tokens * width, inside: tokens * ofToken + config.heads * tokens * tokens };
  });
}

function t5Blocks(
  config: T5Config,
  { prompt, response }: RowShape,
  isLearning: (layer: string) => boolean,
): BlockNumbers[] {
  const { width, feedForwardWidth, heads, headWidth, encoderLayers, decoderLayers } = config;
  const inner = heads * headWidth;
  const gated = config.activation === "geglu" ? 2 : 1;
  const read = (name: string, size: number): number => (isLearning(name) ? size : 0);
  const attention = (name: string): number => width + 3 * inner + inner + read(`${name}.query`, width);
  const feedForward = (name: string): number =>
    width + gated * feedForwardWidth + read(`${name}.up`, width) + read(`${name}.down`, feedForwardWidth);
  const own = (block: string): number =>
    attention(`${block}.attention`) + feedForward(`${block}.feedForward`);
  const encoder = Array.from({ length: encoderLayers }, (_, layer) => ({
    input: prompt * width,
    inside: prompt * own(`encoder.layers.${layer}`) + heads * prompt * prompt,
  }));
  const decoder = Array.from({ length: decoderLayers }, (_, layer) => {
    const block = `decoder.layers.${layer}`;
    const cross = width + 2 * inner + read(`${block}.crossAttention.query`, width);
    return {
      input: response * width,
      inside: response * (own(block) + cross) + prompt * 2 * inner + heads * response * (response + prompt),
    };
  });
  return [...encoder, ...decoder];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
