import type { TensorFlow } from "../tensorflow.js";
import { add, matmul, sum } from "./kernels.js";
import { rawOps, NO_ATTRIBUTES } from "./raw-ops.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface LinearOptions {
  /** The weight is `[out, in]` (as an embedding used as a head) instead of `[in, out]`. */
  readonly transposed: boolean;
}

const ALL: readonly boolean[] = [true, true, true];

/** `x [rows, in]` times `weight [in, out]` plus `bias [out]`. */
export const linearOperation: Operation<readonly [Tensor, Tensor, Tensor | undefined], LinearOptions> = {
  name: "linear",
  forward([x, weight, bias], { transposed }) {
    const product = matmul(x, weight, false, transposed);
    const output = bias === undefined ? product : addBias(product, bias);
    return { output, saved: bias === undefined ? [x, weight] : [x, weight, bias] };
  },
  backward(gradient, [x, weight, bias], { transposed }, [inputWanted, weightWanted, biasWanted] = ALL) {
    if (x === undefined || weight === undefined) throw new Error("linear: nothing was saved");
    const weightGradient = (): Tensor => (transposed ? matmul(gradient, x, true) : matmul(x, gradient, true));
    return [
      inputWanted === true ? matmul(gradient, weight, false, !transposed) : undefined,
      weightWanted === true ? weightGradient() : undefined,
      bias !== undefined && biasWanted === true ? biasGradient(gradient) : undefined,
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
