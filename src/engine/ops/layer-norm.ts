import type { TensorFlow } from "../tensorflow.js";
import { add, addScalar, mean, multiply, rsqrt, square, subtract, sum } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface NormOptions {
  readonly epsilon: number;
}

/** `(x - mean) / sqrt(variance + epsilon) * gain + bias` over the last axis of `x [rows, width]`. */
export const layerNormOperation: Operation<readonly [Tensor, Tensor, Tensor | undefined], NormOptions> = {
  name: "layerNorm",
  forward([x, gain, bias], { epsilon }) {
    const centred = subtract(x, mean(x, [1], true));
    const inverse = rsqrt(addScalar(mean(square(centred), [1], true), epsilon));
    const normed = multiply(centred, inverse);
    const scaled = multiply(normed, gain);
    return {
      output: bias === undefined ? scaled : add(scaled, bias),
      saved: bias === undefined ? [normed, inverse, gain] : [normed, inverse, gain, bias],
    };
  },
  backward(gradient, [normed, inverse, gain, bias]) {
    if (normed === undefined || inverse === undefined || gain === undefined)
      throw new Error("layerNorm: nothing was saved");
    const inner = multiply(gradient, gain);
    // d x = inverse * (inner - mean(inner) - normed * mean(inner * normed)), means over the width.
    const projected = multiply(normed, mean(multiply(inner, normed), [1], true));
    const centred = subtract(inner, mean(inner, [1], true));
    return [
      multiply(subtract(centred, projected), inverse),
      sum(multiply(gradient, normed), [0]),
      bias === undefined ? undefined : sum(gradient, [0]),
    ];
  },
};

/**
 * Layer normalization (Ba, Kiros and Hinton 2016) over the last axis.
 * @param x `[rows, width]`
 * @param gain `[width]`
 * @param bias `[width]`
 */
export function layerNorm(
  x: TensorFlow.Tensor2D,
  gain: TensorFlow.Tensor1D,
  bias: TensorFlow.Tensor1D | undefined,
  epsilon: number,
): TensorFlow.Tensor2D {
  return runDifferentiable(layerNormOperation, [x, gain, bias], { epsilon }) as TensorFlow.Tensor2D;
}
