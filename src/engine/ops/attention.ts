import type { TensorFlow } from "../tensorflow.js";
import type { AttentionMask } from "./attention-mask.js";
import { fusedOps } from "./fused.js";
import { type Heads, joinHeads, partHeads, splitHeads, splitHeadsGradient } from "./heads.js";
import { add, batchMatmul, multiply, scale, softmax, subtract, sum } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";
import { NO_ATTRIBUTES } from "./raw-ops.js";
import type { RotaryAngles } from "./rotary.js";

type Tensor = TensorFlow.Tensor;

/** What mixing gives. */
interface Mixed {
  /** `[batch, heads, time, headWidth]` */
  readonly output: Tensor;
  /** `[batch, heads, time, keys]` */
  readonly weights: Tensor;
}

/** `softmax(scaled query key^T + mask) value`: the part of attention that knows no layout. */
export function mix({ scaledQuery, key, value }: Heads, mask: AttentionMask): Mixed {
  const scores = batchMatmul(scaledQuery, key, false, true);
  const fused = fusedOps();
  const weights =
    fused === undefined
      ? softmax(add(scores, mask.bias))
      : fused.executeSingleOutput("IftKitAttentionWeights", NO_ATTRIBUTES, [scores, mask.bias]);
  return { output: batchMatmul(weights, value), weights };
}

/** Gradients of `mix` with respect to the scaled query, the key and the value. */
function mixGradient(
  gradient: Tensor,
  { scaledQuery, key, value }: Heads,
  { output, weights }: Mixed,
): Heads {
  const weightsGradient = batchMatmul(gradient, value, false, true);
  const scoresGradient = softmaxGradient(weightsGradient, weights, () =>
    // These are the row sums of weightsGradient * weights too, on [.., headWidth] instead of [.., keys].
    sum(multiply(gradient, output), [3], true),
  );
  return {
    scaledQuery: batchMatmul(scoresGradient, key),
    key: batchMatmul(scoresGradient, scaledQuery, true),
    value: batchMatmul(weights, gradient, true),
  };
}

function softmaxGradient(gradient: Tensor, weights: Tensor, rowSums: () => Tensor): Tensor {
  const fused = fusedOps();
  if (fused === undefined) return multiply(weights, subtract(gradient, rowSums()));
  return fused.executeSingleOutput("IftKitAttentionWeightsGradient", NO_ATTRIBUTES, [gradient, weights]);
}

/** What the backward pass reads. The fused gradient does not read the output, so it need not stay in memory. */
function savedOf({ scaledQuery, key, value }: Heads, { output, weights }: Mixed): Tensor[] {
  return [scaledQuery, key, value, weights, fusedOps() === undefined ? output : weights];
}

function readSaved(saved: readonly Tensor[]): [Heads, Mixed] {
  const [scaledQuery, key, value, weights, output] = saved;
  if (!scaledQuery || !key || !value || !weights || !output) throw new Error("attention: nothing was saved");
  return [
    { scaledQuery, key, value },
    { weights, output },
  ];
}

interface AttentionOptions {
  readonly mask: AttentionMask;
}

const attentionOperation: Operation<readonly [Tensor, Tensor, Tensor], AttentionOptions> = {
  name: "causalAttention",
  forward([query, key, value], { mask }) {
    const heads = { scaledQuery: scale(query, queryScale(query)), key, value };
    const mixed = mix(heads, mask);
    return { output: mixed.output, saved: savedOf(heads, mixed) };
  },
  backward(gradient, saved) {
    const gradients = mixGradient(gradient, ...readSaved(saved));
    const query = scale(gradients.scaledQuery, queryScale(gradient));
    return [query, gradients.key, gradients.value];
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
  readonly time: number;
  readonly heads: number;
  readonly rotary: RotaryAngles | undefined;
}

/**
 * The whole of a block's self-attention between its two linear layers: queries, keys and values side by side
 * `[batch * time, 3 * width]` -> mixed values `[batch * time, width]`.
 */
export const selfAttentionOperation: Operation<readonly [Tensor], SelfAttentionOptions> = {
  name: "selfAttention",
  forward([joint], { mask, time, heads, rotary }) {
    const split = splitHeads(joint, time, heads, rotary);
    const mixed = mix(split, mask);
    // Angles of given positions are temporary tensors, so they are saved like the rest.
    const angles = rotary === undefined ? [] : [rotary.cosines, rotary.sines];
    return { output: joinHeads(mixed.output), saved: [...savedOf(split, mixed), ...angles] };
  },
  backward(gradient, saved, { time, heads }) {
    const [cosines, sines] = saved.slice(5);
    const rotary = cosines === undefined || sines === undefined ? undefined : { cosines, sines };
    const gradients = mixGradient(partHeads(gradient, time, heads), ...readSaved(saved));
    return [splitHeadsGradient(gradients, rotary)];
  },
};
