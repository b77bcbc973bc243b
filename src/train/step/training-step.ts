import type { BatchArrays } from "../batch.js";
import type { TrainConfig } from "../config.js";
import type { Slots } from "../optimizers/rule.js";
import type { WeightChoice } from "../weight-average.js";

/** What of a run's configuration its steps depend on. */
export type StepConfig = Pick<
  TrainConfig,
  "optimizer" | "weightAverage" | "loss" | "activationCheckpointing"
>;

/** The two numbers that a step is judged by before it is taken. */
export interface StepMeasure {
  /** Nats per supervised token, over all batches of the step. */
  readonly loss: number;
  /** Norm of the gradient over all parameters, before clipping. */
  readonly gradientNorm: number;
}

/**
 * What an optimizer step is made of. Parameters and what the optimizer keeps belong to it while it lives: the model's own
 * variables have the values of the last `synchronise`.
 */
export interface TrainingStep {
  /** Computes loss and gradient of a step; nothing is updated yet. @param batches one forward and backward pass each */
  measure(batches: readonly BatchArrays[]): StepMeasure;
  /** Clips the gradient, updates the parameters and forgets the gradient. @param gradientNorm of `measure` */
  update(learningRate: number, gradientNorm: number): void;
  /** Forgets the gradient of a step that is not taken. */
  discard(): void;
  /**
   * Gives the model's variables the weights of now, the latest by default. After the average, give them the latest again
   * before the next `measure`.
   */
  synchronise(weights?: WeightChoice): void;
  /** Takes the values of the model's variables for the weights, at the end of a run. */
  takeOver(): void;
  /**
   * The terms of the loss of a batch without dropout and added terms, with the weights of the last `synchronise`.
   * @returns nats summed over the targets of each term
   */
  lossSums(arrays: BatchArrays): readonly number[];
  /** What is kept for every parameter (moments, their average), copied to JavaScript. */
  slots(): Map<string, Slots>;
  dispose(): void;
}

/** "compiled": one TensorFlow graph. "eager": kernels called one by one. */
export type StepKind = "compiled" | "eager";
