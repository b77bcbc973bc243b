import { KitError } from "../../support/errors.js";
import { type BcaInterval, bcaInterval, finiteValues, type Statistic } from "./bca.js";
import type { BootstrapOptions } from "./bootstrap-types.js";

type Options = Pick<BootstrapOptions, "resamples" | "level" | "seed">;

/**
 * Cohen's d_z, the mean of paired differences in units of their standard deviation, with a BCa interval over the pairs.
 * It depends on what a pair is: differences of task types vary less than those of examples, so say which they are.
 * @param differences one for each independent pair, at least three
 * @throws KitError for too few differences, or when all of them are the same
 */
export function cohenDz(differences: readonly number[], options: Options): BcaInterval {
  const data = finiteValues(differences, 3);
  if (data.every((value) => value === data[0])) {
    throw new KitError(
      "all differences are the same, so their standard deviation is 0",
      "report the difference itself",
    );
  }
  return bcaInterval(differences, options, standardizedMean);
}

/**
 * The probability that arm `a` is the better one of a pair, ties counted half, with a BCa interval over the pairs. 0.5 is
 * no difference; it needs no scale, so it suits scores that are not intervals, such as ratings.
 * @param differences `a` minus `b`, one for each independent pair, at least two
 */
export function pairedSuperiority(differences: readonly number[], options: Options): BcaInterval {
  return bcaInterval(
    differences.map((value) => (Math.sign(value) + 1) / 2),
    options,
  );
}

/**
 * Cliff's delta (1993) of two unpaired samples: the probability that a value of `a` is above one of `b`, minus the
 * probability that it is below; from -1 to 1.
 * @throws KitError for an empty sample or a value that is not a finite number
 */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number {
  finiteValues(a, 1);
  const sorted = finiteValues(b, 1).sort();
  let sum = 0;
  for (const value of a)
    sum += countBelow(sorted, value, false) - (sorted.length - countBelow(sorted, value, true));
  return sum / (a.length * b.length);
}

const standardizedMean: Statistic = (values) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  // A resample of one value again and again has no spread; it takes no side.
  return squares === 0 ? 0 : mean / Math.sqrt(squares / (values.length - 1));
};

/** How many of the sorted values are below `limit`, or at it as well. */
function countBelow(sorted: Float64Array, limit: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = sorted[middle] ?? Number.NaN;
    if (value < limit || (orEqual && value === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}
