import type { TensorFlow } from "../tensorflow.js";
import { gatherRows, placeRows, reshape, scatterRows } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface EmbeddingOptions {
  /** int32, any shape. */
  readonly ids: Tensor;
  /** Rows of the table. */
  readonly size: number;
}

/** Rows of `table [size, width]`; the gradient sums the rows of equal ids. */
export const embeddingOperation: Operation<readonly [Tensor], EmbeddingOptions> = {
  name: "embedding",
  forward: ([table], { ids }) => ({ output: gatherRows(table, ids), saved: [ids] }),
  backward(gradient, [ids], { size }) {
    if (ids === undefined) throw new Error("embedding: nothing was saved");
    const width = gradient.shape[gradient.rank - 1] ?? 1;
    if (ids.rank === 1) return [scatterRows(gradient, ids, size)];
    return [scatterRows(reshape(gradient, [ids.size, width]), reshape(ids, [ids.size]), size)];
  },
};

interface ChoiceOptions {
  /** int32 `[n]`, different from each other. */
  readonly rows: Tensor;
  /** Rows of the input. */
  readonly size: number;
}

/** Some rows of `[size, width]`, each at most once: the gradient puts theirs into a zero matrix. */
export const chooseRowsOperation: Operation<readonly [Tensor], ChoiceOptions> = {
  name: "choose rows",
  forward: ([x], { rows }) => ({ output: gatherRows(x, rows), saved: [rows] }),
  backward(gradient, [rows], { size }) {
    if (rows === undefined) throw new Error("choose rows: nothing was saved");
    return [placeRows(gradient, rows, size)];
  },
};

/**
 * Rows of a table, by index. Also the way to pick the supervised positions of hidden states. Indices are not read back
 * to JavaScript (`tf.gather` does); one that is out of range is an error of TensorFlow on the native backend.
 * @param table `[rows, width]`
 * @param ids int32 `[...]`
 * @returns `[..., width]`
 */
export function embeddingLookup(table: TensorFlow.Tensor2D, ids: Tensor): Tensor {
  return runDifferentiable(embeddingOperation, [table], { ids, size: table.shape[0] });
}
