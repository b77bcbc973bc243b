import type { TensorFlow } from "../tensorflow.js";
import { add } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** `stream + branch`, equal shapes: the residual connection. */
export const residualOperation: Operation<readonly [Tensor, Tensor], undefined> = {
  name: "residual",
  forward: ([stream, branch]) => ({ output: add(stream, branch), saved: [] }),
  backward: (gradient) => [gradient, gradient.clone()],
};
