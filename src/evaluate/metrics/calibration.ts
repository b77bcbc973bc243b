import { KitError } from "../../support/errors.js";

/** One answer: how sure the model was of it, and whether it was right. */
export interface Confidence {
  /** Probability that the model gave to its answer, from 0 to 1. */
  readonly probability: number;
  readonly right: boolean;
}

/** The answers whose probability is in (from, to]; the first bin holds 0 as well. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** Mean probability of the answers in the bin; NaN when it is empty. */
  readonly probability: number;
  /** Share of right answers in the bin; NaN when it is empty. */
  readonly accuracy: number;
}

/** How far probabilities are from shares of right answers. */
export interface Calibration {
  /** Expected calibration error: the mean over answers of |accuracy - probability| of their bin. */
  readonly expectedError: number;
  /** The largest |accuracy - probability| of a bin with answers. */
  readonly largestError: number;
  /** All bins, of equal width, empty ones too: what a reliability diagram shows. */
  readonly bins: readonly CalibrationBin[];
}

/**
 * Expected calibration error over bins of equal width (Guo et al. 2017). It depends on the number of bins, so say it.
 * @param bins number of bins; 10 and 15 are usual
 * @throws KitError for no answers, a probability outside 0 to 1, or fewer than one bin
 */
export function calibration(answers: readonly Confidence[], bins: number): Calibration {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new KitError(`${bins} calibration bins`, "give a whole number of at least 1", { field: "bins" });
  }
  checkProbabilities(answers.map(({ probability }) => [probability]));
  const table = Array.from({ length: bins }, (_, bin): CalibrationBin => {
    const [from, to] = [bin / bins, (bin + 1) / bins];
    const inside = answers.filter(
      ({ probability }) => probability <= to && (probability > from || bin === 0),
    );
    const mean = (valueOf: (answer: Confidence) => number): number =>
      inside.reduce((sum, answer) => sum + valueOf(answer), 0) / inside.length;
    return {
      from,
      to,
      rows: inside.length,
      probability: mean(({ probability }) => probability),
      accuracy: mean(({ right }) => (right ? 1 : 0)),
    };
  });
  const gaps = table
    .filter(({ rows }) => rows > 0)
    .map(({ rows, probability, accuracy }) => ({ rows, gap: Math.abs(accuracy - probability) }));
  return {
    expectedError: gaps.reduce((sum, { rows, gap }) => sum + rows * gap, 0) / answers.length,
    largestError: Math.max(...gaps.map(({ gap }) => gap)),
    bins: table,
  };
}

/**
 * Brier's score for any number of options (1950): the mean over rows of the sum over options of (probability - truth)²,
 * from 0 to 2. For two options it is twice the score of the one option's probability alone.
 * @param rows the probabilities of a row's options, which add up to 1, and the right one's place
 * @throws KitError for no rows, a probability outside 0 to 1, or a right option that is not there
 */
export function brierScore(
  rows: readonly { readonly probabilities: readonly number[]; readonly right: number }[],
): number {
  checkProbabilities(rows.map(({ probabilities }) => probabilities));
  let total = 0;
  rows.forEach(({ probabilities, right }, index) => {
    const sum = probabilities.reduce((all, value) => all + value, 0);
    if (!(right in probabilities)) {
      throw new KitError(
        `option ${right} of ${probabilities.length}`,
        "give the place of the right option, from 0",
        { row: index + 1 },
      );
    }
    if (Math.abs(sum - 1) > 1e-4) {
      throw new KitError(`probabilities that add up to ${sum}`, "divide them by their sum", {
        row: index + 1,
      });
    }
    probabilities.forEach((probability, option) => {
      total += (probability - (option === right ? 1 : 0)) ** 2;
    });
  });
  return total / rows.length;
}

function checkProbabilities(rows: readonly (readonly number[])[]): void {
  if (rows.length === 0) throw new KitError("there are no probabilities", "give at least one answer");
  rows.forEach((values, index) => {
    const wrong = values.find((value) => !(value >= 0 && value <= 1));
    if (wrong !== undefined) {
      throw new KitError(`a probability of ${wrong}`, "give a number from 0 to 1", { row: index + 1 });
    }
  });
}
