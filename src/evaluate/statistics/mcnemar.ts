import { KitError } from "../../support/errors.js";
import { chiSquaredTail, coinProbability } from "./distributions.js";

/** How two arms do on the same rows, each right or wrong. */
export interface McNemar {
  /** Rows that only arm `a` got right. */
  readonly onlyA: number;
  /** Rows that only arm `b` got right. */
  readonly onlyB: number;
  /** Two-sided binomial test over the rows on which the arms differ. */
  readonly exact: number;
  /** As `exact`, with half the probability of the observed count: closer to its nominal level (Fagerland et al. 2013). */
  readonly midP: number;
  /** The chi-squared form with Edwards' continuity correction; for many differing rows (25 and more). */
  readonly corrected: number;
}

/**
 * McNemar's test for two arms that are right or wrong on the same independent rows. It takes rows for independent: with
 * several task types or seeds use `taskTypeTest` or `pairedDifference`.
 * @param a right or wrong: `[rows]`
 * @param b the same rows
 * @throws KitError for lists of different lengths
 */
export function mcnemar(a: readonly boolean[], b: readonly boolean[]): McNemar {
  if (a.length !== b.length) {
    throw new KitError(`${a.length} and ${b.length} rows`, "give both arms' results on the same rows");
  }
  const onlyA = a.filter((right, row) => right && b[row] === false).length;
  const onlyB = a.filter((right, row) => !right && b[row] === true).length;
  return { onlyA, onlyB, ...mcnemarOfCounts(onlyA, onlyB) };
}

/** The p-values of McNemar's test from the numbers of rows that only one arm got right; 1 where no row differs. */
export function mcnemarOfCounts(onlyA: number, onlyB: number): Pick<McNemar, "exact" | "midP" | "corrected"> {
  const differing = onlyA + onlyB;
  if (differing === 0) return { exact: 1, midP: 1, corrected: 1 };
  const fewer = Math.min(onlyA, onlyB);
  let tail = 0;
  for (let hits = 0; hits <= fewer; hits++) tail += coinProbability(hits, differing);
  return {
    exact: Math.min(1, 2 * tail),
    midP: Math.min(1, 2 * tail - coinProbability(fewer, differing)),
    corrected: chiSquaredTail(Math.max(0, Math.abs(onlyA - onlyB) - 1) ** 2 / differing),
  };
}
