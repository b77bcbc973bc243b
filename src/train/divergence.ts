import { KitError } from "../support/errors.js";
import type { Step } from "./batch.js";
import type { TrainingRow } from "./rows.js";
import type { Spike } from "./spike.js";

/** A step that is not taken. */
export interface BadStep {
  readonly step: number;
  readonly learningRate: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Undefined where loss or gradient are not finite. */
  readonly spike: Spike | undefined;
  /** The step of the newest checkpoint; 0 where there is none. */
  readonly savedStep: number;
}

/** How many rows a message names. */
const NAMED_ROWS = 8;

/**
 * The error that ends a run: it names the step, the learning rate, and the rows whose own loss is not finite or above the
 * limit of a spike, worst first; all rows of the step where no row by itself is to blame.
 * @param lossOf the loss of one row of data with the weights before the step
 */
export function divergenceError(
  lossOf: (index: number) => number,
  rows: readonly TrainingRow[],
  indexes: Step,
  bad: BadStep,
): KitError {
  const { step, learningRate, spike, savedStep } = bad;
  const named = rowsToBlame(lossOf, indexes.flat(), spike);
  const ids = named.slice(0, NAMED_ROWS).map((index) => `"${rows[index]?.id ?? index}"`);
  const more = named.length > ids.length ? ` and ${named.length - ids.length} more` : "";
  const left = savedStep === 0 ? "" : `; the checkpoint of step ${savedStep} is untouched`;
  return new KitError(
    `${describe(bad)} at step ${step}, learning rate ${learningRate.toPrecision(3)}, ` +
      `rows ${ids.join(", ")}${more}${left}`,
    "lower optimizer.learningRate, lengthen the warm-up or clip with optimizer.clipNorm, and look at these rows" +
      (spike === undefined ? "" : '; if it is no fault, raise spike.rise or set spike to "off" and resume'),
  );
}

function describe({ loss, gradientNorm, spike }: BadStep): string {
  if (spike !== undefined) {
    const [was, limit] = [spike.median, spike.limit].map((value) => value.toFixed(2));
    return `the loss jumped to ${loss.toFixed(2)} nats a token (median before ${was ?? ""}, limit ${limit ?? ""})`;
  }
  return Number.isFinite(loss) ? `the gradient norm is ${gradientNorm}` : `the loss is ${loss}`;
}

function rowsToBlame(
  lossOf: (index: number) => number,
  indexes: readonly number[],
  spike: Spike | undefined,
): readonly number[] {
  const badness = (loss: number): number => (Number.isFinite(loss) ? loss : Infinity);
  const limit = spike?.limit ?? Number.MAX_VALUE;
  const blamed = indexes
    .map((index) => ({ index, loss: badness(lossOf(index)) }))
    .filter(({ loss }) => loss > limit)
    .sort((a, b) => b.loss - a.loss)
    .map(({ index }) => index);
  return blamed.length > 0 ? blamed : indexes;
}
