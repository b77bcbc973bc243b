import type { TensorFlow } from "../tensorflow.js";
import { joinHeads } from "./attention.js";
import { mix, mixGradient } from "./attention-mix.js";
import { reshape, transpose } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface BiasedAttentionOptions {
  readonly batch: number;
  readonly heads: number;
  /** What the attention weights are multiplied by, `[batch, heads, time, keys]`. */
  readonly dropout?: Tensor | undefined;
}

/** Query, key, value, and what is added to the scores, if anything. */
type Inputs = readonly [Tensor, Tensor, Tensor, Tensor | undefined];

/**
 * Attention that does not scale its scores but adds a bias, which may be trained: T5's, in the encoder, in the decoder,
 * and from one to the other. `query [batch * time, heads * headWidth]`, `key` and `value`
 * `[batch * keys, heads * headWidth]`, bias broadcast to `[batch, heads, time, keys]` -> `[batch * time, heads * headWidth]`.
 * The gradient of the bias is that of the scores, not summed to the bias's own shape.
 */
export const biasedAttentionOperation: Operation<Inputs, BiasedAttentionOptions> = {
  name: "biasedAttention",
  forward(inputs, { batch, heads, dropout }) {
    const [query, key, value] = [inputs[0], inputs[1], inputs[2]].map((x) => splitHeads(x, batch, heads));
    if (!query || !key || !value) throw new Error("attention has three inputs");
    const bias = inputs[3];
    const { output, weights } = mix(query, key, value, bias === undefined ? undefined : { bias }, dropout);
    const mask = dropout === undefined ? [] : [dropout];
    return { output: joinHeads(output), saved: [query, key, value, output, weights, ...mask] };
  },
  backward(gradient, [scaledQuery, key, value, output, weights, dropout], { batch, heads }) {
    if (!scaledQuery || !key || !value || !output || !weights)
      throw new Error("biasedAttention: nothing was saved");
    const arriving = splitHeads(gradient, batch, heads);
    const parts = mixGradient(arriving, { scaledQuery, key, value, output, weights }, dropout);
    const [dQuery, dKey, dValue, dBias] = parts;
    return [joinHeads(dQuery), joinHeads(dKey), joinHeads(dValue), dBias];
  },
};

/** `[batch * time, heads * headWidth]` -> `[batch, heads, time, headWidth]`. */
export function splitHeads(x: Tensor, batch: number, heads: number): Tensor {
  const [rows = 0, columns = 0] = x.shape;
  return transpose(reshape(x, [batch, rows / batch, heads, columns / heads]), [0, 2, 1, 3]);
}
