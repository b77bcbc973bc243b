import { join } from "node:path";
import { duration } from "../../../support/progress.js";
import type { TrainResult } from "../../../train/train.js";
import type { LossMeasure, Validation } from "../../../train/validation.js";
import { textTable } from "../data/shared.js";
import type { RunEvaluation } from "./objective-run.js";

interface ReportOptions {
  readonly json: boolean;
  /** The command that goes on. */
  readonly resumeHint: string;
  readonly evaluation?: RunEvaluation | undefined;
  /** Whether the evaluation at the end came to its end. */
  readonly isScored: boolean;
}

/** Prints how a run ended. */
export function reportRun(
  out: string,
  result: TrainResult,
  { json, resumeHint, evaluation, isScored }: ReportOptions,
): void {
  const { status, progress, step: stepKind, best, stoppedEarly } = result;
  const model = status === "finished" ? join(out, "model") : undefined;
  const shown = best ?? result.validations.at(-1);
  if (json) {
    const validation = shown === undefined ? {} : { validation: shown, stoppedEarly };
    const scores = evaluation === undefined ? {} : { evaluation: withoutRows(evaluation.scores) };
    const goOn = model === undefined || !isScored ? { goOn: resumeHint } : {};
    const all = { status, out, model, stepKind, ...goOn, ...progress, ...validation, ...scores };
    console.log(JSON.stringify(all, undefined, 2));
    return;
  }
  if (model === undefined) {
    console.log(`stopped after step ${progress.step}; to go on: ${resumeHint}`);
    return;
  }
  const { step, epochs, supervisedTokens, totalTokens, seconds, loss } = progress;
  const { bitsPerByte } = result.history.at(-1) ?? {};
  console.log(
    `${model}: ${step} steps, ${epochs.toFixed(2)} epochs, ${supervisedTokens} supervised of ${totalTokens} tokens ` +
      `in ${duration(seconds)}; last loss ${loss.toFixed(4)} nats a token` +
      (bitsPerByte === undefined ? "" : `, ${bitsPerByte.toFixed(4)} bits a byte`),
  );
  const count = (value: number): string => Math.round(value).toLocaleString("en");
  console.log(
    `${count(progress.tokensPerSecond)} tokens/s, ${count(progress.supervisedTokensPerSecond)} supervised tokens/s, ` +
      `${count(progress.memoryBytes / 2 ** 20)} MiB; gradient norm ${progress.gradientNorm.toFixed(3)}`,
  );
  if (shown !== undefined) printValidation(shown, result);
  if (evaluation !== undefined) console.log(evaluation.text);
  if (!isScored) console.log(`stopped before the scores were there; to have them: ${resumeHint}`);
}

/** Single answers are in the file. */
function withoutRows(scores: RunEvaluation["scores"]): RunEvaluation["scores"] {
  return Object.fromEntries(Object.entries(scores).filter(([name]) => name !== "predictions"));
}

function printValidation(shown: Validation, { best, validations, stoppedEarly }: TrainResult): void {
  const line = (name: string, measure: LossMeasure): (string | number)[] => [
    name,
    measure.rows,
    measure.supervisedTokens,
    measure.loss.toFixed(4),
    measure.bitsPerByte?.toFixed(4) ?? "",
  ];
  console.log(
    `validation after step ${shown.step}` +
      (best === undefined ? "" : `, the best of ${validations.length}: the model has its weights`) +
      (stoppedEarly ? "; it ended the run before its budget" : ""),
  );
  console.log(
    textTable(
      ["task type", "rows", "tokens", "nats a token", "bits a byte"],
      [
        ...Object.entries(shown.byTaskType).map(([taskType, measure]) => line(taskType, measure)),
        line("all tokens", shown),
        ["mean of task types", "", "", shown.taskTypeMean.toFixed(4), ""],
      ],
    ),
  );
}
