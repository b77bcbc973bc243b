import type { TensorFlow } from "../tensorflow.js";
import type { AttentionMask } from "./attention-mask.js";
import { add, batchMatmul, multiply, reshape, softmax, subtract, sum } from "./kernels.js";

type Tensor = TensorFlow.Tensor;

/** Scores and mixing: the part of attention that knows no layout. */
export interface Mixed {
  readonly output: Tensor;
  readonly weights: Tensor;
}

/**
 * `softmax(scaled query key^T + mask) value`. With fewer key heads than query heads (grouped queries, Ainslie et al.
 * 2023), each key head serves as many query heads that follow one another.
 * @param scaledQuery `[batch, heads, time, headWidth]`
 * @param key `[batch, keyValueHeads, keys, headWidth]`; so is `value`
 * @param mask added to the scores; without it every query sees every key
 * @param dropout what the weights are multiplied by, `[batch, heads, time, keys]`
 * @returns output `[batch, heads, time, headWidth]`, weights `[batch, heads, time, keys]`
 */
export function mix(
  scaledQuery: Tensor,
  key: Tensor,
  value: Tensor,
  mask: AttentionMask | undefined,
  dropout?: Tensor,
): Mixed {
  const [, heads = 0] = scaledQuery.shape;
  const [, groups = 0] = key.shape;
  const scores = ungroup(batchMatmul(group(scaledQuery, groups), key, false, true), heads);
  const weights = softmax(mask === undefined ? scores : add(scores, mask.bias));
  const seen = dropout === undefined ? weights : multiply(weights, dropout);
  return { output: ungroup(batchMatmul(group(seen, groups), value), heads), weights };
}

/**
 * Gradients of `mix` with respect to the scaled query, the key, the value, and the scores `[batch, heads, time, keys]`:
 * the last is also that of whatever is added to them.
 */
export function mixGradient(
  gradient: Tensor,
  { scaledQuery, key, value, output, weights }: Mixed & { scaledQuery: Tensor; key: Tensor; value: Tensor },
  dropout?: Tensor,
): [Tensor, Tensor, Tensor, Tensor] {
  const [, heads = 0] = scaledQuery.shape;
  const [, groups = 0] = key.shape;
  const grouped = group(gradient, groups);
  const seen = dropout === undefined ? weights : multiply(weights, dropout);
  const valueGradient = batchMatmul(group(seen, groups), grouped, true);
  const seenGradient = ungroup(batchMatmul(grouped, value, false, true), heads);
  const weightsGradient = dropout === undefined ? seenGradient : multiply(seenGradient, dropout);
  // Row sums of gradient * output are those of weightsGradient * weights, on [.., headWidth] instead of [.., time].
  const rowSums = sum(multiply(gradient, output), [3], true);
  const scoresGradient = multiply(weights, subtract(weightsGradient, rowSums));
  const scores = group(scoresGradient, groups);
  return [
    ungroup(batchMatmul(scores, key), heads),
    batchMatmul(scores, group(scaledQuery, groups), true),
    valueGradient,
    scoresGradient,
  ];
}

/** `[batch, heads, time, n]` -> `[batch, groups, heads / groups * time, n]`: the same memory. */
function group(x: Tensor, groups: number): Tensor {
  const [batch = 0, heads = 0, time = 0, last = 0] = x.shape;
  return heads === groups ? x : reshape(x, [batch, groups, (heads / groups) * time, last]);
}

/** Undoes `group`. */
function ungroup(x: Tensor, heads: number): Tensor {
  const [batch = 0, groups = 0, rows = 0, last = 0] = x.shape;
  return heads === groups ? x : reshape(x, [batch, heads, (rows * groups) / heads, last]);
}
