import type { TaskSplit } from "../../data/split/task-split.js";
import type { LeakageReport } from "../../similarity/leakage/report.js";
import type { AnyFigure } from "../figure.js";
import { matrixMap } from "../figures/matrix-map.js";
import type { NamedMatrix } from "./comparison.js";

/** A task type of training must be concerned to be drawn, and at most so many are. */
const MOST_COLUMNS = 26;

/**
 * What leaks between the task types of a split: held-out rows that share something with training rows, by the types of
 * both. Training types without a leak are left out; undefined where nothing leaks row by row.
 */
export function overlapFigure(split: TaskSplit, report: LeakageReport): AnyFigure | undefined {
  const typeOfTask = new Map(
    [...split.train, ...split.heldOut].map(({ task, taskType }) => [task, taskType]),
  );
  const counts = new Map<string, number>();
  const columns = new Map<string, number>();
  for (const { trainTask, heldOutTask, heldOutRows } of report.leaks) {
    const [train, heldOut] = [typeOfTask.get(trainTask), typeOfTask.get(heldOutTask)];
    // A demonstration that is a test row is booked under the test's own task.
    if (heldOutRows === 0 || heldOut === undefined || train === undefined || train === heldOut) continue;
    const key = `${heldOut}\n${train}`;
    counts.set(key, (counts.get(key) ?? 0) + heldOutRows);
    columns.set(train, (columns.get(train) ?? 0) + heldOutRows);
  }
  if (counts.size === 0) return undefined;
  const drawn = [...columns]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MOST_COLUMNS)
    .map(([name]) => name)
    .sort();
  return matrixMap({
    id: "overlap",
    title: "What leaks from trained to held-out task types",
    subtitle: `${drawn.length} of ${split.trainTaskTypes.length} training types are concerned; a row may leak in several ways`,
    valueTitle: "held-out rows (number)",
    rowTitle: "held-out task types",
    columnTitle: "training task types",
    rows: split.heldOutTaskTypes,
    columns: drawn,
    values: split.heldOutTaskTypes.map((heldOut) =>
      drawn.map((train) => counts.get(`${heldOut}\n${train}`) ?? 0),
    ),
    digits: 0,
  });
}

/**
 * How like the trained task types are to the held-out ones: of each side's matrix the part across the split. The training
 * types nearest to any held-out one are drawn.
 */
export function acrossSplitFigure({ labels, values }: NamedMatrix, split: TaskSplit): AnyFigure {
  const place = new Map(labels.map((label, index) => [label, index]));
  const similarity = (heldOut: string, train: string): number | null =>
    values[place.get(heldOut) ?? -1]?.[place.get(train) ?? -1] ?? null;
  const rows = split.heldOutTaskTypes.filter((type) => place.has(type));
  const nearest = (train: string): number =>
    Math.max(...rows.map((heldOut) => similarity(heldOut, train) ?? 0));
  const columns = split.trainTaskTypes
    .filter((type) => place.has(type))
    .sort((a, b) => nearest(b) - nearest(a) || (a < b ? -1 : 1))
    .slice(0, MOST_COLUMNS)
    .sort();
  return matrixMap({
    id: "across-split",
    title: "Held-out task types beside the trained ones",
    subtitle: `words in common; ${columns.length} of ${split.trainTaskTypes.length} training types, those most like a held-out one`,
    valueTitle: "similarity (mean Jaccard)",
    rowTitle: "held-out task types",
    columnTitle: "training task types",
    rows,
    columns,
    values: rows.map((heldOut) => columns.map((train) => similarity(heldOut, train))),
  });
}
