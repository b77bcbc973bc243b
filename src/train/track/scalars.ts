import type { StepRecord } from "../progress.js";

/** A number of a step by the name that TensorBoard and MLflow show; the part before "/" groups them. */
export type Scalar = readonly [name: string, value: number];

/** What is drawn as curves: the numbers of a step, and of the validation and the evaluation after it. */
export function scalarsOf(record: StepRecord): Scalar[] {
  const { validation, evaluation = {} } = record;
  const scalars: Scalar[] = [
    ["train/loss", record.loss],
    ["train/learning rate", record.learningRate],
    ["train/gradient norm", record.gradientNorm],
    ["train/epochs", record.epochs],
    ["train/supervised tokens", record.supervisedTokens],
    ["speed/tokens per second", record.tokensPerSecond],
    ["speed/supervised tokens per second", record.supervisedTokensPerSecond],
    ["speed/memory bytes", record.memoryBytes],
  ];
  if (record.bitsPerByte !== undefined) scalars.push(["train/bits per byte", record.bitsPerByte]);
  for (const [name, score] of Object.entries(evaluation)) scalars.push([`evaluation/${name}`, score]);
  if (validation === undefined) return scalars;
  scalars.push(["validation/loss", validation.loss], ["validation/task type mean", validation.taskTypeMean]);
  if (validation.bitsPerByte !== undefined)
    scalars.push(["validation/bits per byte", validation.bitsPerByte]);
  for (const [taskType, { loss, bitsPerByte }] of Object.entries(validation.byTaskType)) {
    scalars.push([`validation loss/${taskType}`, loss]);
    if (bitsPerByte !== undefined) scalars.push([`validation bits per byte/${taskType}`, bitsPerByte]);
  }
  return scalars;
}
