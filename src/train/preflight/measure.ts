import type { BatchArrays } from "../batch.js";
import { type GradientSink, meanLoss, stepLoss } from "../loss.js";
import type { LossOptions, Objective } from "../objective.js";

/** Loss of a step and its gradient over all parameters, one after another; no gradient where the model has dropout. */
export interface LossGradient {
  /** Nats per supervised token. */
  readonly loss: number;
  readonly gradient: Float64Array;
}

/**
 * Loss and gradient of a step, without dropout.
 * @param batches one forward and backward pass each
 * @param options what the run adds to the loss; nothing by default
 */
export function lossGradient(
  objective: Objective,
  batches: readonly BatchArrays[],
  options?: LossOptions,
): LossGradient {
  const { model } = objective;
  // A gradient is only ever taken with dropout.
  if (model.hasDropout === true) return { loss: meanLoss(objective, batches), gradient: new Float64Array() };
  const variables = [...model.parameters.values()];
  const gradient = new Float64Array(variables.reduce((sum, { size }) => sum + size, 0));
  const accumulate: GradientSink["accumulate"] = (gradients) => {
    let place = 0;
    for (const { name, size } of variables) {
      gradients[name]?.dataSync().forEach((value, index) => {
        gradient[place + index] = (gradient[place + index] ?? 0) + value;
      });
      place += size;
    }
  };
  const loss = stepLoss(objective, batches, { accumulate }, 0, options);
  return { loss, gradient };
}

/** How far two measurements of the same step are apart. */
export interface Difference {
  /** Of the losses, in nats, divided by the loss where that is above 1. */
  readonly loss: number;
  /** Norm of the difference of the gradients divided by the norm of the gradient. */
  readonly gradient: number;
}

/** @param reference what the other is compared with */
export function differenceOf(other: LossGradient, reference: LossGradient): Difference {
  let [apart, whole] = [0, 0];
  reference.gradient.forEach((value, index) => {
    apart += ((other.gradient[index] ?? NaN) - value) ** 2;
    whole += value ** 2;
  });
  return {
    loss: Math.abs(other.loss - reference.loss) / Math.max(1, Math.abs(reference.loss)),
    gradient: whole === 0 ? Math.sqrt(apart) : Math.sqrt(apart / whole),
  };
}

/** Euclidean norm. */
export function normOf(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}
