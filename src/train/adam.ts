import { add, divide, multiply, scale, square, subtract } from "../engine/ops/kernels.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";

type Vector = TensorFlow.Tensor1D;

/** What an Adam update needs besides the gradient; the numbers are those of one step. */
export interface AdamStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** What the parameters are multiplied by first: 1 - learning rate x decay. */
  readonly keep: number;
  /** The step that is taken, counted from 1. */
  readonly count: number;
}

/** Parameters and their two moments as flat vectors of the same length, and the update of all three. */
export interface AdamState {
  /** Takes one step; the caller disposes the result. @returns the new parameters */
  apply(gradient: Vector, step: AdamStep): Vector;
  /** The moments now, copied to JavaScript. */
  moments(): { readonly first: Float32Array; readonly second: Float32Array };
  dispose(): void;
}

/** The values of a float tensor, copied to JavaScript. */
export function floatsOf(tensor: TensorFlow.Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
}

/** The values that a state starts from. */
export interface AdamStart {
  readonly parameters: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** The fused kernel on the native backend, plain TF.js operations elsewhere. */
export function createAdamState(start: AdamStart): AdamState {
  return tf.getBackend() === "tensorflow" ? new NativeAdamState(start) : new PortableAdamState(start);
}

/** Ten elementwise operations over flat vectors, in PyTorch's order; works on every backend. */
export class PortableAdamState implements AdamState {
  #parameters: Vector;
  #first: Vector;
  #second: Vector;

  constructor({ parameters, first, second }: AdamStart) {
    this.#parameters = tf.keep(tf.tensor1d(parameters.slice()));
    this.#first = tf.keep(tf.tensor1d(first.slice()));
    this.#second = tf.keep(tf.tensor1d(second.slice()));
  }

  apply(gradient: Vector, { learningRate, beta1, beta2, epsilon, keep, count }: AdamStep): Vector {
    const [parameters, first, second] = tf.tidy(() => {
      const scalar = (value: number): TensorFlow.Scalar => tf.scalar(value);
      const newFirst = add(scale(this.#first, beta1), scale(gradient, 1 - beta1));
      const newSecond = add(scale(this.#second, beta2), scale(square(gradient), 1 - beta2));
      const root = tf.sqrt(newSecond);
      const denominator = add(divide(root, scalar(Math.sqrt(1 - beta2 ** count))), scalar(epsilon));
      const rate = scalar(learningRate / (1 - beta1 ** count));
      const update = multiply(divide(newFirst, denominator), rate);
      return [subtract(multiply(this.#parameters, scalar(keep)), update), newFirst, newSecond] as [
        Vector,
        Vector,
        Vector,
      ];
    });
    tf.dispose([this.#parameters, this.#first, this.#second]);
    this.#parameters = tf.keep(parameters);
    this.#first = tf.keep(first);
    this.#second = tf.keep(second);
    return parameters.clone();
  }

  moments(): { first: Float32Array; second: Float32Array } {
    return { first: floatsOf(this.#first), second: floatsOf(this.#second) };
  }

  dispose(): void {
    tf.dispose([this.#parameters, this.#first, this.#second]);
  }
}

/** The parts of the native backend that run ops on TensorFlow's own variables. */
interface ResourceBackend {
  readonly binding: {
    readonly TF_FLOAT: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_SHAPE: number;
    readonly TF_ATTR_STRING: number;
    executeOp(
      name: string,
      attributes: readonly Attribute[],
      inputs: readonly number[],
      outputs: number,
    ): Output[];
    deleteTensor(id: number): void;
  };
  getInputTensorIds(tensors: readonly TensorFlow.Tensor[]): number[];
  createOutputTensor(output: Output): TensorFlow.Tensor;
}
interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | string | readonly number[];
}
interface Output {
  readonly id: number;
}

/** TensorFlow gives a variable of this shared name a place of its own instead of looking the name up. */
const ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";

/** Learning rate and epsilon that hold the corrections of `ResourceApplyAdam`, which is fed powers of 0. */
export function correctedForKernel({
  learningRate,
  beta1,
  beta2,
  epsilon,
  count,
}: Omit<AdamStep, "keep">): Pick<AdamStep, "learningRate" | "epsilon"> {
  // The kernel works with the float32 neighbours of the betas; so must its corrections.
  const [power1, power2] = [Math.fround(beta1) ** count, Math.fround(beta2) ** count];
  const correction = Math.sqrt(1 - power2);
  return { learningRate: (learningRate * correction) / (1 - power1), epsilon: epsilon * correction };
}

/**
 * Variables inside TensorFlow that `ResourceApplyAdam` updates in place, in one pass over memory. The kernel's own
 * bias correction computes 1 - beta2^t in float32 (an error of 3e-5 at the first step) and adds epsilon to the
 * uncorrected root; so it is fed powers of 0, and the corrections go into the learning rate and epsilon, which makes
 * it the same formula as PyTorch's.
 */
export class NativeAdamState implements AdamState {
  readonly #backend = tf.backend() as unknown as ResourceBackend;
  readonly #parameters: number;
  readonly #first: number;
  readonly #second: number;

  constructor({ parameters, first, second }: AdamStart) {
    this.#parameters = this.#variable(parameters);
    this.#first = this.#variable(first);
    this.#second = this.#variable(second);
  }

  apply(gradient: Vector, { learningRate, beta1, beta2, epsilon, keep, count }: AdamStep): Vector {
    return tf.tidy(() => {
      if (keep !== 1) {
        const kept = tf.tidy(() => multiply(this.#read(this.#parameters), tf.scalar(keep)));
        this.#run("AssignVariableOp", this.#parameters, [kept]);
        kept.dispose(); // The variable's buffer is now its own, so the kernel need not copy it.
      }
      const corrected = correctedForKernel({ learningRate, beta1, beta2, epsilon, count });
      const [zero, rate] = [tf.scalar(0), tf.scalar(corrected.learningRate)];
      const scalars = [zero, zero, rate, tf.scalar(beta1), tf.scalar(beta2), tf.scalar(corrected.epsilon)];
      this.#run("ResourceApplyAdam", this.#parameters, [...scalars, gradient], [this.#first, this.#second]);
      return this.#read(this.#parameters);
    });
  }

  moments(): { first: Float32Array; second: Float32Array } {
    return tf.tidy(() => ({
      first: floatsOf(this.#read(this.#first)),
      second: floatsOf(this.#read(this.#second)),
    }));
  }

  dispose(): void {
    for (const handle of [this.#parameters, this.#first, this.#second]) {
      this.#backend.binding.deleteTensor(handle); // The last handle of a variable takes its memory along.
    }
  }

  #variable(values: Float32Array): number {
    const { binding } = this.#backend;
    const [output] = binding.executeOp(
      "VarHandleOp",
      [
        { name: "dtype", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
        { name: "shape", type: binding.TF_ATTR_SHAPE, value: [values.length] },
        { name: "shared_name", type: binding.TF_ATTR_STRING, value: ANONYMOUS },
      ],
      [],
      1,
    );
    if (output === undefined) throw new Error("VarHandleOp gave no handle");
    tf.tidy(() => {
      this.#run("AssignVariableOp", output.id, [tf.tensor1d(values.slice())]);
    });
    return output.id;
  }

  #read(handle: number): Vector {
    const { binding } = this.#backend;
    const type = [{ name: "dtype", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
    const [output] = binding.executeOp("ReadVariableOp", type, [handle], 1);
    if (output === undefined) throw new Error("ReadVariableOp gave no value");
    return this.#backend.createOutputTensor(output) as Vector;
  }

  #run(
    name: string,
    handle: number,
    inputs: readonly TensorFlow.Tensor[],
    handles: readonly number[] = [],
  ): void {
    const ids = [handle, ...handles, ...this.#backend.getInputTensorIds(inputs)];
    this.#backend.binding.executeOp(name, [], ids, 0);
  }
}
