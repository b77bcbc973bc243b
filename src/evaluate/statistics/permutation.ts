import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import { finiteValues } from "./bca.js";
import type { ExampleScore } from "./bootstrap-types.js";
import { buildTable, pairingError } from "./score-table.js";

/** How the p-value is found where there are too many sign patterns to try them all. */
export interface PermutationOptions {
  /** Random sign patterns; the smallest p-value that can come out is 1 / (resamples + 1). */
  readonly resamples: number;
  readonly seed: number;
}

/** A two-sided test of "the two arms are exchangeable within each pair". */
export interface PermutationTest {
  /** Mean difference. */
  readonly mean: number;
  readonly pValue: number;
  /** Pairs, those without a difference too. */
  readonly units: number;
  /** All sign patterns were tried; else `resamples` random ones. */
  readonly exact: boolean;
  /** The smallest p-value that so many units can give: with 5 units no result reaches 0.05. */
  readonly smallestPValue: number;
}

/** All patterns are tried up to this many pairs: 2^20 take about 0.1 s. */
const MOST_EXACT_UNITS = 20;

/**
 * The paired permutation (sign-flip) test of a mean difference: under the hypothesis that the arms are exchangeable each
 * difference could as well have the other sign. Exact up to 20 pairs; beyond, by Monte Carlo, where the observed pattern
 * counts as one of those drawn (Phipson and Smyth 2010), so that the p-value is valid and never 0.
 * @param differences one for each independent pair
 * @throws KitError for no differences or one that is not a finite number
 */
export function pairedPermutationTest(
  differences: readonly number[],
  options: PermutationOptions,
): PermutationTest {
  const { resamples, seed } = options;
  if (!Number.isInteger(resamples) || resamples < 100) {
    throw new KitError(`${resamples} permutations`, "ask for a whole number of at least 100", {
      field: "resamples",
    });
  }
  const data = finiteValues(differences, 1);
  const units = data.length;
  const sum = data.reduce((total, value) => total + value, 0);
  // Sums of the same numbers in another order differ in their last bits.
  const threshold = Math.abs(sum) - 1e-9 * data.reduce((total, value) => total + Math.abs(value), 0);
  const exact = units <= MOST_EXACT_UNITS;
  return {
    mean: sum / units,
    units,
    exact,
    pValue: exact
      ? extremePatterns(data, threshold) / 2 ** units
      : (1 + extremeDraws(data, threshold, resamples, seed)) / (resamples + 1),
    smallestPValue: exact ? Math.min(1, 2 / 2 ** units) : 1 / (resamples + 1),
  };
}

/**
 * The sign-flip test with the task type as the unit: one difference for each task type, averaged over its examples and
 * over the seeds. It asks whether the difference would hold on other task types of the same kind, whatever the number of
 * examples, and takes the seeds as they are. Where every seed has task types of its own, each of them is a unit.
 * @throws KitError as `pairedDifference` does
 */
export function taskTypeTest(
  arms: { readonly a: readonly ExampleScore[]; readonly b: readonly ExampleScore[] },
  options: PermutationOptions,
): PermutationTest {
  return pairedPermutationTest(
    taskTypeDifferences(arms).map(({ difference }) => difference),
    options,
  );
}

/** The mean difference of two arms in each seed and task type. */
export interface CellDifference {
  readonly seed: number;
  readonly taskType: string;
  readonly difference: number;
}

/**
 * `a` minus `b` for each (seed, task type), averaged over its examples.
 * @returns sorted by seed and task type, and whether all seeds share their task types
 * @throws KitError as `pairedDifference` does
 */
export function cellDifferences(arms: {
  readonly a: readonly ExampleScore[];
  readonly b: readonly ExampleScore[];
}): { readonly cells: readonly CellDifference[]; readonly structure: "nested" | "shared" } {
  const a = buildTable(arms.a, "a", undefined);
  const b = buildTable(arms.b, "b", undefined);
  const problem = pairingError(a, b);
  if (problem !== undefined) throw problem;
  const cells = a.seeds.flat().map(({ taskType, offset, length }): CellDifference => {
    let sum = 0;
    for (let row = offset; row < offset + length; row++) sum += (a.values[row] ?? 0) - (b.values[row] ?? 0);
    return { seed: a.rows[offset]?.seed ?? Number.NaN, taskType, difference: sum / length };
  });
  return { cells, structure: a.structure };
}

/** One difference for each task type; over all seeds where they share their task types. */
export function taskTypeDifferences(arms: {
  readonly a: readonly ExampleScore[];
  readonly b: readonly ExampleScore[];
}): { readonly taskType: string; readonly difference: number }[] {
  const { cells, structure } = cellDifferences(arms);
  if (structure === "nested") return cells.map(({ taskType, difference }) => ({ taskType, difference }));
  return [...new Set(cells.map(({ taskType }) => taskType))].map((taskType) => {
    const own = cells.filter((cell) => cell.taskType === taskType);
    return { taskType, difference: own.reduce((sum, cell) => sum + cell.difference, 0) / own.length };
  });
}

/** Patterns whose sum is as extreme, over all of them; a Gray code flips one sign at a time. */
function extremePatterns(data: Float64Array, threshold: number): number {
  const signed = Float64Array.from(data);
  const patterns = 2 ** data.length;
  let extreme = 0;
  for (let pattern = 1; pattern <= patterns; pattern++) {
    // Added up anew for each pattern, so that rounding does not pile up.
    let sum = 0;
    for (const value of signed) sum += value;
    if (Math.abs(sum) >= threshold) extreme++;
    const flipped = 31 - Math.clz32(pattern & -pattern);
    if (flipped < signed.length) signed[flipped] = -(signed[flipped] ?? 0);
  }
  return extreme;
}

function extremeDraws(data: Float64Array, threshold: number, resamples: number, seed: number): number {
  const random = Random.derive(seed, "permutation");
  let extreme = 0;
  for (let draw = 0; draw < resamples; draw++) {
    let sum = 0;
    let word = 0;
    data.forEach((value, index) => {
      if (index % 32 === 0) word = random.nextWord();
      sum += (word & 1) === 1 ? value : -value;
      word >>>= 1;
    });
    if (Math.abs(sum) >= threshold) extreme++;
  }
  return extreme;
}
