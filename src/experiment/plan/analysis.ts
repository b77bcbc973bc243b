import type { ExampleScore } from "../../evaluate/statistics/bootstrap.js";
import { holm } from "../../evaluate/statistics/holm.js";
import { taskTypeTest } from "../../evaluate/statistics/permutation.js";
import { seedDifference, type SeedInterval, seedMean } from "../../evaluate/statistics/seed-interval.js";
import { groupBy } from "../../support/group.js";
import type { RunResult } from "../result.js";
import { type ArmBudget, armsOf, budgetsOf, REPORT_BOOTSTRAP, type RowChoice, scoresOf } from "../scores.js";
import { suiteByName } from "../suites.js";
import { hasLevels, type PlannedRun } from "./expand.js";
import type { CheckedPlan, Hypothesis, LevelChoice } from "./plan.js";

/** An arm's mean by one metric on one kind of test rows. */
export interface PlanArmScore {
  readonly arm: string;
  readonly metric: string;
  /** A part ("seen", "held-out"), or a level of the suite. */
  readonly rows: string;
  readonly interval: SeedInterval;
}

/** What the runs say about a hypothesis. */
export interface HypothesisResult {
  readonly hypothesis: Hypothesis;
  /** 95% interval of the difference a - b. */
  readonly difference: SeedInterval;
  /** The same at a level that holds for all hypotheses of the plan together (Bonferroni); what the verdict is from. */
  readonly together: SeedInterval;
  /** Two-sided p-value of the paired permutation test over task types, with Holm's correction over the plan's hypotheses. */
  readonly pValue: number;
  /** Runs on either side, and test rows that all of them answered. */
  readonly runs: { readonly a: number; readonly b: number };
  readonly rows: number;
  readonly verdict: "supported" | "contradicted" | "not shown";
}

/** What an experiment says, in numbers. */
export interface PlanAnalysis {
  readonly scores: readonly PlanArmScore[];
  readonly hypotheses: readonly HypothesisResult[];
  /** Hypotheses of which nothing can be said: no test row was answered by the runs of both sides. */
  readonly undecided: readonly Hypothesis[];
  readonly budgets: readonly ArmBudget[];
}

/** A finished run of a plan. */
export interface FinishedRun {
  readonly levels: PlannedRun["levels"];
  readonly result: RunResult;
}

/**
 * Scores of all arms with intervals, and the hypotheses with what the intervals allow to be said of them. Any part of a
 * plan's runs will do.
 */
export function analysePlan(plan: CheckedPlan, runs: readonly FinishedRun[]): PlanAnalysis {
  const results = runs.map(({ result }) => result);
  const kinds = rowKinds(results);
  const { metrics } = suiteByName(plan.suite);
  const judged = plan.hypotheses.map((hypothesis) => ({
    hypothesis,
    result: judge(hypothesis, runs, plan.hypotheses.length),
  }));
  return {
    scores: metrics.flatMap((metric) =>
      kinds.flatMap(([rows, choice]) =>
        armsOf(results)
          .filter((arm) => results.some((result) => result.arm === arm && hasRows(result, choice)))
          .map((arm) => ({
            arm,
            metric,
            rows,
            interval: seedMean(scoresOf(results, arm, choice, metric), REPORT_BOOTSTRAP),
          })),
      ),
    ),
    hypotheses: corrected(judged.flatMap(({ result }) => result ?? [])),
    undecided: judged.flatMap(({ hypothesis, result }) => (result === undefined ? [hypothesis] : [])),
    budgets: budgetsOf(results),
  };
}

/** The parts of the test rows, and then the levels, as they come; a level that is all of a part is that part again. */
function rowKinds(results: readonly RunResult[]): [string, RowChoice][] {
  const rows = results.flatMap((result) => result.rows);
  const parts = (["held-out", "seen"] as const).filter((part) => rows.some((row) => row.part === part));
  const levelsOf = (own: typeof rows): Set<string> => new Set(own.flatMap(({ level }) => level ?? []));
  const levels = [...levelsOf(rows)].filter((level) => {
    const { part } = rows.find((row) => row.level === level) ?? {};
    return levelsOf(rows.filter((row) => row.part === part)).size > 1;
  });
  return [
    ...parts.map((part): [string, RowChoice] => [part, { part }]),
    ...levels.map((level): [string, RowChoice] => [`level ${level}`, { level }]),
  ];
}

function hasRows({ rows }: RunResult, choice: RowChoice): boolean {
  return rows.some((row) => ("part" in choice ? row.part === choice.part : row.level === choice.level));
}

/** Undefined where no test row was answered on both sides. */
function judge(
  hypothesis: Hypothesis,
  runs: readonly FinishedRun[],
  count: number,
): HypothesisResult | undefined {
  const [a, b] = pairedRuns(hypothesis, runs);
  const arms = commonScores(pooled(a, hypothesis), pooled(b, hypothesis));
  if (arms.a.length === 0) return undefined;
  const difference = seedDifference(arms, REPORT_BOOTSTRAP);
  const together =
    count === 1
      ? difference
      : seedDifference(arms, { ...REPORT_BOOTSTRAP, level: 1 - (1 - REPORT_BOOTSTRAP.level) / count });
  return {
    hypothesis,
    difference,
    together,
    pValue: taskTypeTest(arms, REPORT_BOOTSTRAP).pValue,
    runs: { a: a.length, b: b.length },
    rows: arms.a.length,
    verdict: verdictOf(hypothesis, together),
  };
}

/** With p-values that hold for all hypotheses of the plan together. */
function corrected(results: readonly HypothesisResult[]): HypothesisResult[] {
  const adjusted = holm(results.map(({ pValue }) => pValue));
  return results.map((result, index) => ({ ...result, pValue: adjusted[index] ?? result.pValue }));
}

/** What an interval of the difference allows to be said. */
export function verdictOf(
  { direction, margin }: Pick<Hypothesis, "direction" | "margin">,
  { low, high }: Pick<SeedInterval, "low" | "high">,
): HypothesisResult["verdict"] {
  const [isAbove, isBelow] = [low > margin, high < -margin];
  const isWithin = low > -margin && high < margin;
  const [supported, contradicted] = {
    "a-is-higher": [isAbove, high < margin],
    "a-is-lower": [isBelow, low > -margin],
    "they-differ": [isAbove || isBelow, isWithin],
    "they-are-equivalent": [isWithin, isAbove || isBelow],
  }[direction];
  return supported ? "supported" : contradicted ? "contradicted" : "not shown";
}

/** The runs of both sides that have a partner with the same levels of the other factors and the same seed. */
function pairedRuns(
  { a, b }: Hypothesis,
  runs: readonly FinishedRun[],
): [readonly FinishedRun[], readonly FinishedRun[]] {
  const named = new Set([...Object.keys(a), ...Object.keys(b)]);
  const cellOf = ({ levels, result }: FinishedRun): string =>
    JSON.stringify([result.seed, Object.entries(levels).filter(([factor]) => !named.has(factor))]);
  const cells = (choice: LevelChoice): Map<string, FinishedRun[]> =>
    groupBy(
      runs.filter(({ levels }) => hasLevels(levels, choice)),
      cellOf,
    );
  const [ofA, ofB] = [cells(a), cells(b)];
  const common = [...ofA.keys()].filter((cell) => ofB.has(cell));
  return [common.flatMap((cell) => ofA.get(cell) ?? []), common.flatMap((cell) => ofB.get(cell) ?? [])];
}

/** Scores by row, each the mean over the runs of its seed, of rows that all of these answered. */
function pooled(
  runs: readonly FinishedRun[],
  { rows: choice, metric }: Hypothesis,
): Map<string, ExampleScore> {
  const scores = new Map<string, ExampleScore>();
  for (const [seed, own] of groupBy(runs, ({ result }) => result.seed)) {
    const answered = own.flatMap(({ result }) =>
      result.rows
        .filter((row) => ("part" in choice ? row.part === choice.part : row.level === choice.level))
        // The target is in the key: rows of suites of other sizes may share an id, and are no pair.
        .map((row) => ({ key: JSON.stringify([seed, row.taskType, row.id, row.target]), row })),
    );
    for (const [key, same] of groupBy(answered, ({ key }) => key)) {
      const [first] = same;
      if (first === undefined || same.length < own.length) continue;
      const { taskType, id } = first.row;
      const total = same.reduce((sum, { row }) => sum + (row.scores[metric] ?? Number.NaN), 0);
      scores.set(key, { seed, taskType, id, score: total / same.length });
    }
  }
  return scores;
}

function commonScores(
  a: ReadonlyMap<string, ExampleScore>,
  b: ReadonlyMap<string, ExampleScore>,
): { readonly a: ExampleScore[]; readonly b: ExampleScore[] } {
  const keys = [...a.keys()].filter((key) => b.has(key));
  const of = (scores: ReadonlyMap<string, ExampleScore>): ExampleScore[] =>
    keys.flatMap((key) => scores.get(key) ?? []);
  return { a: of(a), b: of(b) };
}
