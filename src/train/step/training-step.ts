import type { BatchArrays } from "../batch.js";
import type { Moments } from "../optimizer.js";

/** The two numbers that a step is judged by before it is taken. */
export interface StepMeasure {
  /** Nats per supervised token, over all batches of the step. */
  readonly loss: number;
  /** Norm of the gradient over all parameters, before clipping. */
  readonly gradientNorm: number;
}

/**
 * What an optimizer step is made of. Parameters and moments belong to it while it lives: the model's own variables have
 * the values of the last `synchronise`.
 */
export interface TrainingStep {
  /** Computes loss and gradient of a step; nothing is updated yet. @param batches one forward and backward pass each */
  measure(batches: readonly BatchArrays[]): StepMeasure;
  /** Clips the gradient, updates the parameters and forgets the gradient. @param gradientNorm of `measure` */
  update(learningRate: number, gradientNorm: number): void;
  /** Forgets the gradient of a step that is not taken. */
  discard(): void;
  /** Gives the model's variables the parameters of now. */
  synchronise(): void;
  /** The moments of every parameter, copied to JavaScript. */
  moments(): Map<string, Moments>;
  dispose(): void;
}

/** "compiled": one TensorFlow graph. "eager": kernels called one by one. */
export type StepKind = "compiled" | "eager";

/** Steps taken so far and the moments, to go on from a checkpoint. */
export interface SavedOptimizer {
  readonly count: number;
  readonly moments: ReadonlyMap<string, Moments>;
}
