import type { Example } from "../../../data/example.js";
import type { TaskSplit } from "../../../data/split.js";
import type { Leak } from "../../../similarity/leakage/leak.js";
import type { LeakageReport } from "../../../similarity/leakage/report.js";
import { groupBy } from "../../../support/group.js";
import { textTable } from "./shared.js";

/** Lines of a kind that are shown; the JSON has all. */
const LINES_SHOWN = 10;

interface TaskTypeSide {
  readonly taskType: string;
  readonly rows: number;
  readonly tasks: readonly string[];
}

/** A split and its leaks as plain values, for JSON. */
export function splitAsJson(split: TaskSplit, report: LeakageReport): Record<string, unknown> {
  const { trainTaskTypes, heldOutTaskTypes, sharedInputs, excluded } = split;
  const [train, heldOut] = [split.train, split.heldOut].map(sideReport);
  const leakingRows = Object.fromEntries(
    [...report.rows].map(([kind, rows]) => [kind, { train: rows.train.size, heldOut: rows.heldOut.size }]),
  );
  const { leaks, settings } = report;
  return {
    trainTaskTypes,
    heldOutTaskTypes,
    train,
    heldOut,
    excluded,
    sharedInputs,
    leakage: { settings, leakingRows, leaks },
  };
}

/** Both sides, what is on neither and why, and the leaks. */
export function describeSplit(split: TaskSplit, report: LeakageReport): string {
  const { train, heldOut, excluded, sharedInputs } = split;
  const left = excluded.reduce((sum, { rows }) => sum + rows, 0);
  return [
    sideTable("train", train),
    `\n${sideTable("held out", heldOut)}`,
    `\nrows on neither side: ${left}`,
    ...reasonLines(split),
    `held-out inputs that are also trained on: ${sharedInputs.length}`,
    ...shorten(sharedInputs.map(({ heldOutId, trainId }) => `  ${heldOutId} = ${trainId}`)),
    `\n${describeLeaks(report)}`,
  ].join("\n");
}

/** The reasons why rows are on neither side, each with the names it holds for. */
function reasonLines({ excluded }: TaskSplit): string[] {
  const byReason = groupBy(excluded, ({ what, why }) => `${what}: ${why}`);
  return shorten(
    [...byReason.values()]
      .map((group) => ({ group, rows: group.reduce((sum, { rows }) => sum + rows, 0) }))
      .sort((a, b) => b.rows - a.rows)
      .map(({ group, rows }) => {
        const [first] = group;
        const others = group.length === 1 ? "" : ` and ${group.length - 1} others`;
        return `  ${rows} of the ${first?.what ?? ""} ${first?.name ?? ""}${others}: ${first?.why ?? ""}`;
      }),
  );
}

/** A table of what leaks between which tasks, with the first pair of rows of each. */
export function describeLeaks({ leaks, rows, settings }: LeakageReport): string {
  const looked = `near-duplicates from a Jaccard similarity of ${settings.threshold}, contained inputs from ${settings.minWords} words`;
  if (leaks.length === 0) return `leaks: none (${looked})`;
  const counts = [...groupBy(leaks, ({ kind }) => kind)].map(([kind, ofKind]) => {
    const heldOut = rows.get(kind)?.heldOut.size;
    const side = kind === "evaluation-only" ? "training" : "held-out";
    return `${kind} ${heldOut === undefined ? `${ofKind.length} pairs of tasks` : `${heldOut} ${side} rows`}`;
  });
  const shown = [...groupBy(leaks, ({ kind }) => kind).values()].flatMap((ofKind) =>
    ofKind.slice(0, LINES_SHOWN),
  );
  const table = textTable(
    ["leak", "train task", "held-out task", "train rows", "held-out rows", "by"],
    shown.map((leak) => [
      leak.kind,
      leak.trainTask,
      leak.heldOutTask,
      leak.trainRows,
      leak.heldOutRows,
      leak.shared ?? evidenceOf(leak),
    ]),
  );
  const rest = leaks.length - shown.length;
  return [
    `leaks (${looked}): ${counts.join(", ")}`,
    table,
    ...(rest === 0 ? [] : [`and ${rest} other lines (--json has all)`]),
  ].join("\n");
}

function evidenceOf({ evidence: [first] }: Leak): string {
  if (first === undefined) return "";
  const text = first.text.replaceAll(/\s+/g, " ");
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return first.similarity === undefined ? shown : `${first.similarity.toFixed(2)} ${shown}`;
}

function shorten(lines: readonly string[]): string[] {
  if (lines.length <= LINES_SHOWN) return [...lines];
  return [...lines.slice(0, LINES_SHOWN), `  and ${lines.length - LINES_SHOWN} others`];
}

function sideReport(examples: readonly Example[]): TaskTypeSide[] {
  return [...groupBy(examples, ({ taskType }) => taskType)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([taskType, rows]) => ({
      taskType,
      rows: rows.length,
      tasks: [...new Set(rows.map(({ task }) => task))],
    }));
}

function sideTable(name: string, examples: readonly Example[]): string {
  const side = sideReport(examples);
  const total = side.reduce((sum, { tasks }) => sum + tasks.length, 0);
  return textTable(
    [name, "tasks", "rows"],
    [
      ...side.map(({ taskType, tasks, rows }) => [taskType, tasks.length, rows]),
      ["(all)", total, examples.length],
    ],
  );
}
