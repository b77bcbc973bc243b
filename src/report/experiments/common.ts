import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { Claim } from "../../experiment/claim.js";
import type { RunResult, ScoredRow } from "../../experiment/result.js";
import type { ArmBudget } from "../../experiment/scores.js";
import type { Figure } from "../figure.js";
import { learningCurves } from "../figures/learning-curves.js";
import type { Section } from "../report.js";

type Table = NonNullable<Section["table"]>;

/** The claims as sentences that say what the intervals allow. */
export function claimLines(claims: readonly Claim[]): string[] {
  return claims.map(
    ({ statement, holds, evidence }) => `${holds ? "Yes" : "Not shown"}: ${statement} (${evidence}).`,
  );
}

/**
 * All three budgets of every arm.
 * @param seconds whether the time is shown, which is another one whenever the runs are done
 */
export function budgetTable(
  budgets: readonly ArmBudget[],
  { seconds = true }: { readonly seconds?: boolean } = {},
): Table {
  const whole = (value: number): string => Math.round(value).toLocaleString("en");
  return {
    columns: [
      { name: "arm" },
      { name: "runs" },
      { name: "supervised tokens" },
      { name: "total tokens" },
      { name: "optimizer steps" },
      { name: "epochs" },
      { name: "parameters" },
      ...(seconds ? [{ name: "training time", unit: "s" }] : []),
    ],
    rows: budgets.map((budget) => [
      budget.arm,
      budget.runs,
      whole(budget.supervisedTokens),
      whole(budget.totalTokens),
      whole(budget.steps),
      budget.epochs.toFixed(2),
      whole(budget.parameters),
      ...(seconds ? [budget.seconds.toFixed(0)] : []),
    ]),
  };
}

/** Training loss of every run. */
export function lossFigure(results: readonly RunResult[]): Figure {
  return learningCurves({
    id: "learning-curves",
    title: "Training loss",
    subtitle: "every run; runs of an arm share a colour",
    xTitle: "supervised tokens (number)",
    yTitle: "loss (nats per supervised token)",
    curves: results.map(({ arm, seed, curve }) => ({
      name: arm,
      run: `seed ${seed}`,
      points: curve.map(({ supervisedTokens, loss }) => ({ x: supervisedTokens, y: loss })),
    })),
  });
}

/** The first answers of each arm (its first run), prompts as the model saw them. */
export function predictionTable(
  results: readonly RunResult[],
  part: ScoredRow["part"],
  rowsPerArm: number,
): Table {
  const arms = new Map(results.map((result) => [result.arm, result]));
  return {
    columns: [{ name: "arm" }, { name: "prompt" }, { name: "reference" }, { name: "answer" }],
    rows: [...arms.values()].flatMap(({ arm, rows }) =>
      rows
        .filter((row) => row.part === part)
        .slice(0, rowsPerArm)
        .map(({ prompt, target, output }) => [arm, visible(prompt), visible(target), visible(output)]),
    ),
  };
}

/** Where the numbers came from: what all runs share, and the specification of each. */
export function manifestOf(results: readonly RunResult[]): unknown {
  return {
    shared: results[0]?.manifest,
    runs: results.map(({ key, arm, seed, specification, training, manifest }) => ({
      key,
      arm,
      seed,
      trainingDataHash: manifest.trainingDataHash,
      testDataHash: manifest.testDataHash,
      training,
      specification,
    })),
  };
}

/** Private-use symbols (task tags) as their code points, long texts shortened. */
function visible(text: string): string {
  const shown = text.replace(/\p{Co}/gu, (symbol) => `⟨${symbol.codePointAt(0)?.toString(16) ?? ""}⟩`);
  return shown.length > 160 ? `${shown.slice(0, 80)} … ${shown.slice(-78)}` : shown;
}

/** The mean and the ends alone: what a figure stores of an interval. */
export function endsOf({ mean, low, high }: Interval): Interval {
  return { mean, low, high };
}
