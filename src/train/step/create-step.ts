import { tf } from "../../engine/tensorflow.js";
import type { TrainConfig } from "../config.js";
import type { TrainableModel } from "../loss.js";
import type { SavedOptimizer } from "../optimizers/rule.js";
import type { TrainingRow } from "../rows.js";
import { planShapes } from "./batch-shapes.js";
import { CompiledStep } from "./compiled-step.js";
import { EagerStep } from "./eager-step.js";
import { SHORTEST_CONTEXT } from "./record-loss.js";
import type { StepKind, TrainingStep } from "./training-step.js";

/** How the steps of a run are done. @param compile whether it may be compiled */
export function stepKind(model: TrainableModel, compile: boolean): StepKind {
  const possible = tf.getBackend() === "tensorflow" && model.config.contextLength >= SHORTEST_CONTEXT;
  // The random numbers of dropout are not fed to a recorded step.
  return compile && possible && model.hasDropout !== true ? "compiled" : "eager";
}

/**
 * The step of a run.
 * @throws KitError that names what of the model cannot be compiled faithfully
 */
export function createStep(
  kind: StepKind,
  model: TrainableModel,
  config: TrainConfig,
  rows: readonly TrainingRow[],
  saved: SavedOptimizer | undefined,
): TrainingStep {
  if (kind === "eager") return new EagerStep(model, config, saved);
  return new CompiledStep(model, config, planShapes(rows, config, model), saved);
}
