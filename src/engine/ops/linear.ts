import type { TensorFlow } from "../tensorflow.js";
import { add, matmul, sum } from "./kernels.js";
import { rawOps, NO_ATTRIBUTES } from "./raw-ops.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface LinearOptions {
  /** The weight is `[out, in]` (as an embedding used as a head) instead of `[in, out]`. */
  readonly transposed: boolean;
}

/** `x [rows, in]` times `weight [in, out]` plus `bias [out]`. */
export const linearOperation: Operation<readonly [Tensor, Tensor, Tensor | undefined], LinearOptions> = {
  name: "linear",
  forward([x, weight, bias], { transposed }) {
    const product = matmul(x, weight, false, transposed);
    const output = bias === undefined ? product : addBias(product, bias);
    return { output, saved: bias === undefined ? [x, weight] : [x, weight, bias] };
  },
  backward(gradient, [x, weight, bias], { transposed }) {
    if (x === undefined || weight === undefined) throw new Error("linear: nothing was saved");
    return [
      matmul(gradient, weight, false, !transposed),
      transposed ? matmul(gradient, x, true) : matmul(x, gradient, true),
      bias === undefined ? undefined : biasGradient(gradient),
    ];
  },
};

function addBias(x: Tensor, bias: Tensor): Tensor {
  const raw = rawOps();
  return raw === undefined ? add(x, bias) : raw.executeSingleOutput("BiasAdd", NO_ATTRIBUTES, [x, bias]);
}

function biasGradient(gradient: Tensor): Tensor {
  const raw = rawOps();
  if (raw === undefined) return sum(gradient, [0]);
  return raw.executeSingleOutput("BiasAddGrad", NO_ATTRIBUTES, [gradient]);
}

/**
 * A linear layer. Batched inputs are reshaped to 2-D by the caller: TF.js' gradient of a matrix product ignores
 * broadcasting (tfjs#8721), and a 2-D product is the faster kernel.
 * @param x `[rows, in]`
 * @param weight `[in, out]`, or `[out, in]` when `transposed`
 * @returns `[rows, out]`
 */
export function linear(
  x: TensorFlow.Tensor2D,
  weight: TensorFlow.Tensor2D,
  bias?: TensorFlow.Tensor1D,
  transposed = false,
): TensorFlow.Tensor2D {
  return runDifferentiable(linearOperation, [x, weight, bias], { transposed }) as TensorFlow.Tensor2D;
}
