import type { TensorFlow } from "../tensorflow.js";
import { addScalar, mean, multiply, rsqrt, square, subtract, sum } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface NormOptions {
  readonly epsilon: number;
}

/** `x / sqrt(mean(x^2) + epsilon) * gain` over the last axis of `x [rows, width]`. */
export const rmsNormOperation: Operation<readonly [Tensor, Tensor], NormOptions> = {
  name: "rmsNorm",
  forward([x, gain], { epsilon }) {
    const inverse = rsqrt(addScalar(mean(square(x), [1], true), epsilon));
    const normed = multiply(x, inverse);
    return { output: multiply(normed, gain), saved: [normed, inverse, gain] };
  },
  backward(gradient, [normed, inverse, gain]) {
    if (normed === undefined || inverse === undefined || gain === undefined)
      throw new Error("rmsNorm: nothing was saved");
    const weighted = multiply(gradient, normed);
    // d x = inverse * (gradient * gain - normed * mean(gradient * gain * normed)), the mean over the width.
    const projected = multiply(normed, mean(multiply(weighted, gain), [1], true));
    return [multiply(subtract(multiply(gradient, gain), projected), inverse), sum(weighted, [0])];
  },
};

/**
 * Root-mean-square normalization (Zhang and Sennrich 2019) over the last axis.
 * @param x `[rows, width]`
 * @param gain `[width]`
 */
export function rmsNorm(
  x: TensorFlow.Tensor2D,
  gain: TensorFlow.Tensor1D,
  epsilon: number,
): TensorFlow.Tensor2D {
  return runDifferentiable(rmsNormOperation, [x, gain], { epsilon }) as TensorFlow.Tensor2D;
}
