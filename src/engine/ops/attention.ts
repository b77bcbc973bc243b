import type { TensorFlow } from "../tensorflow.js";
import type { AttentionMask } from "./attention-mask.js";
import {
  add,
  batchMatmul,
  concatenate,
  multiply,
  reshape,
  scale,
  slice,
  softmax,
  stack,
  subtract,
  sum,
  transpose,
  unstack,
} from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";
import { rotate, rotateGradient, type RotaryAngles } from "./rotary.js";

type Tensor = TensorFlow.Tensor;

/** Scores and mixing: the part of attention that knows no layout. */
interface Mixed {
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

interface AttentionOptions {
  readonly mask: AttentionMask;
}

const attentionOperation: Operation<readonly [Tensor, Tensor, Tensor], AttentionOptions> = {
  name: "causalAttention",
  forward([query, key, value], { mask }) {
    const scaledQuery = scale(query, queryScale(query));
    const { output, weights } = mix(scaledQuery, key, value, mask);
    return { output, saved: [scaledQuery, key, value, output, weights] };
  },
  backward(gradient, [scaledQuery, key, value, output, weights]) {
    if (!scaledQuery || !key || !value || !output || !weights)
      throw new Error("causalAttention: nothing was saved");
    const [dQuery, dKey, dValue] = mixGradient(gradient, { scaledQuery, key, value, output, weights });
    return [scale(dQuery, queryScale(scaledQuery)), dKey, dValue];
  },
};

function queryScale(query: Tensor): number {
  return 1 / Math.sqrt(query.shape[query.rank - 1] ?? 1);
}

/**
 * Scaled dot-product attention under a mask.
 * @param query `[batch, heads, time, headWidth]`; so are `key`, `value` and the result
 * @param mask from `causalMask` or `segmentMask`
 */
export function causalAttention(
  query: TensorFlow.Tensor4D,
  key: TensorFlow.Tensor4D,
  value: TensorFlow.Tensor4D,
  mask: AttentionMask,
): TensorFlow.Tensor4D {
  return runDifferentiable(attentionOperation, [query, key, value], { mask }) as TensorFlow.Tensor4D;
}

/** How queries, keys and values lie side by side in `[batch * time, columns]`, the heads of each one after another. */
export interface HeadLayout {
  readonly batch: number;
  readonly time: number;
  /** Number of query heads. */
  readonly heads: number;
  /** Number of key heads, and of value heads; divides `heads`. */
  readonly keyValueHeads: number;
  readonly rotary: RotaryAngles | undefined;
}

/** How the attention of a block reads its one input, and what it may see. */
export interface SelfAttentionOptions extends AttentionOptions, HeadLayout {
  /** What the attention weights are multiplied by, `[batch, heads, time, time]`; not together with rotary angles. */
  readonly dropout?: Tensor | undefined;
}

/**
 * The whole of a block's self-attention between its two linear layers: queries, keys and values side by side
 * `[batch * time, (heads + 2 * keyValueHeads) * headWidth]` -> mixed values `[batch * time, heads * headWidth]`. One
 * transpose for the three of them.
 */
export const selfAttentionOperation: Operation<readonly [Tensor], SelfAttentionOptions> = {
  name: "selfAttention",
  forward([joint], { mask, dropout, ...layout }) {
    const { scaledQuery, key, value } = splitHeads(joint, layout);
    const { output, weights } = mix(scaledQuery, key, value, mask, dropout);
    const { rotary } = layout;
    return {
      output: joinHeads(output),
      saved: [
        ...[scaledQuery, key, value, output, weights],
        // Angles of given positions are temporary tensors, so they are saved like the rest.
        ...(rotary === undefined ? [] : [rotary.cosines, rotary.sines]),
        ...(dropout === undefined ? [] : [dropout]),
      ],
    };
  },
  backward(gradient, [scaledQuery, key, value, output, weights, cosines, sines], { batch, time, heads }) {
    if (!scaledQuery || !key || !value || !output || !weights)
      throw new Error("selfAttention: nothing was saved");
    const headWidth = (gradient.shape[1] ?? 0) / heads;
    const headGradient = transpose(reshape(gradient, [batch, time, heads, headWidth]), [0, 2, 1, 3]);
    const dropout = sines === undefined ? cosines : undefined;
    const mixed = { scaledQuery, key, value, output, weights };
    const [dScaled, dKey, dValue] = mixGradient(headGradient, mixed, dropout);
    const rotary = cosines === undefined || sines === undefined ? undefined : { cosines, sines };
    const dQuery = rotary === undefined ? scale(dScaled, queryScale(scaledQuery)) : dScaled;
    const joined = joinParts(dQuery, dKey, dValue);
    const columns = joined.size / (batch * time);
    if (rotary === undefined) return [reshape(joined, [batch * time, columns])];
    const turned = rotateGradient(reshape(joined, [batch, time, columns]), rotary, headWidth);
    return [reshape(turned, [batch * time, columns])];
  },
};

/** The three parts of attention's input, scaled and turned: `[batch, heads or keyValueHeads, time, headWidth]`. */
export interface HeadParts {
  readonly scaledQuery: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** `[batch * time, columns]` -> scaled (and rotated) query, (rotated) key, value. */
export function splitHeads(joint: Tensor, layout: HeadLayout): HeadParts {
  const { batch, time, heads, keyValueHeads, rotary } = layout;
  const columns = joint.shape[1] ?? 0;
  const headWidth = columns / (heads + 2 * keyValueHeads);
  const turned =
    rotary === undefined ? joint : rotate(reshape(joint, [batch, time, columns]), rotary, headWidth);
  const [query, key, value] =
    heads === keyValueHeads
      ? unstack(transpose(reshape(turned, [batch, time, 3, heads, headWidth]), [2, 0, 3, 1, 4]), 3)
      : unequalParts(reshape(turned, [batch, time, heads + 2 * keyValueHeads, headWidth]), heads);
  if (query === undefined || key === undefined || value === undefined)
    throw new Error("unstack gave too few parts");
  // Rotary angles hold the factor already.
  return { scaledQuery: rotary === undefined ? scale(query, 1 / Math.sqrt(headWidth)) : query, key, value };
}

/** `[batch, time, heads + 2 * keyValueHeads, headWidth]` -> the three parts, heads before time. */
function unequalParts(joint: Tensor, heads: number): Tensor[] {
  const [batch = 0, time = 0, all = 0, headWidth = 0] = joint.shape;
  const keyValueHeads = (all - heads) / 2;
  const swapped = transpose(joint, [0, 2, 1, 3]);
  const part = (first: number, count: number): Tensor =>
    slice(swapped, [0, first, 0, 0], [batch, count, time, headWidth]);
  return [part(0, heads), part(heads, keyValueHeads), part(heads + keyValueHeads, keyValueHeads)];
}

/** The opposite of splitting: heads side by side again, time before heads. */
function joinParts(query: Tensor, key: Tensor, value: Tensor): Tensor {
  return query.shape[1] === key.shape[1]
    ? transpose(stack([query, key, value]), [1, 3, 0, 2, 4])
    : transpose(concatenate([query, key, value], 1), [0, 2, 1, 3]);
}

/** `[batch, heads, time, headWidth]` -> `[batch * time, heads * headWidth]`. */
export function joinHeads(x: Tensor): Tensor {
  const [batch = 0, heads = 0, time = 0, headWidth = 0] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch * time, heads * headWidth]);
}
