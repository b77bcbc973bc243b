import type { Spans } from "../data/spans.js";
import { KitError } from "../support/errors.js";
import type { TrainConfig } from "./config.js";
import type { EvaluationRecord, TrainingEvaluation } from "./evaluation.js";
import type { StepRecord, TrainProgress } from "./progress.js";
import type { TrainingRow } from "./rows.js";
import type { StepKind } from "./step/training-step.js";
import type { Tracker } from "./track/tracker.js";
import type { Validation } from "./validation.js";

/** What a run may be told besides its objective, rows and config; only `validation` changes its numbers. */
export interface ObjectiveOptions {
  /** Aborting stops the run after the current step, with a checkpoint where the config has one. */
  readonly signal?: AbortSignal;
  /** Called after each step. */
  readonly onStep?: (progress: TrainProgress) => void;
  /** Where losses and speed are logged. */
  readonly trackers?: readonly Tracker[];
  /** Shows a bar in a terminal, a line about every ten seconds elsewhere. Default: nothing. */
  readonly progress?: boolean;
  /** What the bar calls the run. */
  readonly label?: string;
  /** Goes on from the newest checkpoint in the config's folder, or starts where there is none. */
  readonly resume?: boolean;
  /**
   * Whether the step is recorded once and run as one TensorFlow graph, which is faster; its numbers are those of the
   * eager step up to rounding. The model's variables then have their new values when training ends, is validated, or
   * a checkpoint is written, not after each step. Default: true where the native engine runs; elsewhere it makes no
   * difference.
   */
  readonly compile?: boolean;
  /** Rows that are not trained on, for `config.validation`. */
  readonly validation?: readonly TrainingRow[];
  /** What the model is asked during the run and at its end. */
  readonly evaluation?: TrainingEvaluation;
}

/** The same for rows of a decoder. */
export interface TrainOptions extends Omit<ObjectiveOptions, "validation"> {
  /** Rows that are not trained on, for `config.validation`; `carveValidation` sets some aside. */
  readonly validation?: readonly Spans[];
  /** UTF-8 bytes of the supervised text of a row (`supervisedBytes`): losses are then also given in bits per byte. */
  readonly bytesOf?: (row: Spans) => number;
}

/** How a run ended. */
export interface TrainResult {
  /** "finished": the budget is used, or validation ended it. "stopped": the signal stopped it before. */
  readonly status: "finished" | "stopped";
  /** After the last step. */
  readonly progress: TrainProgress;
  /** After each step, from the first, also across a resume. */
  readonly history: readonly StepRecord[];
  /** All validations, oldest first. */
  readonly validations: readonly Validation[];
  /** All evaluations that are points of a curve (`TrainingEvaluation.everySteps`), oldest first. */
  readonly evaluations: readonly EvaluationRecord[];
  /** The validation whose weights the model ended with, where there is early stopping. */
  readonly best: Validation | undefined;
  /** Whether the validation loss ended the run before its budget was used. */
  readonly stoppedEarly: boolean;
  /** How the steps were done; the numbers of the two kinds differ by rounding. */
  readonly step: StepKind;
}

/**
 * The validation rows of a run, where it has any.
 * @throws KitError where only one of the rows and their configuration is given
 */
export function validationRowsOf(
  { validation }: TrainConfig,
  { validation: rows }: ObjectiveOptions,
): readonly TrainingRow[] | undefined {
  if ((validation === undefined) === (rows === undefined)) return rows;
  throw validation === undefined
    ? new KitError(
        "there are validation rows, but the config has no validation",
        "add it or leave out the rows",
        {
          field: "validation",
        },
      )
    : new KitError(
        "the config has a validation, but no validation rows are given",
        "give options.validation",
        {
          field: "validation",
        },
      );
}
