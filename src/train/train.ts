import type { Spans } from "../data/spans.js";
import { parseTrainConfig, type TrainConfig } from "./config.js";
import type { TrainableModel } from "./loss.js";
import type { TrainOptions, TrainResult } from "./options.js";
import { TrainRun } from "./run.js";

export type { TrainOptions, TrainResult };

/**
 * Trains a model in place, on a budget. The same model, rows and config give the same bits, whether in one go or
 * resumed. Each step yields to the event loop, so that a notebook or a signal can interrupt it.
 *
 * The budget is never exceeded. The last step takes the rows of its turn that still fit, so that what is left is less
 * than the smallest of the other rows of that turn: arms of a comparison match to less than one row.
 * @throws KitError for a wrong config, an unfit row, a checkpoint of another run, a full disk, a loss or gradient
 *   that is not finite, or a loss spike; the last good checkpoint stays as it is
 */
export async function train(
  model: TrainableModel,
  rows: readonly Spans[],
  config: TrainConfig,
  options: TrainOptions = {},
): Promise<TrainResult> {
  const run = new TrainRun(model, rows, parseTrainConfig(config), options);
  try {
    return await run.run();
  } finally {
    run.dispose();
  }
}
