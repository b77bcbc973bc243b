import type { TensorFlow } from "../tensorflow.js";
import { add, multiply, sigmoid, sigmoidGradient } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** `x * sigmoid(x)`, elementwise. */
export const siluOperation: Operation<readonly [Tensor], undefined> = {
  name: "silu",
  forward([x]) {
    const gate = sigmoid(x);
    return { output: multiply(x, gate), saved: [x, gate] };
  },
  backward(gradient, [x, gate]) {
    if (x === undefined || gate === undefined) throw new Error("silu: nothing was saved");
    return [multiply(gradient, add(gate, sigmoidGradient(gate, x)))];
  },
};

/** SiLU, also called swish, elementwise. */
export function silu<T extends Tensor>(x: T): T {
  return runDifferentiable(siluOperation, [x], undefined) as T;
}

/** `silu(gate) * value`, elementwise: the middle of a SwiGLU feed-forward layer (Shazeer 2020). */
export const swigluOperation: Operation<readonly [Tensor, Tensor], undefined> = {
  name: "swiglu",
  forward([gate, value]) {
    const open = sigmoid(gate);
    const activated = multiply(gate, open);
    return { output: multiply(activated, value), saved: [gate, value, open, activated] };
  },
  backward(gradient, [gate, value, open, activated]) {
    if (gate === undefined || value === undefined || open === undefined || activated === undefined)
      throw new Error("swiglu: nothing was saved");
    const slope = add(open, sigmoidGradient(open, gate));
    return [multiply(multiply(gradient, value), slope), multiply(gradient, activated)];
  },
};

/** SwiGLU of two halves of equal shape. */
export function swiglu<T extends Tensor>(gate: T, value: T): T {
  return runDifferentiable(swigluOperation, [gate, value], undefined) as T;
}
