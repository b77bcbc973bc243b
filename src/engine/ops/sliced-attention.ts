import type { TensorFlow } from "../tensorflow.js";
import type { AttentionMask } from "./attention-mask.js";
import { mix, mixGradient, type Mixed } from "./attention-mix.js";
import { add, concatenate, slice } from "./kernels.js";

type Tensor = TensorFlow.Tensor;

/** Causal attention by slices of queries: the weights of each slice, `[batch, heads, time / slices, keys up to its end]`. */
export interface SlicedMix {
  readonly output: Tensor;
  readonly weights: readonly Tensor[];
}

/**
 * `mix` under a causal mask, in slices of queries that each see only the keys up to their end. What a causal mask hides
 * beyond them is not computed: of the scores of four slices, three eighths. The numbers are those of `mix` but for
 * rounding.
 *
 *     keys      1 2 3 4
 *     slice 1   x
 *     slice 2   x x
 *     slice 3   x x x
 *     slice 4   x x x x
 *
 * @param scaledQuery `[batch, heads, time, headWidth]`; `slices` divides the time
 * @param key `[batch, keyValueHeads, time, headWidth]`; so is `value`
 * @param mask causal: what it lets a query see beyond itself is not seen here
 */
export function mixSlices(
  scaledQuery: Tensor,
  key: Tensor,
  value: Tensor,
  mask: AttentionMask,
  slices: number,
): SlicedMix {
  const parts = rangesOf(scaledQuery, slices).map((range) =>
    mix(queriesOf(scaledQuery, range), keysOf(key, range), keysOf(value, range), {
      bias: biasOf(mask.bias, range),
    }),
  );
  return {
    output: concatenate(
      parts.map(({ output }) => output),
      2,
    ),
    weights: parts.map(({ weights }) => weights),
  };
}

/** Gradients of `mixSlices` with respect to the scaled query, the key and the value. */
export function mixSlicesGradient(
  gradient: Tensor,
  {
    scaledQuery,
    key,
    value,
    output,
    weights,
  }: SlicedMix & { scaledQuery: Tensor; key: Tensor; value: Tensor },
): [Tensor, Tensor, Tensor] {
  const parts = rangesOf(scaledQuery, weights.length).map((range, index) => {
    const ownWeights = weights[index];
    if (ownWeights === undefined) throw new RangeError(`no weights of slice ${index}`);
    const mixed: Mixed = { output: queriesOf(output, range), weights: ownWeights };
    const [dQuery, dKey, dValue] = mixGradient(queriesOf(gradient, range), {
      scaledQuery: queriesOf(scaledQuery, range),
      key: keysOf(key, range),
      value: keysOf(value, range),
      ...mixed,
    });
    return { range, dQuery, dKey, dValue };
  });
  return [
    concatenate(
      parts.map(({ dQuery }) => dQuery),
      2,
    ),
    sumOverSlices(parts.map(({ range, dKey }) => ({ range, part: dKey }))),
    sumOverSlices(parts.map(({ range, dValue }) => ({ range, part: dValue }))),
  ];
}

/** The queries of a slice: `length` of them from `start`. It sees keys 0 to `end`. */
interface Range {
  readonly start: number;
  readonly length: number;
  readonly end: number;
  readonly isLast: boolean;
}

function rangesOf({ shape: [, , time = 0] }: Tensor, slices: number): Range[] {
  const length = time / slices;
  if (!Number.isInteger(length))
    throw new RangeError(`${time} queries cannot be cut into ${slices} equal slices`);
  return Array.from({ length: slices }, (_, index) => ({
    start: index * length,
    length,
    end: (index + 1) * length,
    isLast: index === slices - 1,
  }));
}

function queriesOf(x: Tensor, { start, length }: Range): Tensor {
  return alongTime(x, start, length);
}

function keysOf(x: Tensor, { end, isLast }: Range): Tensor {
  return isLast ? x : alongTime(x, 0, end);
}

function alongTime(x: Tensor, start: number, length: number): Tensor {
  const [batch = 0, heads = 0, , width = 0] = x.shape;
  return slice(x, [0, 0, start, 0], [batch, heads, length, width]);
}

/** `[time, time]` or `[batch, 1, time, time]` */
function biasOf(bias: Tensor, { start, length, end }: Range): Tensor {
  if (bias.rank === 2) return slice(bias, [start, 0], [length, end]);
  const [batch = 0] = bias.shape;
  return slice(bias, [0, 0, start, 0], [batch, 1, length, end]);
}

/** What the slices give for the keys that they see, summed: those after a slice's end get nothing from it. */
function sumOverSlices(slices: readonly { readonly range: Range; readonly part: Tensor }[]): Tensor {
  const finished: Tensor[] = [];
  let open: Tensor | undefined;
  for (const { range, part } of slices.toReversed()) {
    if (open !== undefined) {
      finished.unshift(alongTime(open, range.end, range.length));
      open = add(alongTime(open, 0, range.end), part);
    } else open = part;
  }
  return concatenate(open === undefined ? finished : [open, ...finished], 2);
}
