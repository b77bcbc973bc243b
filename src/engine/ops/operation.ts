import { tf, type TensorFlow } from "../tensorflow.js";

type Tensor = TensorFlow.Tensor;

/** What the forward pass of an op leaves behind. */
export interface Forward {
  readonly output: Tensor;
  /** What the backward pass reads; may hold inputs and the output. */
  readonly saved: readonly Tensor[];
}

/**
 * A differentiable op as a pair of plain functions over kernels. Integer tensors and settings are `options`; `inputs` are
 * the float tensors that get a gradient. An input may be undefined (a linear layer without bias).
 */
export interface Operation<Inputs extends readonly (Tensor | undefined)[], Options> {
  readonly name: string;
  forward(inputs: Inputs, options: Options): Forward;
  /**
   * The gradient of each input, in order, undefined for an undefined input; `saved` is as the forward pass left it.
   * @param wanted for each input whether its gradient is needed; where it is not, it may be left undefined. Default: all
   */
  backward(
    gradient: Tensor,
    saved: readonly Tensor[],
    options: Options,
    wanted?: readonly boolean[],
  ): readonly (Tensor | undefined)[];
}

/** Runs an op so that TF.js' own `grads` and `variableGrads` differentiate it. */
export function runDifferentiable<Inputs extends readonly (Tensor | undefined)[], Options>(
  operation: Operation<Inputs, Options>,
  inputs: Inputs,
  options: Options,
): Tensor {
  const present = inputs.filter((input): input is Tensor => input !== undefined);
  const run = tf.customGrad((...values: (Tensor | TensorFlow.GradSaveFunc)[]) => {
    const save = values[present.length] as TensorFlow.GradSaveFunc;
    const { output, saved } = operation.forward(inputs, options);
    save([...saved]);
    return {
      value: output,
      gradFunc: (gradient: Tensor, kept: Tensor[]) =>
        operation
          .backward(gradient, kept, options)
          .filter((_, index) => inputs[index] !== undefined) as Tensor[],
    };
  });
  return run(...present);
}
