import type { TensorFlow } from "../tensorflow.js";
import { add, gatherRows, padRows, reshape, scatterRows, slice, sum } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** Where the tokens of a batch stand. */
export interface PositionOptions {
  readonly batch: number;
  readonly time: number;
  /** int32 `[batch, time]`; by default each row counts from 0, which needs no gather and no scatter. */
  readonly positions: Tensor | undefined;
  /** Rows of the table. */
  readonly contextLength: number;
}

/** `x [batch * time, width]` plus the rows of `table [contextLength, width]` at the positions. */
export const positionsOperation: Operation<readonly [Tensor, Tensor], PositionOptions> = {
  name: "positions",
  forward([x, table], { batch, time, positions }) {
    const width = table.shape[1] ?? 0;
    if (positions !== undefined) {
      const flat = reshape(positions, [-1]);
      return { output: add(x, gatherRows(table, flat)), saved: [flat] };
    }
    const first = reshape(slice(table, [0, 0], [time, width]), [1, time * width]);
    const rows = add(reshape(x, [batch, time * width]), first);
    return { output: reshape(rows, [batch * time, width]), saved: [] };
  },
  backward(gradient, [flat], { batch, time, contextLength }) {
    if (flat !== undefined) return [gradient, scatterRows(gradient, flat, contextLength)];
    const width = gradient.shape[1] ?? 0;
    const summed = sum(reshape(gradient, [batch, time * width]), [0]);
    return [gradient, padRows(reshape(summed, [time, width]), contextLength)];
  },
};
