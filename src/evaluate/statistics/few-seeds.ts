import { KitError } from "../../support/errors.js";
import type { ExampleScore, Interval } from "./bootstrap-types.js";
import { studentQuantile } from "./distributions.js";
import { type CellDifference, cellDifferences } from "./permutation.js";

/** Variances of the differences of two arms, on the score's scale squared. An estimate may be negative; it is then 0. */
export interface SpreadEstimate {
  /** Between training seeds: the same on all task types of a seed. */
  readonly seed: number;
  /** Between task types: the same in all seeds. 0 where each seed has task types of its own. */
  readonly taskType: number;
  /** What is left in a cell of one seed and task type, its examples' noise included. */
  readonly rest: number;
}

/** An interval from Student's t with the degrees of freedom that the seeds and task types give. */
export interface FewSeedsInterval extends Interval {
  readonly level: number;
  readonly standardError: number;
  /** Need not be a whole number (Satterthwaite). */
  readonly freedom: number;
  readonly seeds: number;
  /** Task types of a seed. */
  readonly taskTypes: number;
  readonly spread: SpreadEstimate;
}

/** Mean squares of a table of cell differences. */
export interface CellAnalysis {
  readonly mean: number;
  /** Estimated variance of the mean. */
  readonly variance: number;
  readonly freedom: number;
  readonly spread: SpreadEstimate;
}

/**
 * The mean difference of two arms with an interval that stays honest with two or three seeds, where a bootstrap cannot:
 * drawing two seeds again shows at most half of their variance. Each (seed, task type) gives one mean difference.
 *
 * - Task types that all seeds share are crossed with the seeds: `difference = mean + seed + taskType + rest`, both effects
 *   random, variance and degrees of freedom by Satterthwaite (1946) from the mean squares.
 * - Where every seed has task types of its own: Student's t over the seeds' means.
 * - With one seed: Student's t over task types; it says nothing about other seeds.
 *
 * The price is width: where seeds differ much and there are two of them, t has one degree of freedom and the interval is
 * wide, because two seeds say little.
 *
 * @param level such as 0.95
 * @throws KitError as `pairedDifference` does, and for a single cell
 */
export function fewSeedsInterval(
  arms: { readonly a: readonly ExampleScore[]; readonly b: readonly ExampleScore[] },
  level: number,
): FewSeedsInterval {
  if (!(level > 0 && level < 1)) {
    throw new KitError(`an interval of level ${level}`, "give a number between 0 and 1, such as 0.95", {
      field: "level",
    });
  }
  const { cells, structure } = cellDifferences(arms);
  const seeds = groupBySeed(cells);
  const taskTypes = cells.length / seeds.length;
  const analysis = structure === "shared" ? analyzeCrossed(seeds) : analyzeNested(seeds);
  const { mean, variance, freedom, spread } = analysis;
  const standardError = Math.sqrt(variance);
  const half = standardError === 0 ? 0 : studentQuantile(1 - (1 - level) / 2, freedom) * standardError;
  return {
    mean,
    low: mean - half,
    high: mean + half,
    level,
    standardError,
    freedom,
    seeds: seeds.length,
    taskTypes,
    spread,
  };
}

/**
 * Mean squares of `[seeds][taskTypes]` differences with both effects random.
 * @param table at least two seeds and two task types, each row as long
 */
export function analyzeCrossed(table: readonly (readonly number[])[]): CellAnalysis {
  const seeds = table.length;
  const types = table[0]?.length ?? 0;
  if (types < 2) {
    // One task type: the seeds are all that varies.
    return analyzeNested(table);
  }
  const mean = average(table.flat());
  const seedMeans = table.map(average);
  const typeMeans = Array.from({ length: types }, (_, type) => average(table.map((row) => row[type] ?? 0)));
  const squares = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const seed = (types * squares(seedMeans)) / (seeds - 1);
  const taskType = (seeds * squares(typeMeans)) / (types - 1);
  const rest =
    Math.max(0, squares(table.flat()) - types * squares(seedMeans) - seeds * squares(typeMeans)) /
    ((seeds - 1) * (types - 1));
  const both = seed + taskType - rest;
  // A negative estimate of one component must not make the interval narrower than the other one alone would.
  const larger = seed > taskType ? { sum: seed, freedom: seeds - 1 } : { sum: taskType, freedom: types - 1 };
  const { sum, freedom } =
    both > larger.sum
      ? {
          sum: both,
          freedom: Math.max(
            both ** 2 /
              (seed ** 2 / (seeds - 1) +
                taskType ** 2 / (types - 1) +
                rest ** 2 / ((seeds - 1) * (types - 1))),
            Math.min(seeds, types) - 1,
          ),
        }
      : larger;
  return {
    mean,
    variance: sum / (seeds * types),
    freedom,
    spread: {
      seed: Math.max(0, (seed - rest) / types),
      taskType: Math.max(0, (taskType - rest) / seeds),
      rest,
    },
  };
}

/** Student's t over the seeds' means; with one seed over its cells. */
export function analyzeNested(table: readonly (readonly number[])[]): CellAnalysis {
  const cells = table.flat();
  const within =
    table.reduce((sum, row) => sum + squaresOf(row), 0) / Math.max(1, cells.length - table.length);
  const units = table.length === 1 ? cells : table.map(average);
  if (units.length < 2) {
    throw new KitError(
      "there is one seed with one task type, so nothing shows the variation",
      "score more seeds or more task types",
    );
  }
  const between = squaresOf(units) / (units.length - 1);
  const types = cells.length / table.length;
  return {
    mean: average(units),
    variance: between / units.length,
    freedom: units.length - 1,
    spread: {
      seed: table.length === 1 ? 0 : Math.max(0, between - within / types),
      taskType: 0,
      rest: within,
    },
  };
}

function groupBySeed(cells: readonly CellDifference[]): number[][] {
  const seeds = new Map<number, number[]>();
  for (const { seed, difference } of cells) {
    const list = seeds.get(seed);
    if (list === undefined) seeds.set(seed, [difference]);
    else list.push(difference);
  }
  return [...seeds.values()];
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squaresOf(values: readonly number[]): number {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
