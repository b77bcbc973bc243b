import { FORMATS } from "../../data/mini/grid/formats.js";
import { HELD_OUT_FORMATS, HELD_OUT_SELECTORS } from "../../data/mini/grid/cells.js";
import { GRID_LEVELS, type GridLevel } from "../../data/mini/grid/rows.js";
import { SELECTORS } from "../../data/mini/grid/selectors.js";
import { type MiniAnalysis, MINI_ARMS } from "../../experiment/mini/analysis.js";
import type { MiniArm } from "../../experiment/mini/settings.js";
import type { AnyFigure, Figure } from "../figure.js";
import { armsWithIntervals } from "../figures/arms-with-intervals.js";
import { doseCurve } from "../figures/dose-curve.js";
import { matrixMap } from "../figures/matrix-map.js";
import { pairedDifferences } from "../figures/paired-differences.js";
import { endsOf } from "./common.js";

/** The arms as a reader knows them. */
export const MINI_ARM_NAMES: Readonly<Record<MiniArm, string>> = {
  ift: "IFT",
  "sft-tag": "SFT + task tag",
  sft: "SFT",
  "ift-shuffled": "IFT, shuffled",
  "ift-swapped": "IFT, swapped",
};

/** The levels as a reader knows them, the nearest to training first. */
export const LEVEL_NAMES: Readonly<Record<GridLevel, string>> = {
  seen: "trained task types, new texts",
  "unseen-slot-words": "unseen words to write",
  "unseen-paraphrase": "unseen wordings",
  "unseen-kind": "unseen kinds to look for",
  "held-out-cell": "held-out task types",
  "held-out-selector": "unseen ways to find (selectors)",
  "held-out-format": "unseen ways to write (formats)",
};

const SCORE_TITLE = "exact match (share of rows)";

/** What the intervals of the experiment are over, for the captions. */
function basisOf({ levels }: MiniAnalysis): string {
  return levels.find(({ level }) => level === "held-out-cell")?.interval.basis ?? "";
}

/** Held-out and seen exact match over the number of training task types. */
export function taskTypeCurve({ curve, floors, levels }: MiniAnalysis): Figure {
  const floor = floors.find(({ level }) => level === "held-out-cell");
  const tag = levels.find(({ level, format }) => level === "held-out-cell" && format === "sft-tag");
  return doseCurve({
    id: "task-type-curve",
    title: "Task types never trained on, by number of training task types",
    subtitle: `IFT on as many rows under the same budget; ${curve.at(-1)?.heldOut.basis ?? ""}`,
    xTitle: "training task types (number, log scale)",
    yTitle: SCORE_TITLE,
    series: [
      {
        name: "held-out task types",
        points: curve.map(({ trainingCells, heldOut }) => ({ x: trainingCells, ...endsOf(heldOut) })),
      },
      {
        name: "trained task types, new texts",
        points: curve.map(({ trainingCells, seen }) => ({ x: trainingCells, ...endsOf(seen) })),
      },
    ],
    references: [
      ...(floor === undefined ? [] : [{ name: "floor: random word, right format", value: floor.randomWord }]),
      ...(tag === undefined ? [] : [{ name: "SFT + task tag, held-out", value: tag.interval.mean }]),
    ],
  });
}

/** Every arm on trained and on held-out task types. */
export function miniArmFigure(analysis: MiniAnalysis): Figure {
  const points = (level: GridLevel): { row: string; mean: number; low: number; high: number }[] =>
    analysis.levels
      .filter((score) => score.level === level)
      .map(({ format, interval }) => ({ row: MINI_ARM_NAMES[format], ...endsOf(interval) }));
  const floor = analysis.floors.find(({ level }) => level === "held-out-cell");
  return armsWithIntervals({
    id: "arms",
    title: "The same rows and budget, shown in four ways",
    subtitle: basisOf(analysis),
    valueTitle: SCORE_TITLE,
    series: [
      { name: "held-out task types", points: points("held-out-cell") },
      { name: "trained task types, new texts", points: points("seen") },
    ],
    ...(floor === undefined
      ? {}
      : { floors: [{ name: "floor: random word, right format", value: floor.randomWord }] }),
  });
}

/** IFT minus each other arm, and minus the floor, on held-out task types. */
export function miniDifferenceFigure(analysis: MiniAnalysis): Figure {
  const floor = analysis.aboveRandomWord.find(({ level }) => level === "held-out-cell");
  return pairedDifferences({
    id: "differences",
    title: "What the instruction adds on task types never trained on",
    subtitle: `paired on the same rows; ${analysis.differences[0]?.difference.basis ?? ""}`,
    valueTitle: "difference in exact match (IFT minus the other)",
    rows: [
      ...analysis.differences.map(({ against, difference }) => ({
        label: `IFT − ${MINI_ARM_NAMES[against]}`,
        ...endsOf(difference),
      })),
      ...(floor === undefined
        ? []
        : [{ label: "IFT − random word, right format", ...endsOf(floor.difference) }]),
    ],
  });
}

/** How far from training the arms still do the task. */
export function levelFigure({ levels, floors }: MiniAnalysis): Figure {
  const shown: readonly MiniArm[] = ["ift", "sft-tag"];
  return armsWithIntervals({
    id: "levels",
    title: "How far from training: every level",
    subtitle: "intervals as above; the marks need no model",
    valueTitle: SCORE_TITLE,
    rows: GRID_LEVELS.map((level) => LEVEL_NAMES[level]),
    series: shown.map((format) => ({
      name: MINI_ARM_NAMES[format],
      points: levels
        .filter((score) => score.format === format)
        .map(({ level, interval }) => ({ row: LEVEL_NAMES[level], ...endsOf(interval) })),
    })),
    floors: [
      {
        name: "floor: random word, right format",
        points: floors.map(({ level, randomWord }) => ({ row: LEVEL_NAMES[level], value: randomWord })),
      },
      {
        name: "floor: most frequent answer",
        points: floors.map(({ level, majority }) => ({ row: LEVEL_NAMES[level], value: majority })),
      },
    ],
  });
}

/** The grid itself: exact match of IFT in the cells that are trained, or in those that are not. */
export function gridFigure({ cells }: MiniAnalysis, part: "trained" | "held-out"): AnyFigure {
  const trained = part === "trained";
  const selectors = namesOf(SELECTORS, HELD_OUT_SELECTORS, trained);
  const formats = namesOf(FORMATS, HELD_OUT_FORMATS, trained);
  const shown = new Map(
    cells.filter(({ level }) => (level === "seen") === trained).map(({ cell, mean }) => [cell, mean]),
  );
  return matrixMap({
    id: `grid-${part}`,
    title: trained ? "Trained task types, new texts" : "Task types never trained on",
    subtitle: trained
      ? "IFT, mean over rows and seeds; empty cells are held out"
      : `IFT, mean over rows and seeds; ${[...HELD_OUT_SELECTORS, ...HELD_OUT_FORMATS].join(", ")} are in no trained cell`,
    valueTitle: "exact match",
    rowTitle: "what to find",
    columnTitle: "what to do with it",
    rows: selectors,
    columns: formats,
    values: selectors.map((selector) => formats.map((format) => shown.get(`${selector}/${format}`) ?? null)),
    range: [0, 1],
  });
}

/** Names of selectors or formats; those that are never trained come last, or are left out. */
function namesOf(
  list: readonly { readonly name: string }[],
  neverTrained: readonly string[],
  trainedOnly: boolean,
): string[] {
  const names = list.map(({ name }) => name).filter((name) => !neverTrained.includes(name));
  return trainedOnly ? names : [...names, ...neverTrained];
}

/** Leave-one-cluster-out: each cluster's rows with and without it in training; undefined where none was left out. */
export function clusterFigure({ clusters, floors }: MiniAnalysis): Figure | undefined {
  if (clusters.length === 0) return undefined;
  const row = ({ cluster }: MiniAnalysis["clusters"][number]): string =>
    `${cluster.over === "selectors" ? "find" : "write"}: ${cluster.name}`;
  const floor = floors.find(({ level }) => level === "seen");
  return armsWithIntervals({
    id: "clusters",
    title: "Leave one cluster out",
    subtitle: `all cells of one selector or format left out of training; ${clusters[0]?.leftOut.basis ?? ""}`,
    valueTitle: SCORE_TITLE,
    series: [
      {
        name: "never trained on",
        points: clusters.map((one) => ({ row: row(one), ...endsOf(one.leftOut) })),
      },
      { name: "trained on", points: clusters.map((one) => ({ row: row(one), ...endsOf(one.trained) })) },
    ],
    ...(floor === undefined
      ? {}
      : { floors: [{ name: "floor: random word, right format", value: floor.randomWord }] }),
  });
}

/** All arms at all levels, with the floors. */
export function levelTable({ levels, floors }: MiniAnalysis): {
  readonly columns: { readonly name: string; readonly unit?: string }[];
  readonly rows: string[][];
} {
  const points = (share: number): string => (100 * share).toFixed(1);
  const score = (format: MiniArm, level: GridLevel): string => {
    const found = levels.find((one) => one.format === format && one.level === level)?.interval;
    return found === undefined ? "–" : `${points(found.mean)} [${points(found.low)}, ${points(found.high)}]`;
  };
  return {
    columns: [
      { name: "level" },
      ...MINI_ARMS.map((arm) => ({ name: MINI_ARM_NAMES[arm], unit: "%" })),
      { name: "random word", unit: "%" },
      { name: "most frequent answer", unit: "%" },
    ],
    rows: floors.map(({ level, majority, randomWord }) => [
      LEVEL_NAMES[level],
      ...MINI_ARMS.map((arm) => score(arm, level)),
      points(randomWord),
      points(majority),
    ]),
  };
}
