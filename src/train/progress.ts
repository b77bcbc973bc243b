import type { Budget } from "./config.js";
import type { EvaluationRecord, Scores } from "./evaluation.js";
import { KitError } from "../support/errors.js";
import { sumOf } from "../support/sum.js";
import type { TrainingRow } from "./rows.js";
import { bitsPerByte, type Validation } from "./validation.js";

/** What is known after an optimizer step; counts are totals since the start of the run, also across a resume. */
export interface TrainProgress {
  /** Optimizer steps taken. */
  readonly step: number;
  /** Of this step, in nats per supervised token. */
  readonly loss: number;
  /** Of this step. */
  readonly learningRate: number;
  /** Norm of this step's gradient over all parameters, before clipping. */
  readonly gradientNorm: number;
  /** Targets of the loss so far. */
  readonly supervisedTokens: number;
  /** Tokens of the rows so far, prompt and special tokens included, padding not. */
  readonly totalTokens: number;
  /** Positions computed so far, padding included: what `totalTokens` cost. */
  readonly positions: number;
  /** Rows of data so far. */
  readonly rows: number;
  /** Passes over the data so far: rows so far / rows. */
  readonly epochs: number;
  /** Time spent training so far, without validation. */
  readonly seconds: number;
  /** Total tokens / seconds. */
  readonly tokensPerSecond: number;
  /** Supervised tokens / seconds. */
  readonly supervisedTokensPerSecond: number;
  /** UTF-8 bytes of the supervised text so far; 0 where they are not known, or the loss is more than cross entropy. */
  readonly supervisedBytes: number;
  /** Memory of the process after the step, in bytes (resident set). */
  readonly memoryBytes: number;
}

/** What an optimizer step was. */
export interface TakenStep {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Rows of data in it. */
  readonly rows: readonly TrainingRow[];
  /** Rows of data in an epoch. */
  readonly dataRows: number;
  /** Positions computed in it, padding included. */
  readonly positions: number;
  /** UTF-8 bytes of its supervised text. */
  readonly bytes: number;
  /** Time spent training so far. */
  readonly seconds: number;
}

/** What is known after a step. @param before what was known before it; undefined for the first */
export function progressAfter(before: TrainProgress | undefined, taken: TakenStep): TrainProgress {
  const { loss, gradientNorm, learningRate, dataRows, positions, bytes, seconds } = taken;
  const totalTokens = (before?.totalTokens ?? 0) + sumOf(taken.rows, ({ tokens }) => tokens);
  const supervisedTokens =
    (before?.supervisedTokens ?? 0) + sumOf(taken.rows, ({ targets }) => targets.length);
  const rows = (before?.rows ?? 0) + taken.rows.length;
  return {
    step: (before?.step ?? 0) + 1,
    loss,
    learningRate,
    gradientNorm,
    supervisedTokens,
    totalTokens,
    positions: (before?.positions ?? 0) + positions,
    rows,
    epochs: rows / dataRows,
    seconds,
    tokensPerSecond: totalTokens / seconds,
    supervisedTokensPerSecond: supervisedTokens / seconds,
    supervisedBytes: (before?.supervisedBytes ?? 0) + bytes,
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** What a run has used of its budget, in the budget's unit. */
export function budgetUsed({ unit }: Pick<Budget, "unit">, progress: TrainProgress | undefined): number {
  if (progress === undefined) return 0;
  if (unit === "steps") return progress.step;
  return unit === "supervised-tokens" ? progress.supervisedTokens : progress.totalTokens;
}

/** The steps in which every row came once; as many as there were, as long as there are fewer. */
export function stepsPerEpoch(progress: TrainProgress | undefined): number {
  return progress === undefined ? 0 : Math.ceil(progress.step / Math.max(1, progress.epochs));
}

/** What is said of a budget that no step fits into. */
export function budgetTooSmall({ unit, amount }: Budget): KitError {
  return new KitError(`the budget of ${amount} ${unit} is less than one row has`, "raise it", {
    field: "budget.amount",
  });
}

/** A step with what was measured after it. */
export interface StepRecord extends TrainProgress {
  /** Of this step: the loss in bits per UTF-8 byte of the supervised text, where the bytes are known. */
  readonly bitsPerByte?: number;
  /** Where the step was followed by one. */
  readonly validation?: Validation;
  /** Scores of the evaluation, where the step was followed by one. */
  readonly evaluation?: Scores;
}

/** What was measured after the steps of a run. */
export interface Measurements {
  readonly validations: readonly Validation[];
  readonly evaluations: readonly EvaluationRecord[];
}

/** What a progress bar shows of a step. */
export function describeProgress({ step, loss, tokensPerSecond }: TrainProgress): string {
  const speed = Math.round(tokensPerSecond).toLocaleString("en");
  return `step ${step} | loss ${loss.toFixed(3)} | ${speed} tokens/s`;
}

/**
 * The steps of a history with what was measured after each.
 * @param first the first step that is wanted
 */
export function recordsOf(
  history: readonly TrainProgress[],
  { validations, evaluations }: Measurements,
  first = 1,
): StepRecord[] {
  const byStep = new Map(validations.map((validation) => [validation.step, validation]));
  const scoresAt = new Map(evaluations.map(({ step, scores }) => [step, scores]));
  return history.slice(first - 1).map((progress, index) => {
    const before = history[first - 2 + index];
    const bytes = progress.supervisedBytes - (before?.supervisedBytes ?? 0);
    const tokens = progress.supervisedTokens - (before?.supervisedTokens ?? 0);
    const validation = byStep.get(progress.step);
    const evaluation = scoresAt.get(progress.step);
    return {
      ...progress,
      ...(bytes > 0 ? { bitsPerByte: bitsPerByte(progress.loss * tokens, bytes) } : {}),
      ...(validation === undefined ? {} : { validation }),
      ...(evaluation === undefined ? {} : { evaluation }),
    };
  });
}
