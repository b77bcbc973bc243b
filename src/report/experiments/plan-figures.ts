import { seedMean } from "../../evaluate/statistics/seed-interval.js";
import type { FinishedRun } from "../../experiment/plan/analysis.js";
import { type CheckedPlan, levelsOf } from "../../experiment/plan/plan.js";
import type { RunResult, ScoredRow } from "../../experiment/result.js";
import { armsOf, REPORT_BOOTSTRAP, scoresOf } from "../../experiment/scores.js";
import { suiteByName } from "../../experiment/suites.js";
import { groupBy } from "../../support/group.js";
import { armsWithIntervals, type Floor, type RowPoint } from "../figures/arms-with-intervals.js";
import { doseCurve } from "../figures/dose-curve.js";
import { matrixMap } from "../figures/matrix-map.js";
import { points } from "../figures/points.js";
import { scoreStrips } from "../figures/score-strips.js";
import type { Section } from "../report.js";
import { endsOf } from "./common.js";
import { hasTemplatesOfDataSets, levelSections, templateSections } from "./level-sections.js";
import { measuredFloors } from "./measured-floors.js";

/** With more task types than this their dots are drawn as a map. */
const MOST_ROWS_OF_DOTS = 16;
/** With more arms than this their dots in a row cannot be told apart. */
const MOST_ARMS_IN_A_ROW = 5;

/** The figures of a plan beyond its arms: each only where the runs have what it shows. All are of the suite's first metric. */
export function planSections(plan: CheckedPlan, runs: readonly FinishedRun[]): Section[] {
  const [metric = ""] = suiteByName(plan.suite).metrics;
  const results = runs.map(({ result }) => result);
  return [
    ...doseSections(plan, runs, metric),
    ...levelSections(results, metric),
    ...taskTypeSections(results, metric),
    ...templateSections(results, metric),
    ...wordingSections(results, metric),
    ...costSections(results, metric),
    ...forgettingSections(results, metric),
  ];
}

/** A curve over every factor whose levels are numbers. */
function doseSections(plan: CheckedPlan, runs: readonly FinishedRun[], metric: string): Section[] {
  return [...levelsOf(plan)].flatMap(([factor, levels], index): Section[] => {
    const doses = levels.filter((level) => Number(level) > 0);
    if (doses.length < 2 || doses.length < levels.length) return [];
    const others = groupBy(runs, ({ levels: own }) =>
      Object.entries(own)
        .filter(([name]) => name !== factor)
        .map(([name, level]) => `${name} ${level}`)
        .join(", "),
    );
    const series = [...others].flatMap(([name, own]) =>
      (["held-out", "seen"] as const).map((part) => ({
        name: [name, part].filter((word) => word !== "").join(", "),
        points: doses.flatMap((dose) => {
          const at = own.filter((run) => run.levels[factor] === dose).map(({ result }) => result);
          const [arm] = armsOf(at);
          if (arm === undefined || !at.every(({ rows }) => rows.some((row) => row.part === part))) return [];
          const scores = scoresOf(at, arm, { part }, metric);
          return [{ x: Number(dose), ...endsOf(seedMean(scores, REPORT_BOOTSTRAP)) }];
        }),
      })),
    );
    return [
      {
        heading: `Score over ${factor}`,
        figure: doseCurve({
          id: `dose-${index + 1}`,
          title: `${metric} over ${factor}`,
          subtitle: "95% intervals",
          xTitle: `${factor} (log scale)`,
          yTitle: `${metric} (0 to 1)`,
          series: series.filter((one) => one.points.length > 0),
        }),
      },
    ];
  });
}

/** Every held-out task type: dots with intervals of a few, a map of arms and task types of many. */
function taskTypeSections(results: readonly RunResult[], metric: string): Section[] {
  const arms = armsOf(results);
  const rows = heldOutRows(results);
  const taskTypes = [...new Set(rows.map(({ taskType }) => taskType))].sort();
  if (taskTypes.length < 2) return [];
  const heading = "Held-out task types";
  const scoresIn = (arm: string): ReturnType<typeof scoresOf> =>
    scoresOf(results, arm, { part: "held-out" }, metric);
  if (taskTypes.length > MOST_ROWS_OF_DOTS || arms.length > MOST_ARMS_IN_A_ROW) {
    return [
      {
        heading,
        text: [
          "What an arm scores on each task type that it never saw: means over rows and seeds, without intervals.",
        ],
        figure: matrixMap({
          id: "held-out-map",
          title: `${metric} by arm and held-out task type`,
          rows: arms,
          columns: taskTypes,
          values: arms.map((arm) => {
            const own = groupBy(scoresIn(arm), ({ taskType }) => taskType);
            return taskTypes.map((taskType) => meanOf((own.get(taskType) ?? []).map(({ score }) => score)));
          }),
          valueTitle: `${metric} (0 to 1)`,
          rowTitle: "trained",
          columnTitle: "held-out task types",
          range: [0, 1],
        }),
      },
    ];
  }
  return [
    {
      heading,
      figure: armsWithIntervals({
        id: "held-out-task-types",
        title: `${metric} on each held-out task type`,
        subtitle: "95% intervals over rows and seeds",
        valueTitle: `${metric} (0 to 1)`,
        rows: taskTypes,
        series: arms.map((arm) => {
          const own = groupBy(scoresIn(arm), ({ taskType }) => taskType);
          return {
            name: arm,
            points: [...own].map(([row, scores]): RowPoint => {
              const interval = seedMean(scores, { ...REPORT_BOOTSTRAP, unit: "example" });
              return { row, ...endsOf(interval) };
            }),
          };
        }),
        ...taskTypeFloors(results, metric, rows, taskTypes),
      }),
    },
  ];
}

/** The floors that the runs measured; without them that of the most frequent reference, which can be told from the rows. */
function taskTypeFloors(
  results: readonly RunResult[],
  metric: string,
  rows: readonly ScoredRow[],
  taskTypes: readonly string[],
): { readonly floors?: readonly Floor[] } {
  const measured = measuredFloors(results, metric);
  if (measured.length > 0) {
    return {
      floors: measured.map(({ name, byTaskType }) => ({
        name: `floor: ${name}`,
        points: [...byTaskType].map(([row, value]) => ({ row, value })),
      })),
    };
  }
  return metric === "exact-match" ? { floors: [majorityFloor(rows, taskTypes)] } : {};
}

/** What always the most frequent reference of a task type would get: a floor that needs no model and no training rows. */
function majorityFloor(
  rows: readonly ScoredRow[],
  taskTypes: readonly string[],
): { name: string; points: { row: string; value: number }[] } {
  return {
    name: "floor: the most frequent reference",
    points: taskTypes.map((taskType) => {
      const own = rows.filter((row) => row.taskType === taskType);
      const counts = [...groupBy(own, ({ target }) => target).values()].map(({ length }) => length);
      return { row: taskType, value: Math.max(...counts) / own.length };
    }),
  };
}

/** Where rows were asked in several wordings: the score of each wording, by arm. */
function wordingSections(results: readonly RunResult[], metric: string): Section[] {
  if (hasTemplatesOfDataSets(results.flatMap((result) => result.rows))) return [];
  const rows = armsOf(results).flatMap((arm) => {
    const own = results.filter((result) => result.arm === arm).flatMap((result) => result.rows);
    const byWording = groupBy(
      own.filter(({ wording }) => wording !== undefined),
      ({ wording = "" }) => wording,
    );
    const values = [...byWording].map(([name, asked]) => ({
      name,
      value: meanOf(scoresBy(asked, metric)) ?? 0,
    }));
    return values.length === 0 ? [] : [{ label: arm, values }];
  });
  if (rows.length === 0) return [];
  return [
    {
      heading: "Template variance",
      text: [
        "The same rows, asked in several wordings of their instructions; each dot is the mean over rows and seeds.",
      ],
      figure: scoreStrips({
        id: "template-variance",
        title: `${metric} as a distribution over wordings`,
        valueTitle: `${metric} (0 to 1)`,
        rows,
      }),
    },
  ];
}

/** Floating-point operations of training against the score. */
function costSections(results: readonly RunResult[], metric: string): Section[] {
  if (heldOutRows(results).length === 0) return [];
  return [
    {
      heading: "Cost and score",
      text: ["Training alone, counted from the rows' tokens; answering is not in it."],
      figure: points({
        id: "cost",
        title: `${metric} on held-out rows against what training cost`,
        xTitle: "floating-point operations of training",
        xFromZero: true,
        yTitle: `${metric} (0 to 1)`,
        series: seriesOf(results, metric, ({ training }) => training.flops),
      }),
    },
  ];
}

/** What became of the pre-training text, where runs began with a pre-trained model. */
function forgettingSections(results: readonly RunResult[], metric: string): Section[] {
  const measured = results.filter(({ forgetting }) => forgetting !== undefined);
  const [first] = measured.flatMap(({ forgetting }) => forgetting ?? []);
  if (first === undefined || heldOutRows(measured).length === 0) return [];
  const arms = armsOf(measured);
  return [
    {
      heading: "Generalization and forgetting",
      text: [
        `Bits for each byte of ${first.text} (${first.bytes.toLocaleString("en")} bytes) after training, lower is better; the dotted line is before.`,
      ],
      figure: points({
        id: "forgetting",
        title: "What is learned, and what is forgotten",
        xTitle: "bits per byte of pre-training text, after training",
        yTitle: `${metric} on held-out rows (0 to 1)`,
        series: seriesOf(measured, metric, ({ forgetting }) => forgetting?.after ?? Number.NaN),
        reference: { name: "before training", x: first.before },
      }),
      table: {
        columns: [
          { name: "arm" },
          { name: "before", unit: "bits per byte" },
          { name: "after", unit: "bits per byte" },
        ],
        rows: arms.map((arm) => {
          const own = measured
            .filter((result) => result.arm === arm)
            .flatMap(({ forgetting }) => forgetting ?? []);
          const mean = (of: (one: (typeof own)[number]) => number): string =>
            (meanOf(own.map(of)) ?? 0).toFixed(3);
          return [arm, mean(({ before }) => before), mean(({ after }) => after)];
        }),
      },
    },
  ];
}

function seriesOf(
  results: readonly RunResult[],
  metric: string,
  xOf: (result: RunResult) => number,
): Parameters<typeof points>[0]["series"] {
  return armsOf(results).map((arm) => ({
    name: arm,
    points: results
      .filter((result) => result.arm === arm)
      .flatMap((result) => {
        const y = meanOf(scoresBy(heldOutRows([result]), metric));
        return y === null ? [] : [{ x: xOf(result), y, label: `seed ${result.seed}` }];
      }),
  }));
}

function heldOutRows(results: readonly RunResult[]): ScoredRow[] {
  return results.flatMap(({ rows }) => rows.filter(({ part }) => part === "held-out"));
}

function scoresBy(rows: readonly ScoredRow[], metric: string): number[] {
  return rows.flatMap(({ scores }) => scores[metric] ?? []);
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
