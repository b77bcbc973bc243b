import type { BootstrapOptions } from "../../evaluate/statistics/bootstrap.js";
import { seedDifference, type SeedInterval, seedMean } from "../../evaluate/statistics/seed-interval.js";
import { type Claim, percentInterval } from "../claim.js";
import type { RunResult, ScoredRow } from "../result.js";
import { type ArmBudget, armsOf, budgetsOf, REPORT_BOOTSTRAP, scoresOf } from "../scores.js";

/** The metrics of the experiment, each from 0 to 1. */
export const INSTRUCTION_METRICS = ["rouge-l", "exact-match"] as const;
export type InstructionMetric = (typeof INSTRUCTION_METRICS)[number];

/** An arm's mean over task types, each weighing the same. */
export interface InstructionArmScore {
  readonly arm: string;
  readonly metric: InstructionMetric;
  readonly part: ScoredRow["part"];
  readonly interval: SeedInterval;
}

/** An arm's score on one held-out task type. */
export interface TaskTypeScore {
  readonly taskType: string;
  readonly arm: string;
  readonly metric: InstructionMetric;
  readonly rows: number;
  readonly interval: SeedInterval;
}

/** What the experiment says, in numbers. */
export interface InstructionAnalysis {
  readonly arms: readonly InstructionArmScore[];
  /** IFT minus each other arm on the held-out task types. */
  readonly differences: readonly {
    readonly against: string;
    readonly metric: InstructionMetric;
    readonly difference: SeedInterval;
  }[];
  readonly byTaskType: readonly TaskTypeScore[];
  readonly budgets: readonly ArmBudget[];
  readonly claims: readonly Claim[];
}

/**
 * Scores per arm and per held-out task type with intervals, and paired differences on the rows that all arms answered.
 * The mean is over task types, so that a type with many tasks does not rule it.
 */
export function analyseInstructions(
  results: readonly RunResult[],
  options: BootstrapOptions = REPORT_BOOTSTRAP,
): InstructionAnalysis {
  const common = answeredByAll(results);
  const arms = armsOf(common);
  const scores = (
    arm: string,
    part: ScoredRow["part"],
    metric: InstructionMetric,
  ): ReturnType<typeof scoresOf> => scoresOf(common, arm, { part }, metric);
  const differences = INSTRUCTION_METRICS.flatMap((metric) =>
    arms
      .filter((arm) => arm !== "ift" && arms.includes("ift"))
      .map((against) => ({
        against,
        metric,
        difference: seedDifference(
          { a: scores("ift", "held-out", metric), b: scores(against, "held-out", metric) },
          options,
        ),
      })),
  );
  const byTaskType = INSTRUCTION_METRICS.flatMap((metric) =>
    arms.flatMap((arm) => {
      const own = scores(arm, "held-out", metric);
      return [...new Set(own.map(({ taskType }) => taskType))].sort().map((taskType): TaskTypeScore => {
        const rows = own.filter((score) => score.taskType === taskType);
        return {
          taskType,
          arm,
          metric,
          rows: new Set(rows.map(({ id }) => id)).size,
          // Within one task type the rows are what varies beside the seeds.
          interval: seedMean(rows, { ...options, unit: "example" }),
        };
      });
    }),
  );
  return {
    arms: INSTRUCTION_METRICS.flatMap((metric) =>
      arms.flatMap((arm) =>
        (["held-out", "seen"] as const).map((part) => ({
          arm,
          metric,
          part,
          interval: seedMean(scores(arm, part, metric), options),
        })),
      ),
    ),
    differences,
    byTaskType,
    budgets: budgetsOf(results),
    claims: differences.map(({ against, metric, difference }) => ({
      statement: `IFT beats ${against} on held-out task types in ${metric}`,
      holds: difference.low > 0,
      evidence: `difference ${percentInterval(difference)} points`,
    })),
  };
}

/** Results with only those rows that every run has an answer for: a prompt that is too long for one arm is no pair. */
export function answeredByAll(results: readonly RunResult[]): RunResult[] {
  const counts = new Map<string, number>();
  for (const { rows } of results) {
    for (const { part, id } of rows) counts.set(`${part} ${id}`, (counts.get(`${part} ${id}`) ?? 0) + 1);
  }
  return results.map((result) => ({
    ...result,
    rows: result.rows.filter(({ part, id }) => counts.get(`${part} ${id}`) === results.length),
  }));
}
