import type { TensorFlow } from "../tensorflow.js";
import type { AttentionMask } from "./attention-mask.js";
import { type Mixed, mix, mixGradient } from "./attention-mix.js";
import { concatenate, reshape, scale, slice, stack, transpose, unstack } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";
import { rotate, rotateGradient, type RotaryAngles } from "./rotary.js";
import { mixSlices, mixSlicesGradient, type SlicedMix } from "./sliced-attention.js";

type Tensor = TensorFlow.Tensor;

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
  /** In how many slices of queries causal attention is computed, see `mixSlices`; not together with dropout. Default: 1. */
  readonly querySlices?: number | undefined;
  /** Told of the weights of the forward pass, `[batch, heads, time, time]`; not together with slices. */
  readonly onWeights?: ((weights: Tensor) => void) | undefined;
}

/**
 * The whole of a block's self-attention between its two linear layers: queries, keys and values side by side
 * `[batch * time, (heads + 2 * keyValueHeads) * headWidth]` -> mixed values `[batch * time, heads * headWidth]`. One
 * transpose for the three of them.
 */
export const selfAttentionOperation: Operation<readonly [Tensor], SelfAttentionOptions> = {
  name: "selfAttention",
  forward([joint], { mask, dropout, querySlices = 1, onWeights, ...layout }) {
    const { scaledQuery, key, value } = splitHeads(joint, layout);
    if (dropout !== undefined && querySlices > 1) throw new Error("selfAttention: slices have no dropout");
    const { output, weights } =
      querySlices === 1
        ? wholeMix(mix(scaledQuery, key, value, mask, dropout))
        : mixSlices(scaledQuery, key, value, mask, querySlices);
    if (onWeights !== undefined) for (const part of weights) onWeights(part);
    const { rotary } = layout;
    return {
      output: joinHeads(output),
      saved: [
        ...[scaledQuery, key, value, output, ...weights],
        // Angles of given positions are temporary tensors, so they are saved like the rest.
        ...(rotary === undefined ? [] : [rotary.cosines, rotary.sines]),
        ...(dropout === undefined ? [] : [dropout]),
      ],
    };
  },
  backward(gradient, [scaledQuery, key, value, output, ...saved], { batch, time, heads, querySlices = 1 }) {
    const weights = saved.slice(0, querySlices);
    const [cosines, sines] = saved.slice(querySlices);
    const [whole] = weights;
    if (!scaledQuery || !key || !value || !output || !whole)
      throw new Error("selfAttention: nothing was saved");
    const headWidth = (gradient.shape[1] ?? 0) / heads;
    const headGradient = transpose(reshape(gradient, [batch, time, heads, headWidth]), [0, 2, 1, 3]);
    const dropout = sines === undefined ? cosines : undefined;
    const mixed = { scaledQuery, key, value, output };
    const [dScaled, dKey, dValue] =
      querySlices === 1
        ? mixGradient(headGradient, { ...mixed, weights: whole }, dropout)
        : mixSlicesGradient(headGradient, { ...mixed, weights });
    const rotary = cosines === undefined || sines === undefined ? undefined : { cosines, sines };
    const dQuery = rotary === undefined ? scale(dScaled, queryScale(scaledQuery)) : dScaled;
    const joined = joinParts(dQuery, dKey, dValue);
    const columns = joined.size / (batch * time);
    if (rotary === undefined) return [reshape(joined, [batch * time, columns])];
    const turned = rotateGradient(reshape(joined, [batch, time, columns]), rotary, headWidth);
    return [reshape(turned, [batch * time, columns])];
  },
};

function wholeMix({ output, weights }: Mixed): SlicedMix {
  return { output, weights: [weights] };
}

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
