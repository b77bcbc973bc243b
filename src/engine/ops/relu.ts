import type { TensorFlow } from "../tensorflow.js";
import { relu as reluKernel, reluGradient } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** `max(x, 0)`, elementwise. */
export const reluOperation: Operation<readonly [Tensor], undefined> = {
  name: "relu",
  forward([x]) {
    const output = reluKernel(x);
    return { output, saved: [output] };
  },
  backward(gradient, [output]) {
    if (output === undefined) throw new Error("relu: nothing was saved");
    return [reluGradient(output, gradient)];
  },
};

/** ReLU, elementwise. */
export function relu<T extends Tensor>(x: T): T {
  return runDifferentiable(reluOperation, [x], undefined) as T;
}
