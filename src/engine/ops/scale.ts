import type { TensorFlow } from "../tensorflow.js";
import { scale } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** `x * factor` with a number that is not trained. */
export const scaleOperation: Operation<readonly [Tensor], { readonly factor: number }> = {
  name: "scale",
  forward: ([x], { factor }) => ({ output: scale(x, factor), saved: [] }),
  backward: (gradient, _, { factor }) => [scale(gradient, factor)],
};
