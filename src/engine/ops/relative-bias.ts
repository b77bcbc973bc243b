import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { add, gatherRows, reshape, scatterRows, sum, transpose } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** How distances between a query and a key are put into buckets (Raffel et al. 2020). */
export interface BucketRules {
  /** Number of buckets. */
  readonly buckets: number;
  /** From this distance on, in tokens, all keys are in the last bucket. */
  readonly farthest: number;
  /** Keys after the query have buckets of their own, half of all; else they are at distance 0 (and masked). */
  readonly bothWays: boolean;
}

/**
 * The bucket of a key. Half of the buckets of a direction are for one distance each, the others grow with the logarithm of
 * the distance up to `farthest`. Rounded to float32 at each step, as `T5Attention._relative_position_bucket` of
 * transformers is: at a border the bucket depends on it.
 * @param offset place of the key minus place of the query, in tokens
 */
export function bucketOf(offset: number, { buckets, farthest, bothWays }: BucketRules): number {
  const own = bothWays ? Math.floor(buckets / 2) : buckets;
  const first = bothWays && offset > 0 ? own : 0;
  const distance = bothWays ? Math.abs(offset) : Math.max(0, -offset);
  const exact = Math.floor(own / 2);
  if (distance < exact) return first + distance;
  const { fround } = Math;
  const logarithm = fround(Math.log(fround(distance / exact)));
  const share = fround(logarithm / fround(Math.log(farthest / exact)));
  const grown = exact + Math.trunc(fround(share * (own - exact)));
  return first + Math.min(grown, own - 1);
}

/**
 * The bucket of each key for each query, int32 `[queries, keys]`; made once.
 * @param start place of the first query; the first key has place 0
 */
export function bucketTable(queries: number, keys: number, start: number, rules: BucketRules): Tensor {
  const { buckets, farthest, bothWays } = rules;
  const key = `buckets:${buckets},${farthest},${bothWays},${queries},${keys},${start}`;
  return constant(key, () => {
    const values = Int32Array.from({ length: queries * keys }, (_, index) =>
      bucketOf((index % keys) - Math.floor(index / keys) - start, rules),
    );
    return tf.tensor2d(values, [queries, keys], "int32");
  });
}

interface RelativeBiasOptions {
  /** int32 `[queries, keys]`, see `bucketTable`. */
  readonly buckets: Tensor;
  /** Added to it: `[queries, keys]`, `[batch, 1, queries, keys]` or `[batch, 1, 1, keys]`. */
  readonly mask: Tensor | undefined;
}

/**
 * What attention adds to its scores, from `table [buckets, heads]`: a number for each distance and head, and the mask.
 * Output: `[heads, queries, keys]`, with the mask's batch before it where it has one. The gradient that arrives is that
 * of the scores, `[batch, heads, queries, keys]`.
 */
export const relativeBiasOperation: Operation<readonly [Tensor], RelativeBiasOptions> = {
  name: "relativeBias",
  forward([table], { buckets, mask }) {
    const bias = transpose(gatherRows(table, buckets), [2, 0, 1]);
    return { output: mask === undefined ? bias : add(bias, mask), saved: [buckets, table] };
  },
  backward(gradient, [buckets, table]) {
    if (buckets === undefined || table === undefined) throw new Error("relativeBias: nothing was saved");
    const [size = 0, heads = 0] = table.shape;
    const rows = reshape(transpose(sum(gradient, [0]), [1, 2, 0]), [-1, heads]);
    return [scatterRows(rows, reshape(buckets, [-1]), size)];
  },
};
