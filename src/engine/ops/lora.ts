import type { TensorFlow } from "../tensorflow.js";
import { add, concatenate, matmul, multiply, scale, slice } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** How a low-rank update is added to the output of a linear layer. */
export interface LoraOptions {
  /** What the update is multiplied by: alpha / rank. */
  readonly scale: number;
  /** Columns `[begin, end)` of the output that are updated. */
  readonly columns: readonly [begin: number, end: number];
  /** What the update's input is multiplied by, `[rows, in]`: dropout. */
  readonly mask: Tensor | undefined;
}

/**
 * `output + scale (x mask) down up` (Hu et al. 2021), on some columns of the output of a linear layer.
 * Inputs: `output [rows, out]`, `x [rows, in]`, `down [in, rank]`, `up [rank, end - begin]`.
 */
export const loraOperation: Operation<readonly [Tensor, Tensor, Tensor, Tensor], LoraOptions> = {
  name: "lora",
  forward([output, x, down, up], { scale: factor, columns, mask }) {
    const read = mask === undefined ? x : multiply(x, mask);
    const inner = matmul(read, down);
    const update = scale(matmul(inner, up), factor);
    const saved = [read, inner, down, up];
    return { output: addTo(output, update, columns), saved: mask === undefined ? saved : [...saved, mask] };
  },
  backward(gradient, [read, inner, down, up, mask], { scale: factor, columns: [begin, end] }, wanted) {
    if (!read || !inner || !down || !up) throw new Error("lora: nothing was saved");
    const part = scale(columnsOf(gradient, begin, end), factor);
    const innerGradient = matmul(part, up, false, true);
    const readGradient = wanted?.[1] === false ? undefined : matmul(innerGradient, down, false, true);
    return [
      gradient.clone(),
      readGradient === undefined || mask === undefined ? readGradient : multiply(readGradient, mask),
      matmul(read, innerGradient, true),
      matmul(inner, part, true),
    ];
  },
};

/** Adds an update to the columns `[begin, end)`. */
function addTo(output: Tensor, update: Tensor, [begin, end]: LoraOptions["columns"]): Tensor {
  const width = output.shape[1] ?? 0;
  if (begin === 0 && end === width) return add(output, update);
  const parts = [
    ...(begin > 0 ? [columnsOf(output, 0, begin)] : []),
    add(columnsOf(output, begin, end), update),
    ...(end < width ? [columnsOf(output, end, width)] : []),
  ];
  return concatenate(parts, 1);
}

function columnsOf(x: Tensor, begin: number, end: number): Tensor {
  const [rows = 0, width = 0] = x.shape;
  return begin === 0 && end === width ? x : slice(x, [0, begin], [rows, end - begin]);
}
