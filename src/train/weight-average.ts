import { add, multiply, subtract } from "../engine/ops/kernels.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { floatsOf } from "./adam.js";

type Vector = TensorFlow.Tensor1D;

/** Which weights: those that are trained, or their moving average. */
export type WeightChoice = "latest" | "average";

/** The name under which the average is kept for each parameter, beside what the optimizer keeps. */
export const AVERAGE_SLOT = "average";

/**
 * The share of the new weights in the average after a step. The average starts as the weights of the first step, as in
 * PyTorch's `AveragedModel` with `get_ema_multi_avg_fn`.
 * @param count the step that was taken, counted from 1
 */
export function averageShare(decay: number, count: number): number {
  return count === 1 ? 1 : 1 - decay;
}

/** The average after a step; `share` is a scalar. With a share of 1 and an average of 0 it is the parameter exactly. */
export function movedAverage(
  average: TensorFlow.Tensor,
  parameter: TensorFlow.Tensor,
  share: TensorFlow.Tensor,
): TensorFlow.Tensor {
  return add(average, multiply(subtract(parameter, average), share));
}

/** An exponential moving average of a group of parameters, as one flat vector. */
export class WeightAverage {
  readonly #decay: number;
  #average: Vector;

  /** @param start 0 before the first step */
  constructor(decay: number, start: Float32Array) {
    this.#decay = decay;
    this.#average = tf.keep(tf.tensor1d(start.slice()));
  }

  /** @param count the step that was taken, counted from 1 */
  add(parameters: Vector, count: number): void {
    const before = this.#average;
    const share = tf.scalar(averageShare(this.#decay, count));
    this.#average = tf.keep(tf.tidy(() => movedAverage(before, parameters, share) as Vector));
    tf.dispose([before, share]);
  }

  /** The average now; the caller disposes it. */
  value(): Vector {
    return this.#average.clone();
  }

  /** The average now, copied to JavaScript. */
  floats(): Float32Array {
    return floatsOf(this.#average);
  }

  dispose(): void {
    this.#average.dispose();
  }
}
