import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { floatsOf, NativeAdamState } from "../adam.js";
import type { OptimizerConfig } from "./config.js";
import type { GroupStart, GroupState } from "./group-state.js";
import { isAdamW, updateRule } from "./index.js";
import type { Slots, StepNumbers, UpdateRule } from "./rule.js";

type Vector = TensorFlow.Tensor1D;

/** TensorFlow's fused kernel where there is one, else the rule's own operations. */
export function createGroupState(config: OptimizerConfig, start: GroupStart): GroupState {
  return isAdamW(config) && tf.getBackend() === "tensorflow"
    ? new NativeAdamState(config, start)
    : new RuleState(updateRule(config), start);
}

/** An optimizer's rule on tensors that are made anew in each step; works on every backend. */
export class RuleState implements GroupState {
  readonly #rule: UpdateRule;
  readonly #shape: readonly number[];
  #parameter: TensorFlow.Tensor;
  #slots: Readonly<Record<string, TensorFlow.Tensor>>;

  constructor(rule: UpdateRule, { parameters, slots, shape }: GroupStart) {
    this.#rule = rule;
    this.#shape = shape;
    this.#parameter = keptVector(parameters);
    this.#slots = Object.fromEntries(
      Object.entries(slots).map(([name, values]) => [name, keptVector(values)]),
    );
  }

  apply(gradient: Vector, step: StepNumbers): Vector {
    const before = [this.#parameter, ...Object.values(this.#slots)];
    tf.tidy(() => {
      const tensors = { parameter: this.#parameter, gradient, slots: this.#slots };
      const { parameter, slots } = this.#rule.apply(tensors, numberTensors(this.#rule, step), this.#shape);
      this.#parameter = tf.keep(parameter);
      this.#slots = slots;
      for (const slot of Object.values(slots)) tf.keep(slot);
    });
    tf.dispose(before);
    return this.parameters();
  }

  parameters(): Vector {
    return this.#parameter.clone() as Vector;
  }

  slots(): Slots {
    return Object.fromEntries(Object.entries(this.#slots).map(([name, value]) => [name, floatsOf(value)]));
  }

  dispose(): void {
    tf.dispose([this.#parameter, ...Object.values(this.#slots)]);
  }
}

/** What a step feeds to a rule, as scalars; the caller disposes them. */
export function numberTensors(rule: UpdateRule, step: StepNumbers): Record<string, TensorFlow.Scalar> {
  const numbers = Object.entries(rule.numbers(step));
  return Object.fromEntries(numbers.map(([name, value]) => [name, tf.scalar(value)]));
}

function keptVector(values: Float32Array): TensorFlow.Tensor {
  return tf.keep(tf.tensor1d(values.slice()));
}
