import type { TensorFlow } from "../tensorflow.js";
import type { AttentionMask } from "./attention-mask.js";
import {
  add,
  batchMatmul,
  multiply,
  reshape,
  scale,
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

/** `softmax(scaled query key^T + mask) value`, all `[batch, heads, time, headWidth]`. */
export function mix(scaledQuery: Tensor, key: Tensor, value: Tensor, mask: AttentionMask): Mixed {
  const weights = softmax(add(batchMatmul(scaledQuery, key, false, true), mask.bias));
  return { output: batchMatmul(weights, value), weights };
}

/** Gradients of `mix` with respect to the scaled query, the key and the value. */
function mixGradient(
  gradient: Tensor,
  { scaledQuery, key, value, output, weights }: Mixed & { scaledQuery: Tensor; key: Tensor; value: Tensor },
): [Tensor, Tensor, Tensor] {
  const valueGradient = batchMatmul(weights, gradient, true);
  const weightsGradient = batchMatmul(gradient, value, false, true);
  // Row sums of gradient * output are those of weightsGradient * weights, on [.., headWidth] instead of [.., time].
  const rowSums = sum(multiply(gradient, output), [3], true);
  const scoresGradient = multiply(weights, subtract(weightsGradient, rowSums));
  return [batchMatmul(scoresGradient, key), batchMatmul(scoresGradient, scaledQuery, true), valueGradient];
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

/** How the attention of a block reads its one `[batch * time, 3 * width]` input. */
export interface SelfAttentionOptions extends AttentionOptions {
  readonly batch: number;
  readonly time: number;
  readonly heads: number;
  readonly rotary: RotaryAngles | undefined;
}

/**
 * The whole of a block's self-attention between its two linear layers: queries, keys and values side by side
 * `[batch * time, 3 * width]` -> mixed values `[batch * time, width]`. One transpose for the three of them.
 */
export const selfAttentionOperation: Operation<readonly [Tensor], SelfAttentionOptions> = {
  name: "selfAttention",
  forward([joint], { mask, batch, time, heads, rotary }) {
    const { scaledQuery, key, value } = splitHeads(joint, batch, time, heads, rotary);
    const { output, weights } = mix(scaledQuery, key, value, mask);
    const width = (joint.shape[1] ?? 0) / 3;
    return {
      output: joinHeads(output, batch * time, width),
      saved: [
        ...[scaledQuery, key, value, output, weights],
        // Angles of given positions are temporary tensors, so they are saved like the rest.
        ...(rotary === undefined ? [] : [rotary.cosines, rotary.sines]),
      ],
    };
  },
  backward(gradient, [scaledQuery, key, value, output, weights, cosines, sines], { batch, time, heads }) {
    if (!scaledQuery || !key || !value || !output || !weights)
      throw new Error("selfAttention: nothing was saved");
    const width = gradient.shape[1] ?? 0;
    const headWidth = width / heads;
    const headGradient = transpose(reshape(gradient, [batch, time, heads, headWidth]), [0, 2, 1, 3]);
    const [dScaled, dKey, dValue] = mixGradient(headGradient, { scaledQuery, key, value, output, weights });
    const rotary = cosines === undefined || sines === undefined ? undefined : { cosines, sines };
    const dQuery = rotary === undefined ? scale(dScaled, queryScale(scaledQuery)) : dScaled;
    const joined = transpose(stack([dQuery, dKey, dValue]), [1, 3, 0, 2, 4]);
    if (rotary === undefined) return [reshape(joined, [batch * time, 3 * width])];
    const turned = rotateGradient(reshape(joined, [batch, time, 3 * width]), rotary, headWidth);
    return [reshape(turned, [batch * time, 3 * width])];
  },
};

/** `[batch * time, 3 * width]` -> scaled (and rotated) query, (rotated) key, value, `[batch, heads, time, headWidth]`. */
export function splitHeads(
  joint: Tensor,
  batch: number,
  time: number,
  heads: number,
  rotary: RotaryAngles | undefined,
): { scaledQuery: Tensor; key: Tensor; value: Tensor } {
  const columns = joint.shape[1] ?? 0;
  const headWidth = columns / 3 / heads;
  const turned =
    rotary === undefined ? joint : rotate(reshape(joint, [batch, time, columns]), rotary, headWidth);
  const order = [2, 0, 3, 1, 4];
  const split = unstack(transpose(reshape(turned, [batch, time, 3, heads, headWidth]), order), 3);
  const [query, key, value] = split;
  if (query === undefined || key === undefined || value === undefined)
    throw new Error("unstack gave too few parts");
  // Rotary angles hold the factor already.
  return { scaledQuery: rotary === undefined ? scale(query, 1 / Math.sqrt(headWidth)) : query, key, value };
}

/** `[batch, heads, time, headWidth]` -> `[batch * time, width]`. */
export function joinHeads(x: Tensor, rows: number, width: number): Tensor {
  return reshape(transpose(x, [0, 2, 1, 3]), [rows, width]);
}
