import type { Spans } from "../data/spans.js";
import { parseTrainConfig, type TrainConfig } from "./config.js";
import type { Objective } from "./objective.js";
import { nextToken, type TrainableModel } from "./objectives/next-token.js";
import { type SequenceModel, sequenceRows, sequenceToSequence } from "./objectives/sequence-to-sequence.js";
import type { ObjectiveOptions, TrainOptions, TrainResult } from "./options.js";
import { prepareRows, type TrainingRow } from "./rows.js";
import { TrainRun } from "./run.js";

export type { ObjectiveOptions, TrainOptions, TrainResult };

/**
 * Trains a decoder in place to predict the supervised tokens of its rows; see `trainObjective`.
 * @throws KitError also for an unfit row
 */
export async function train(
  model: TrainableModel,
  rows: readonly Spans[],
  config: TrainConfig,
  { validation, bytesOf, ...options }: TrainOptions = {},
): Promise<TrainResult> {
  const checked = parseTrainConfig(config);
  const prepare = (spans: readonly Spans[]): TrainingRow[] => prepareRows(spans, model.config, bytesOf);
  return trainObjective(nextToken(model), prepare(rows), checked, {
    ...options,
    ...(validation === undefined ? {} : { validation: prepare(validation) }),
  });
}

/**
 * Trains an encoder-decoder in place to say the responses of its rows; see `trainObjective`.
 * @throws KitError also for an unfit row
 */
export async function trainSequences(
  model: SequenceModel,
  rows: readonly Spans[],
  config: TrainConfig,
  { validation, bytesOf, ...options }: TrainOptions = {},
): Promise<TrainResult> {
  const prepare = (spans: readonly Spans[]): TrainingRow[] => sequenceRows(spans, model.config, bytesOf);
  return trainObjective(sequenceToSequence(model), prepare(rows), config, {
    ...options,
    ...(validation === undefined ? {} : { validation: prepare(validation) }),
  });
}

/**
 * Trains a model in place, on a budget. The same model, rows and config give the same bits, whether in one go or
 * resumed. Each step yields to the event loop, so that a notebook or a signal can interrupt it.
 *
 * The budget is never exceeded. The last step takes the rows of its turn that still fit, so that what is left is less
 * than the smallest of the other rows of that turn: arms of a comparison match to less than one row.
 * @param objective the model and what it learns
 * @throws KitError for a wrong config, a checkpoint of another run, a full disk, a loss or gradient
 *   that is not finite, or a loss spike; the last good checkpoint stays as it is
 */
export async function trainObjective(
  objective: Objective,
  rows: readonly TrainingRow[],
  config: TrainConfig,
  options: ObjectiveOptions = {},
): Promise<TrainResult> {
  const run = new TrainRun(objective, rows, parseTrainConfig(config), options);
  try {
    return await run.run();
  } finally {
    run.dispose();
  }
}
