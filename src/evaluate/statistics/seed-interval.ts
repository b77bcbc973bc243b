import {
  type BootstrapInterval,
  type BootstrapOptions,
  meanInterval,
  pairedDifference,
} from "./bootstrap.js";
import type { ExampleScore, Interval } from "./bootstrap-types.js";
import { fewSeedsInterval } from "./few-seeds.js";
import { buildTable } from "./score-table.js";

/** An interval that is honest with the seeds that there are. */
export interface SeedInterval extends Interval {
  readonly level: number;
  /** One phrase for a caption: what the interval is over, and what it cannot tell. */
  readonly basis: string;
}

export interface SeedIntervalOptions extends BootstrapOptions {
  /** What varies beside the seeds: the task types, or the examples where all are of one task type ("task type"). */
  readonly unit?: "task type" | "example";
}

/** The two arms of a difference, scored on the same rows. */
interface Arms {
  readonly a: readonly ExampleScore[];
  readonly b: readonly ExampleScore[];
}

/** With fewer seeds the bootstrap over seeds covers too little (see `fewSeedsInterval`). */
const ENOUGH_SEEDS = 5;

/**
 * The mean of one arm: with five seeds or more `meanInterval`, with fewer Student's t over seeds and task types
 * (`fewSeedsInterval`), cut off at the ends of the scale.
 * @param scores each from 0 to 1
 * @throws KitError when a key comes twice, there are no scores, or a score is not a finite number
 */
export function seedMean(scores: readonly ExampleScore[], options: SeedIntervalOptions): SeedInterval {
  const rows = units(scores, options);
  if (useBootstrap(rows)) return bootstrapped(meanInterval(scores, options));
  return fewSeeds({ a: rows, b: rows.map((row) => ({ ...row, score: 0 })) }, options, 0);
}

/**
 * The mean difference of two arms on the same rows, `mean(a) - mean(b)`, by the same choice as `seedMean`.
 * @throws KitError as `pairedDifference` does
 */
export function seedDifference({ a, b }: Arms, options: SeedIntervalOptions): SeedInterval {
  const arms = { a: units(a, options), b: units(b, options) };
  return useBootstrap(arms.a)
    ? bootstrapped(pairedDifference({ a, b }, options))
    : fewSeeds(arms, options, -1);
}

function units(scores: readonly ExampleScore[], { unit }: SeedIntervalOptions): readonly ExampleScore[] {
  return unit === "example" ? scores.map((row) => ({ ...row, taskType: row.id })) : scores;
}

/** Enough seeds, or a single cell: there Student's t has nothing to go by, and the bootstrap draws the examples again. */
function useBootstrap(scores: readonly ExampleScore[]): boolean {
  const seeds = new Set(scores.map(({ seed }) => seed)).size;
  const taskTypes = new Set(scores.map(({ taskType }) => taskType)).size;
  return seeds >= ENOUGH_SEEDS || (seeds === 1 && taskTypes === 1);
}

function fewSeeds(
  arms: Arms,
  { level, unit = "task type" }: SeedIntervalOptions,
  least: 0 | -1,
): SeedInterval {
  const { mean, low, high, seeds, taskTypes } = fewSeedsInterval(arms, level);
  const { structure } = buildTable(arms.a, "a", undefined);
  const over =
    seeds === 1
      ? `${taskTypes} ${unit}s, one seed only`
      : structure === "shared"
        ? `${seeds} seeds and ${taskTypes} ${unit}s`
        : `the means of ${seeds} seeds`;
  return {
    mean,
    low: Math.max(least, low),
    high: Math.min(1, high),
    level,
    basis: `${percentage(level)}% intervals: Student's t over ${over}`,
  };
}

/** The same interval with a basis that is short enough for a caption. */
function bootstrapped({ mean, low, high, level, levels }: BootstrapInterval): SeedInterval {
  const over = levels.filter(({ resampled }) => resampled).map(({ unit, count }) => `${count} ${unit}s`);
  return {
    mean,
    low,
    high,
    level,
    basis: `${percentage(level)}% intervals: bootstrap over ${over.join(", ")}`,
  };
}

function percentage(level: number): number {
  return Number((level * 100).toFixed(2));
}
