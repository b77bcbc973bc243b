import { add, addScalar, divide, multiply, scale, square, subtract } from "../../engine/ops/kernels.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import type { AdamWConfig } from "./config.js";
import {
  decays,
  slotOf,
  type StepNumbers,
  type Updated,
  type UpdateRule,
  type UpdateTensors,
} from "./rule.js";

/** `rate` and `root` hold the corrections of the two moments. */
type Names = "keep" | "rate" | "root";

/** AdamW in PyTorch's order, for backends without the fused kernel of `NativeAdamState`. */
export class AdamWRule implements UpdateRule<Names> {
  readonly needsShape = false;
  readonly #config: AdamWConfig;

  constructor(config: AdamWConfig) {
    this.#config = config;
  }

  slots(shape: readonly number[]): Record<"first" | "second", readonly number[]> {
    return { first: shape, second: shape };
  }

  numbers({ learningRate, count }: StepNumbers): Record<Names, number> {
    const { beta1, beta2, weightDecay } = this.#config;
    return {
      keep: 1 - learningRate * weightDecay,
      rate: learningRate / (1 - beta1 ** count),
      root: Math.sqrt(1 - beta2 ** count),
    };
  }

  apply(
    { parameter, gradient, slots }: UpdateTensors,
    { keep, rate, root }: Readonly<Record<Names, TensorFlow.Tensor>>,
    shape: readonly number[],
  ): Updated {
    const { beta1, beta2, epsilon, weightDecay } = this.#config;
    const first = add(scale(slotOf(slots, "first"), beta1), scale(gradient, 1 - beta1));
    const second = add(scale(slotOf(slots, "second"), beta2), scale(square(gradient), 1 - beta2));
    const denominator = addScalar(divide(tf.sqrt(second), root), epsilon);
    const kept = decays(shape) && weightDecay !== 0 ? multiply(parameter, keep) : parameter;
    const update = multiply(divide(first, denominator), rate);
    return { parameter: subtract(kept, update), slots: { first, second } };
  }
}
