import { add, multiply, scale, subtract } from "../../engine/ops/kernels.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import type { LionConfig } from "./config.js";
import {
  decays,
  slotOf,
  type StepNumbers,
  type Updated,
  type UpdateRule,
  type UpdateTensors,
} from "./rule.js";

type Names = "keep" | "rate";

/** Lion: every weight moves by the learning rate, in the direction of the sign of an average of the gradients. */
export class LionRule implements UpdateRule<Names> {
  readonly needsShape = false;
  readonly #config: LionConfig;

  constructor(config: LionConfig) {
    this.#config = config;
  }

  slots(shape: readonly number[]): Record<"momentum", readonly number[]> {
    return { momentum: shape };
  }

  numbers({ learningRate }: StepNumbers): Record<Names, number> {
    return { keep: 1 - learningRate * this.#config.weightDecay, rate: learningRate };
  }

  apply(
    { parameter, gradient, slots }: UpdateTensors,
    { keep, rate }: Readonly<Record<Names, TensorFlow.Tensor>>,
    shape: readonly number[],
  ): Updated {
    const { beta1, beta2, weightDecay } = this.#config;
    const before = slotOf(slots, "momentum");
    const direction = tf.sign(add(scale(before, beta1), scale(gradient, 1 - beta1)));
    const kept = decays(shape) && weightDecay !== 0 ? multiply(parameter, keep) : parameter;
    return {
      parameter: subtract(kept, multiply(direction, rate)),
      slots: { momentum: add(scale(before, beta2), scale(gradient, 1 - beta2)) },
    };
  }
}
