import { type DecoderConfig, headShape } from "../../model/config.js";
import { type AdaptableConfig, chooseTargets, type LoraConfig } from "../../model/lora/config.js";
import type { RunBudget } from "../budget.js";
import type { Budget } from "../../train/config.js";

/** The lengths of rows, as sums over the rows. */
export interface RowLengths {
  /** Tokens of all rows. */
  readonly tokens: number;
  /** Squared lengths of all rows: every token of a row may look at every token of it. */
  readonly squaredTokens: number;
}

/** Sums over rows of the given lengths, in tokens. */
export function rowLengths(lengths: Iterable<number>): RowLengths {
  let tokens = 0;
  let squaredTokens = 0;
  for (const length of lengths) {
    tokens += length;
    squaredTokens += length * length;
  }
  return { tokens, squaredTokens };
}

/**
 * Weights of the matrices that every token is multiplied by: in each block those of query, key, value and output, and of
 * the feed-forward layer (two matrices, or three with a gate), and the output head, which is a product also where it is
 * the token embedding. Looking up an embedding, norms, biases and rotations cost next to nothing and are left out.
 */
export function multipliedWeights(config: DecoderConfig): number {
  const { width, layers, feedForwardWidth, vocabularySize, activation } = config;
  const { heads, keyValueHeads, headWidth } = headShape(config);
  const attention = width * (heads + 2 * keyValueHeads) * headWidth + heads * headWidth * width;
  const feedForward = (activation === "swiglu" ? 3 : 2) * width * feedForwardWidth;
  return layers * (attention + feedForward) + width * vocabularySize;
}

/**
 * Floating-point operations of a forward pass. A multiplication and an addition are two: 2 for each multiplied weight
 * and token, and in each layer 2 for each query-key product and 2 for each weighted value, over all pairs of tokens of a
 * row (the kernels compute the masked half, too). It is the count of Kaplan et al. 2020 (arXiv 2001.08361, table 1)
 * with the head, and of PaLM's appendix B (arXiv 2204.02311), for rows of different lengths. Padding is not counted.
 */
export function forwardFlops(config: DecoderConfig, { tokens, squaredTokens }: RowLengths): number {
  const { heads, headWidth } = headShape(config);
  return 2 * multipliedWeights(config) * tokens + 4 * config.layers * heads * headWidth * squaredTokens;
}

/**
 * Of training: a backward pass has two products for each of the forward pass, one for the gradient of what came in and one for that
 * of the weights, so three times as many in all. With an adapter (LoRA) the weights stay as they are and lack the second; its own
 * two matrices, and the pairs of tokens, have all three. (The gradient of what comes into the lowest adapted layer is counted, and
 * nobody needs it: less than one layer's product.)
 */
export function trainingFlops(
  config: DecoderConfig,
  lengths: RowLengths,
  lora?: Pick<LoraConfig, "rank" | "targets">,
): number {
  const forward = forwardFlops(config, lengths);
  if (lora === undefined) return 3 * forward;
  const frozen = 2 * multipliedWeights(config) * lengths.tokens;
  return 2 * frozen + 3 * (forward - frozen) + 6 * adapterWeights(config, lora) * lengths.tokens;
}

/** Weights of an adapter's matrices. @throws KitError for a target that no layer has */
export function adapterWeights(
  config: AdaptableConfig,
  { rank, targets }: Pick<LoraConfig, "rank" | "targets">,
): number {
  return chooseTargets(config, { targets }).reduce(
    (sum, { inputs, columns: [begin, end] }) => sum + rank * (inputs + end - begin),
    0,
  );
}

/**
 * A budget as the trainer knows it. Floating-point operations become total tokens, by what a token of these rows costs
 * this model on average.
 */
export function trainerBudget(
  budget: RunBudget,
  config: DecoderConfig,
  lengths: RowLengths,
  lora?: Pick<LoraConfig, "rank" | "targets">,
): Budget {
  const { unit, amount } = budget;
  if (unit !== "flops") return { unit, amount };
  const perToken = trainingFlops(config, lengths, lora) / lengths.tokens;
  return { unit: "total-tokens", amount: Math.max(1, Math.floor(amount / perToken)) };
}
