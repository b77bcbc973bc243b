import type { TensorFlow } from "../tensorflow.js";
import { tanh, tanhGradient } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** The hyperbolic tangent, elementwise. */
export const tanhOperation: Operation<readonly [Tensor], undefined> = {
  name: "tanh",
  forward([x]) {
    const output = tanh(x);
    return { output, saved: [output] };
  },
  backward(gradient, [output]) {
    if (output === undefined) throw new Error("tanh: nothing was saved");
    return [tanhGradient(output, gradient)];
  },
};
