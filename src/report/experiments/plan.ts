import type { FinishedRun, HypothesisResult, PlanAnalysis } from "../../experiment/plan/analysis.js";
import type { CheckedPlan, Hypothesis } from "../../experiment/plan/plan.js";
import { percent, percentInterval } from "../../experiment/claim.js";
import type { RunResult } from "../../experiment/result.js";
import { armsWithIntervals } from "../figures/arms-with-intervals.js";
import { pairedDifferences } from "../figures/paired-differences.js";
import type { Report, Section } from "../report.js";
import { planSections } from "./plan-figures.js";
import { budgetTable, endsOf, lossFigure, predictionTable } from "./common.js";
import { measuredFloors } from "./measured-floors.js";

/** Arms up to this number have their first answers in the report. */
const ARMS_WITH_ANSWERS = 12;

/**
 * The report of a plan: what became of its hypotheses, the scores of all arms, budgets, curves and answers. It holds
 * nothing that depends on the clock, so that the same runs give the same report to the byte.
 */
export function planReport(
  plan: CheckedPlan,
  runs: readonly FinishedRun[],
  missing: readonly { readonly id: string; readonly message: string }[],
  analysis: PlanAnalysis,
): Report {
  const results = runs.map(({ result }) => result);
  const arms = new Set(results.map(({ arm }) => arm)).size;
  return {
    title: plan.title ?? plan.name,
    summary: [
      ...analysis.hypotheses.map(hypothesisLine),
      ...analysis.undecided.map(
        ({ statement }) =>
          `Undecided: ${statement}. No test row was answered by the runs of both sides: ${missing.length > 0 ? "runs are missing" : "these arms are asked different rows"}.`,
      ),
      `${runs.length} runs: ${arms} arms with ${plan.seeds.length} seeds, each with a budget of ${plan.budget.amount.toLocaleString("en")} ${plan.budget.unit}.`,
      ...(missing.length === 0
        ? []
        : [
            `${missing.length} runs are missing, so nothing here is about them: ${missing.map(({ id }) => id).join("; ")}.`,
          ]),
    ],
    sections: [
      ...(analysis.hypotheses.length === 0 ? [] : [hypothesisSection(analysis.hypotheses)]),
      ...scoreSections(analysis, results),
      ...planSections(plan, runs),
      {
        heading: "Budget",
        text: [`Arms are matched on ${plan.budget.unit}; what that took is beside it (means over seeds).`],
        table: budgetTable(analysis.budgets, { seconds: false }),
      },
      { heading: "Training", figure: lossFigure(results) },
      ...(arms > ARMS_WITH_ANSWERS
        ? []
        : [{ heading: "First answers on held-out rows", table: predictionTable(results, "held-out", 2) }]),
    ],
    manifest: {
      plan,
      shared: results[0]?.manifest,
      runs: results.map(({ key, arm, seed, manifest, training, resolved }) => ({
        key,
        arm,
        seed,
        trainingDataHash: manifest.trainingDataHash,
        testDataHash: manifest.testDataHash,
        training: { ...training, seconds: undefined },
        resolved,
      })),
    },
  };
}

const EXPECTED: Readonly<Record<Hypothesis["direction"], string>> = {
  "a-is-higher": "a − b above",
  "a-is-lower": "a − b below −",
  "they-differ": "a − b beyond ±",
  "they-are-equivalent": "a − b within ±",
};

function hypothesisLine({ hypothesis, difference, verdict }: HypothesisResult): string {
  const words = { supported: "Supported", contradicted: "Contradicted", "not shown": "Not shown" };
  return `${words[verdict]}: ${hypothesis.statement} (difference in ${hypothesis.metric} ${percentInterval(difference)} points).`;
}

function hypothesisSection(results: readonly HypothesisResult[]): Section {
  const [first] = results;
  return {
    heading: "Hypotheses",
    text: [
      "Stated in the plan, before the runs. Sides are paired by the other factors, the seed and the test row.",
      first?.difference.basis ?? "",
      ...(results.length === 1
        ? []
        : [
            `A verdict is from the wider interval, which holds for all ${results.length} together (Bonferroni). p is that of the paired permutation test over task types, with Holm's correction.`,
          ]),
    ],
    figure: pairedDifferences({
      id: "hypotheses",
      title: "What was expected, and what came",
      subtitle: "differences a − b; 95% intervals",
      valueTitle: "difference (share of the metric's scale)",
      rows: results.map(({ hypothesis, difference }) => ({
        label: hypothesis.statement,
        ...endsOf(difference),
      })),
    }),
    table: {
      columns: [
        { name: "hypothesis" },
        { name: "metric" },
        { name: "a" },
        { name: "b" },
        { name: "expected", unit: "points" },
        { name: "difference, 95%", unit: "points" },
        { name: "for all together", unit: "points" },
        { name: "p (Holm)" },
        { name: "runs" },
        { name: "rows" },
        { name: "verdict" },
      ],
      rows: results.map(({ hypothesis, difference, together, pValue, runs, rows, verdict }) => [
        hypothesis.statement,
        hypothesis.metric,
        choiceText(hypothesis.a),
        choiceText(hypothesis.b),
        EXPECTED[hypothesis.direction] + percent(hypothesis.margin),
        percentInterval(difference),
        percentInterval(together),
        pValue < 0.001 ? "below 0.001" : pValue.toFixed(3),
        `${runs.a} and ${runs.b}`,
        rows,
        verdict,
      ]),
    },
  };
}

function choiceText(choice: Hypothesis["a"]): string {
  return Object.entries(choice)
    .map(([factor, level]) => `${factor} ${String(level)}`)
    .join(", ");
}

function scoreSections({ scores }: PlanAnalysis, results: readonly RunResult[]): Section[] {
  return [...new Set(scores.map(({ metric }) => metric))].map((metric, index) => {
    const own = scores.filter((score) => score.metric === metric);
    const floors = measuredFloors(results, metric);
    return {
      heading: `Scores: ${metric}`,
      text: [own[0]?.interval.basis ?? ""],
      figure: armsWithIntervals({
        id: `scores-${index + 1}`,
        title: `${metric} of every arm`,
        subtitle: "means over rows in task types in seeds; 95% intervals",
        valueTitle: `${metric} (0 to 1)`,
        series: [...new Set(own.map(({ rows }) => rows))].map((rows) => ({
          name: rows,
          points: own
            .filter((score) => score.rows === rows)
            .map(({ arm, interval }) => ({ row: arm, ...endsOf(interval) })),
        })),
        ...(floors.length === 0
          ? {}
          : {
              floors: floors.map(({ name, mean }) => ({
                name: `floor of held-out rows: ${name}`,
                value: mean,
              })),
            }),
      }),
      table: {
        columns: [{ name: "arm" }, { name: "rows" }, { name: metric, unit: "%" }],
        rows: [
          ...own.map(({ arm, rows, interval }) => [arm, rows, percentInterval(interval)]),
          ...floors.map(({ name, mean }) => [`floor: ${name}`, "held-out", percent(mean)]),
        ],
      },
    };
  });
}
