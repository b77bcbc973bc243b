import type { TensorFlow } from "../tensorflow.js";
import { add, addScalar, erf, exp, multiply, scale, sigmoid, sigmoidGradient, square } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** `2 sqrt(2 / pi)` and the cubic coefficient of the tanh form. */
const SLOPE = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/**
 * GELU in its tanh form, written as `x * sigmoid(SLOPE * (x + CUBIC x^3))`: the same function with two passes fewer,
 * because `(1 + tanh u) / 2 = sigmoid(2 u)`.
 */
export const geluOperation: Operation<readonly [Tensor], undefined> = {
  name: "gelu",
  forward([x]) {
    const gate = gateOf(x);
    return { output: multiply(x, gate), saved: [x, gate] };
  },
  backward(gradient, [x, gate]) {
    if (x === undefined || gate === undefined) throw new Error("gelu: nothing was saved");
    return [multiply(gradient, slopeOf(x, gate))];
  },
};

function gateOf(x: Tensor): Tensor {
  return sigmoid(multiply(x, addScalar(scale(square(x), SLOPE * CUBIC), SLOPE)));
}

/** d/dx x s(z(x)) = s + x s (1 - s) z', z' = SLOPE + 3 SLOPE CUBIC x^2 */
function slopeOf(x: Tensor, gate: Tensor): Tensor {
  const inner = multiply(x, addScalar(scale(square(x), 3 * SLOPE * CUBIC), SLOPE));
  return add(gate, sigmoidGradient(gate, inner));
}

/** `x * P(normal < x)`, as BERT has it ("gelu"). */
export const exactGeluOperation: Operation<readonly [Tensor], undefined> = {
  name: "exactGelu",
  forward([x]) {
    const share = scale(addScalar(erf(scale(x, Math.SQRT1_2)), 1), 0.5);
    return { output: multiply(x, share), saved: [x, share] };
  },
  backward(gradient, [x, share]) {
    if (x === undefined || share === undefined) throw new Error("exactGelu: nothing was saved");
    const density = scale(exp(scale(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [multiply(gradient, add(share, multiply(x, density)))];
  },
};

/** GELU, tanh form ("gelu_new"; Hendrycks and Gimpel 2016), elementwise. */
export function gelu<T extends Tensor>(x: T): T {
  return runDifferentiable(geluOperation, [x], undefined) as T;
}

/** `gelu(gate) * value`, elementwise: the middle of a gated feed-forward layer (GEGLU; Shazeer 2020). */
export const gegluOperation: Operation<readonly [Tensor, Tensor], undefined> = {
  name: "geglu",
  forward([x, value]) {
    const gate = gateOf(x);
    const activated = multiply(x, gate);
    return { output: multiply(activated, value), saved: [x, value, gate, activated] };
  },
  backward(gradient, [x, value, gate, activated]) {
    if (x === undefined || value === undefined || gate === undefined || activated === undefined)
      throw new Error("geglu: nothing was saved");
    return [multiply(multiply(gradient, value), slopeOf(x, gate)), multiply(gradient, activated)];
  },
};

/** GEGLU of two halves of equal shape. */
export function geglu<T extends Tensor>(gate: T, value: T): T {
  return runDifferentiable(gegluOperation, [gate, value], undefined) as T;
}
