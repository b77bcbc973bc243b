import { tf, type TensorFlow } from "../engine/tensorflow.js";

/** Rows of token ids as one tensor. */
export interface PaddedRows {
  /** int32 `[rows, time]`, filled up with 0. */
  readonly ids: TensorFlow.Tensor2D;
  /** Tokens of each row. */
  readonly counts: readonly number[];
  readonly time: number;
}

/** Rows of ids, filled up on the right; the caller disposes the tensor. */
export function padRight(rows: readonly (readonly number[])[]): PaddedRows {
  const counts = rows.map((row) => row.length);
  const time = Math.max(...counts);
  const ids = new Int32Array(rows.length * time);
  rows.forEach((row, index) => ids.set(row, index * time));
  return { ids: tf.tensor2d(ids, [rows.length, time], "int32"), counts, time };
}
