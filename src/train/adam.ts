import { multiply } from "../engine/ops/kernels.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { AdamWConfig } from "./optimizers/config.js";
import type { GroupStart, GroupState } from "./optimizers/group-state.js";
import { decays, slotOf, type StepNumbers } from "./optimizers/rule.js";

type Vector = TensorFlow.Tensor1D;

/** The values of a float tensor, copied to JavaScript. */
export function floatsOf(tensor: TensorFlow.Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
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
export function correctedForKernel(
  { beta1, beta2, epsilon }: AdamWConfig,
  { learningRate, count }: StepNumbers,
): { readonly learningRate: number; readonly epsilon: number } {
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
export class NativeAdamState implements GroupState {
  readonly #backend = tf.backend() as unknown as ResourceBackend;
  readonly #config: AdamWConfig;
  readonly #decays: boolean;
  readonly #parameters: number;
  readonly #first: number;
  readonly #second: number;

  constructor(config: AdamWConfig, { parameters, slots, shape }: GroupStart) {
    this.#config = config;
    this.#decays = decays(shape) && config.weightDecay !== 0;
    this.#parameters = this.#variable(parameters);
    this.#first = this.#variable(slotOf(slots, "first"));
    this.#second = this.#variable(slotOf(slots, "second"));
  }

  apply(gradient: Vector, step: StepNumbers): Vector {
    const { beta1, beta2, weightDecay } = this.#config;
    return tf.tidy(() => {
      if (this.#decays) {
        const keep = tf.scalar(1 - step.learningRate * weightDecay);
        const kept = tf.tidy(() => multiply(this.#read(this.#parameters), keep));
        this.#run("AssignVariableOp", this.#parameters, [kept]);
        kept.dispose(); // The variable's buffer is now its own, so the kernel need not copy it.
      }
      const corrected = correctedForKernel(this.#config, step);
      const [zero, rate] = [tf.scalar(0), tf.scalar(corrected.learningRate)];
      const scalars = [zero, zero, rate, tf.scalar(beta1), tf.scalar(beta2), tf.scalar(corrected.epsilon)];
      this.#run("ResourceApplyAdam", this.#parameters, [...scalars, gradient], [this.#first, this.#second]);
      return this.#read(this.#parameters);
    });
  }

  parameters(): Vector {
    return this.#read(this.#parameters);
  }

  slots(): Record<"first" | "second", Float32Array> {
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
