import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { Floors, FloorScore } from "../../evaluate/floors.js";
import type { InstructionMetric } from "../../experiment/natural-instructions/analysis.js";
import type { InstructionExperiment } from "../../experiment/natural-instructions/experiment.js";
import type { InstructionArm } from "../../experiment/natural-instructions/settings.js";
import type { Figure } from "../figure.js";
import { armsWithIntervals, type Floor } from "../figures/arms-with-intervals.js";
import { pairedDifferences } from "../figures/paired-differences.js";
import type { Report, Section } from "../report.js";
import { budgetTable, claimLines, endsOf, lossFigure, manifestOf, predictionTable } from "./common.js";

/** The arms as a reader knows them. */
const ARM_NAMES: Readonly<Record<InstructionArm, string>> = {
  ift: "IFT (definition)",
  sft: "SFT (input alone)",
  "ift-shuffled": "IFT, shuffled definitions",
};

const METRIC_NAMES: Readonly<Record<InstructionMetric, string>> = {
  "rouge-l": "ROUGE-L",
  "exact-match": "exact match",
};

/** The floors, by the names that figures and tables give them. */
const FLOORS: readonly { readonly name: string; readonly of: (floors: Floors) => FloorScore | undefined }[] =
  [
    { name: "majority label", of: ({ majorityLabel }) => majorityLabel },
    { name: "copy the input", of: ({ copyInput }) => copyInput },
    { name: "copy a demonstration", of: ({ copyDemonstration }) => copyDemonstration },
  ];

/** Scores of all arms on each held-out task type, with the floors as marks. */
export function taskTypeFigure(experiment: InstructionExperiment, metric: InstructionMetric): Figure {
  const { analysis, floors } = experiment;
  return armsWithIntervals({
    id: `task-types-${metric}`,
    title: `Held-out task types: ${METRIC_NAMES[metric]}`,
    subtitle: `${rowBasis(analysis)}; the marks need no model`,
    valueTitle: `${METRIC_NAMES[metric]} (0 to 1)`,
    series: armsIn(experiment).map((arm) => ({
      name: nameOf(arm),
      points: analysis.byTaskType
        .filter((score) => score.arm === arm && score.metric === metric)
        .map(({ taskType, interval }) => ({ row: taskType, ...endsOf(interval) })),
    })),
    floors: FLOORS.map(({ name, of }): Floor => ({
      name,
      points: floors.flatMap((entry) => {
        const score = of(entry);
        return score === undefined ? [] : [{ row: entry.taskType, value: valueOf(score, metric) }];
      }),
    })),
  });
}

/** What the intervals of single task types are over, without the number of rows, which is another for each. */
function rowBasis({ byTaskType }: InstructionExperiment["analysis"]): string {
  return (byTaskType[0]?.interval.basis ?? "").replace(/[\d,]+ examples/, "the rows of the task type");
}

/** IFT minus the other arms, both metrics. */
export function instructionDifferenceFigure({ analysis }: InstructionExperiment): Figure {
  return pairedDifferences({
    id: "differences",
    title: "What the definition adds on held-out task types",
    subtitle: `paired on the same rows; ${analysis.differences[0]?.difference.basis ?? ""}`,
    valueTitle: "difference (IFT minus the other arm)",
    rows: analysis.differences.map(({ against, metric, difference }) => ({
      label: `${METRIC_NAMES[metric]}: IFT − ${nameOf(against)}`,
      ...endsOf(difference),
    })),
  });
}

/** The report of the experiment on a folder of Super-NaturalInstructions tasks. */
export function instructionReport(experiment: InstructionExperiment): Report {
  const { settings, rows, results, analysis } = experiment;
  const { trainTaskTypes, heldOutTaskTypes } = rows.split;
  const sections: Section[] = [
    {
      heading: "Means over task types",
      text: [
        "Each task type weighs the same. Seen rows are new inputs of trained tasks.",
        analysis.arms.find(({ part }) => part === "held-out")?.interval.basis ?? "",
      ],
      table: meansTable(experiment),
    },
    ...(analysis.differences.length === 0
      ? []
      : [{ heading: "Paired differences", figure: instructionDifferenceFigure(experiment) }]),
    { heading: "Each held-out task type, ROUGE-L", figure: taskTypeFigure(experiment, "rouge-l") },
    { heading: "Each held-out task type, exact match", figure: taskTypeFigure(experiment, "exact-match") },
    { heading: "The same as a table", table: taskTypeTable(experiment) },
    {
      heading: "Budget",
      text: ["Arms are matched on supervised tokens; what that took is beside it (means over seeds)."],
      table: budgetTable(analysis.budgets),
    },
    { heading: "Training", figure: lossFigure(results) },
    { heading: "Answers on held-out task types", table: predictionTable(results, "held-out", 4) },
  ];
  return {
    title: "Super-NaturalInstructions: SFT against instruction fine-tuning",
    summary: [
      ...claimLines(analysis.claims),
      `Trained from scratch on ${trainTaskTypes.length} task types (${rows.train.length.toLocaleString("en")} rows), asked on ${heldOutTaskTypes.length} held-out ones (${rows.heldOutTest.length.toLocaleString("en")} rows); ${settings.seeds.length} seeds, ${settings.supervisedTokens.toLocaleString("en")} supervised tokens a run.`,
      ...leakageLines(experiment),
    ],
    sections,
    manifest: manifestOf(results),
  };
}

/** What the leakage gate did, in words. */
function leakageLines({ settings, rows: { split, leakage } }: InstructionExperiment): string[] {
  const { remove } = settings.leakage;
  const removed = split.excluded.filter(({ what, why }) => what === "rows" && why.startsWith("they leak"));
  const count = removed.reduce((sum, { rows }) => sum + rows, 0);
  const passed = Object.entries(leakage.passed).map(([kind, found]) => `${kind} ${found}`);
  return [
    ...(remove === "nothing"
      ? []
      : [`${count} ${remove} rows whose input is, nearly or wholly, on the other side too were left out.`]),
    ...(passed.length === 0 ? [] : [`Leaks that were allowed by name: ${passed.join(", ")}.`]),
  ];
}

function meansTable(experiment: InstructionExperiment): NonNullable<Section["table"]> {
  const { analysis, floors } = experiment;
  const cell = (arm: string, metric: InstructionMetric, part: "seen" | "held-out"): string => {
    const score = analysis.arms.find((one) => one.arm === arm && one.metric === metric && one.part === part);
    return score === undefined ? "-" : interval(score.interval);
  };
  const floorCell = (of: (floors: Floors) => FloorScore | undefined, metric: InstructionMetric): string => {
    const values = floors.flatMap((entry) => of(entry) ?? []).map((score) => valueOf(score, metric));
    return values.length === 0 ? "-" : points(values.reduce((sum, value) => sum + value, 0) / values.length);
  };
  return {
    columns: [
      { name: "arm or floor" },
      { name: "held-out ROUGE-L", unit: "%" },
      { name: "held-out exact match", unit: "%" },
      { name: "seen ROUGE-L", unit: "%" },
      { name: "seen exact match", unit: "%" },
    ],
    rows: [
      ...armsIn(experiment).map((arm) => [
        nameOf(arm),
        cell(arm, "rouge-l", "held-out"),
        cell(arm, "exact-match", "held-out"),
        cell(arm, "rouge-l", "seen"),
        cell(arm, "exact-match", "seen"),
      ]),
      ...FLOORS.map(({ name, of }) => [
        `floor: ${name}`,
        floorCell(of, "rouge-l"),
        floorCell(of, "exact-match"),
        "-",
        "-",
      ]),
    ],
  };
}

function taskTypeTable(experiment: InstructionExperiment): NonNullable<Section["table"]> {
  const { analysis, floors } = experiment;
  const arms = armsIn(experiment);
  const cell = (taskType: string, arm: string, metric: InstructionMetric): string => {
    const score = analysis.byTaskType.find(
      (one) => one.taskType === taskType && one.arm === arm && one.metric === metric,
    );
    return score === undefined ? "-" : interval(score.interval);
  };
  const metrics: readonly InstructionMetric[] = ["rouge-l", "exact-match"];
  return {
    columns: [
      { name: "task type" },
      { name: "rows" },
      { name: "metric" },
      ...arms.map((arm) => ({ name: nameOf(arm), unit: "%" })),
      ...FLOORS.map(({ name }) => ({ name, unit: "%" })),
    ],
    rows: floors.flatMap((entry) =>
      metrics.map((metric) => [
        entry.taskType,
        entry.rows,
        METRIC_NAMES[metric],
        ...arms.map((arm) => cell(entry.taskType, arm, metric)),
        ...FLOORS.map(({ of }) => {
          const score = of(entry);
          return score === undefined ? "-" : points(valueOf(score, metric));
        }),
      ]),
    ),
  };
}

function armsIn({ analysis }: InstructionExperiment): string[] {
  return [...new Set(analysis.arms.map(({ arm }) => arm))];
}

function nameOf(arm: string): string {
  return arm in ARM_NAMES ? ARM_NAMES[arm as InstructionArm] : arm;
}

function valueOf(score: FloorScore, metric: InstructionMetric): number {
  return metric === "rouge-l" ? score.rougeL : score.exactMatch;
}

function points(share: number): string {
  return (100 * share).toFixed(1);
}

function interval({ mean, low, high }: Interval): string {
  return `${points(mean)} [${points(low)}, ${points(high)}]`;
}
