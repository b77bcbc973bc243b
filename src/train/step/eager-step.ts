import type { BatchArrays } from "../batch.js";
import type { OptimizerConfig } from "../config.js";
import { stepLoss, type TrainableModel } from "../loss.js";
import { AdamW, type Moments } from "../optimizer.js";
import type { SavedOptimizer, StepMeasure, TrainingStep } from "./training-step.js";

/** A step whose kernels are called one by one: runs on every backend, and is what the compiled step must agree with. */
export class EagerStep implements TrainingStep {
  readonly #model: TrainableModel;
  readonly #optimizer: AdamW;

  constructor(model: TrainableModel, config: OptimizerConfig, saved?: SavedOptimizer) {
    this.#model = model;
    this.#optimizer = new AdamW(model.parameters, config, saved);
  }

  measure(batches: readonly BatchArrays[]): StepMeasure {
    const loss = stepLoss(this.#model, batches, this.#optimizer, this.#optimizer.count);
    return { loss, gradientNorm: this.#optimizer.gradientNorm() };
  }

  update(learningRate: number, gradientNorm: number): void {
    this.#optimizer.step(learningRate, gradientNorm);
  }

  discard(): void {
    this.#optimizer.discardGradient();
  }

  /** The optimizer assigns the model's variables in each step. */
  synchronise(): void {
    return undefined;
  }

  moments(): Map<string, Moments> {
    return this.#optimizer.moments();
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}
