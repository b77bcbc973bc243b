import type { ExampleScore } from "../evaluate/statistics/bootstrap.js";
import { KitError } from "../support/errors.js";
import type { RunResult, ScoredRow } from "./result.js";

/** How intervals of a report are made: percentile bootstrap, 95%, a fixed resampling seed. */
export const REPORT_BOOTSTRAP = { resamples: 10_000, level: 0.95, seed: 20_402 } as const;

/** Which rows of a run are meant: those of a part, or of a level. */
export type RowChoice = { readonly part: ScoredRow["part"] } | { readonly level: string };

/**
 * The scores of an arm's runs by one metric, row by row, as the statistics want them.
 * @throws KitError when the arm has no such rows, or one was not scored by the metric
 */
export function scoresOf(
  results: readonly RunResult[],
  arm: string,
  rowsOf: RowChoice,
  metric: string,
): ExampleScore[] {
  const isMeant = (row: ScoredRow): boolean =>
    "part" in rowsOf ? row.part === rowsOf.part : row.level === rowsOf.level;
  const scores = results
    .filter((result) => result.arm === arm)
    .flatMap(({ seed, rows }) =>
      rows.filter(isMeant).map((row): ExampleScore => {
        const score = row.scores[metric];
        if (score === undefined) {
          throw new KitError(
            `row "${row.id}" of arm ${arm} was not scored by ${metric}`,
            "run the arm again",
          );
        }
        return { seed, taskType: row.taskType, id: row.id, score };
      }),
    );
  if (scores.length === 0) {
    throw new KitError(
      `arm ${arm} has no finished run with ${"part" in rowsOf ? rowsOf.part : rowsOf.level} rows`,
      "run the experiment again to finish it",
    );
  }
  return scores;
}

/** The names of the arms that have results, in order of first appearance. */
export function armsOf(results: readonly RunResult[]): string[] {
  return [...new Set(results.map(({ arm }) => arm))];
}

/** What an arm used, for its line in the report: all three budgets (design rule 4.7), averaged over seeds. */
export interface ArmBudget {
  readonly arm: string;
  readonly runs: number;
  readonly supervisedTokens: number;
  readonly totalTokens: number;
  readonly steps: number;
  readonly epochs: number;
  readonly seconds: number;
  readonly parameters: number;
}

/** The budgets of all arms. */
export function budgetsOf(results: readonly RunResult[]): ArmBudget[] {
  return armsOf(results).map((arm) => {
    const runs = results.filter((result) => result.arm === arm);
    const mean = (of: (result: RunResult) => number): number =>
      runs.reduce((total, result) => total + of(result), 0) / runs.length;
    return {
      arm,
      runs: runs.length,
      supervisedTokens: mean(({ training }) => training.supervisedTokens),
      totalTokens: mean(({ training }) => training.totalTokens),
      steps: mean(({ training }) => training.steps),
      epochs: mean(({ training }) => training.epochs),
      seconds: mean(({ training }) => training.seconds),
      parameters: mean(({ manifest }) => manifest.parameterCount),
    };
  });
}
