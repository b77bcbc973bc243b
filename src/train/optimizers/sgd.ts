import { add, multiply, scale, subtract } from "../../engine/ops/kernels.js";
import type { TensorFlow } from "../../engine/tensorflow.js";
import type { SgdConfig } from "./config.js";
import {
  decays,
  slotOf,
  type StepNumbers,
  type Updated,
  type UpdateRule,
  type UpdateTensors,
} from "./rule.js";

/** `torch.optim.SGD` without dampening. Its first step takes the gradient as the momentum, as a momentum of 0 does. */
export class SgdRule implements UpdateRule<"rate"> {
  readonly needsShape = false;
  readonly #config: SgdConfig;

  constructor(config: SgdConfig) {
    this.#config = config;
  }

  slots(shape: readonly number[]): Record<string, readonly number[]> {
    return this.#config.momentum === 0 ? {} : { momentum: shape };
  }

  numbers({ learningRate }: StepNumbers): Record<"rate", number> {
    return { rate: learningRate };
  }

  apply(
    { parameter, gradient, slots }: UpdateTensors,
    { rate }: Readonly<Record<"rate", TensorFlow.Tensor>>,
    shape: readonly number[],
  ): Updated {
    const { momentum, nesterov, weightDecay } = this.#config;
    const decayed =
      decays(shape) && weightDecay !== 0 ? add(gradient, scale(parameter, weightDecay)) : gradient;
    const stepped = (direction: TensorFlow.Tensor): TensorFlow.Tensor =>
      subtract(parameter, multiply(direction, rate));
    if (momentum === 0) return { parameter: stepped(decayed), slots: {} };
    const sum = add(scale(slotOf(slots, "momentum"), momentum), decayed);
    const direction = nesterov ? add(decayed, scale(sum, momentum)) : sum;
    return { parameter: stepped(direction), slots: { momentum: sum } };
  }
}
