import type { TensorFlow } from "../tensorflow.js";
import { absent, fusedOps, normAttributes } from "./fused.js";
import { add, addScalar, mean, multiply, rsqrt, square, subtract, sum } from "./kernels.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** Which normalization. */
export interface NormOptions {
  /** True for LayerNorm, which takes the mean off; false for RMSNorm. */
  readonly centred: boolean;
  readonly epsilon: number;
}

/** `(x - mean) / sqrt(mean((x - mean)^2) + epsilon) * gain + bias` over the last axis of `x [rows, width]`. */
export const normOperation: Operation<readonly [Tensor, Tensor, Tensor | undefined], NormOptions> = {
  name: "norm",
  forward([x, gain, bias], { centred, epsilon }) {
    const kept = bias === undefined ? [gain] : [gain, bias];
    const fused = fusedOps();
    if (fused !== undefined) {
      const inputs = [x, gain, bias ?? absent()];
      const attributes = normAttributes(fused, centred, epsilon);
      const [output, statistics] = fused.executeMultipleOutputs("IftKitNorm", attributes, inputs, 2);
      if (output === undefined || statistics === undefined) throw new Error("norm: an output is missing");
      return { output, saved: [x, statistics, ...kept] };
    }
    const shifted = centred ? subtract(x, mean(x, [1], true)) : x;
    const inverse = rsqrt(addScalar(mean(square(shifted), [1], true), epsilon));
    const normed = multiply(shifted, inverse);
    const scaled = multiply(normed, gain);
    return { output: bias === undefined ? scaled : add(scaled, bias), saved: [normed, inverse, ...kept] };
  },
  backward(gradient, [first, second, gain, bias], { centred }) {
    if (first === undefined || second === undefined || gain === undefined)
      throw new Error("norm: nothing was saved");
    const fused = fusedOps();
    if (fused !== undefined) {
      const inputs = [gradient, first, second, gain];
      const attributes = normAttributes(fused, centred);
      const [dx, dGain, dBias] = fused.executeMultipleOutputs("IftKitNormGradient", attributes, inputs, 3);
      return [dx, dGain, bias === undefined ? undefined : dBias];
    }
    const [normed, inverse] = [first, second];
    const inner = multiply(gradient, gain);
    // d x = inverse * (inner - mean(inner) - normed * mean(inner * normed)), means over the width.
    const projected = multiply(normed, mean(multiply(inner, normed), [1], true));
    const shifted = centred ? subtract(inner, mean(inner, [1], true)) : inner;
    return [
      multiply(subtract(shifted, projected), inverse),
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
  return runDifferentiable(normOperation, [x, gain, bias], { centred: true, epsilon }) as TensorFlow.Tensor2D;
}

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
  const options = { centred: false, epsilon };
  return runDifferentiable(normOperation, [x, gain, undefined], options) as TensorFlow.Tensor2D;
}
