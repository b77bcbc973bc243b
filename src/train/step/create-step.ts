import { tf } from "../../engine/tensorflow.js";
import { KitError } from "../../support/errors.js";
import type { TrainConfig } from "../config.js";
import type { Objective, Trainable } from "../objective.js";
import type { SavedOptimizer } from "../optimizers/rule.js";
import type { TrainingRow } from "../rows.js";
import { planShapes } from "./batch-shapes.js";
import { CompiledStep } from "./compiled-step.js";
import { EagerStep } from "./eager-step.js";
import { SHORTEST_CONTEXT } from "./record-loss.js";
import type { StepKind, TrainingStep } from "./training-step.js";

/**
 * How the steps of a run are done.
 * @param compile whether it may be compiled
 * @throws KitError when the precision takes a compiled step and there is none
 */
export function stepKind(
  model: Trainable,
  compile: boolean,
  { precision }: Pick<TrainConfig, "precision"> = {},
): StepKind {
  const native = tf.getBackend() === "tensorflow";
  if (compile && native && model.config.contextLength >= SHORTEST_CONTEXT) return "compiled";
  if (precision !== "bfloat16") return "eager";
  const [reason, cure] = !compile
    ? ["compiling is turned off", "leave compile: false (--eager) away"]
    : native
      ? [`the context of the model is shorter than ${SHORTEST_CONTEXT}`, "use a longer one"]
      : [`the ${tf.getBackend()} backend runs`, "run `npx ift-kit setup` for the native engine"];
  throw new KitError(`bfloat16 takes a compiled step, and ${reason}`, `${cure}, or train in float32`, {
    field: "precision",
  });
}

/** What decides how the step of a run is compiled, besides its configuration. */
export interface StepUse {
  readonly rows: readonly TrainingRow[];
  readonly validationRows?: readonly TrainingRow[] | undefined;
  /** Whether a decoder also scores and generates in the run. Default: no. */
  readonly answers?: boolean;
}

/**
 * The step of a run.
 * @throws KitError that names what of the model cannot be compiled faithfully
 */
export function createStep(
  kind: StepKind,
  objective: Objective,
  config: TrainConfig,
  { rows, validationRows = [], answers = false }: StepUse,
  saved: SavedOptimizer | undefined,
): TrainingStep {
  if (kind === "eager") return new EagerStep(objective, config, saved);
  const plan = planShapes(rows, config, objective, validationRows);
  return new CompiledStep(
    objective,
    config,
    { ...plan, validates: validationRows.length > 0, answers },
    saved,
  );
}
