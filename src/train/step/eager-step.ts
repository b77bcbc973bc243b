import type { BatchArrays } from "../batch.js";
import { measuredSums, stepLoss } from "../loss.js";
import { lossOptions } from "../loss-options.js";
import type { LossOptions, Objective } from "../objective.js";
import { Optimizer } from "../optimizer.js";
import type { SavedOptimizer, Slots } from "../optimizers/rule.js";
import type { WeightChoice } from "../weight-average.js";
import type { StepConfig, StepMeasure, TrainingStep } from "./training-step.js";

/** A step whose kernels are called one by one: runs on every backend, and is what the compiled step must agree with. */
export class EagerStep implements TrainingStep {
  readonly #objective: Objective;
  readonly #lossOptions: LossOptions;
  readonly #optimizer: Optimizer;
  /** Which weights the variables have. */
  #shown: WeightChoice = "latest";

  /** @throws KitError where an option of the loss does nothing for this objective */
  constructor(objective: Objective, config: StepConfig, saved?: SavedOptimizer) {
    const { model } = objective;
    this.#objective = objective;
    this.#lossOptions = lossOptions(config, objective);
    const averageDecay = config.weightAverage?.decay;
    this.#optimizer = new Optimizer(model.parameters, config.optimizer, { saved, averageDecay });
  }

  measure(batches: readonly BatchArrays[]): StepMeasure {
    const loss = stepLoss(
      this.#objective,
      batches,
      this.#optimizer,
      this.#optimizer.count,
      this.#lossOptions,
    );
    return { loss, gradientNorm: this.#optimizer.gradientNorm() };
  }

  update(learningRate: number, gradientNorm: number): void {
    this.#shown = "latest";
    this.#optimizer.step(learningRate, gradientNorm);
  }

  discard(): void {
    this.#optimizer.discardGradient();
  }

  /** The optimizer assigns the latest weights to the model's variables in each step. */
  synchronise(weights: WeightChoice = "latest"): void {
    if (weights !== this.#shown) this.#optimizer.show(weights);
    this.#shown = weights;
  }

  /** The model's variables are the weights. */
  takeOver(): void {
    return undefined;
  }

  lossSums(arrays: BatchArrays): number[] {
    return measuredSums(this.#objective, arrays);
  }

  slots(): Map<string, Slots> {
    return this.#optimizer.slots();
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}
