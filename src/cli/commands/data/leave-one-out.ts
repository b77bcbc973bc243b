import type { Example } from "../../../data/example.js";
import { makeSplit } from "../../../data/split/choice.js";
import { clusterOf } from "../../../data/split/clusters.js";
import { findLeaks, type LeakageSettings } from "../../../similarity/leakage/report.js";
import { KitError } from "../../../support/errors.js";
import { groupBy } from "../../../support/group.js";
import type { ProgressBar } from "../../../support/progress.js";
import { textTable } from "./shared.js";
import { type ChoiceFlags, clusterTableOf, namedChoice, splitOptionsOf } from "./split-choice.js";

/** What comes of holding out one task type, or one cluster. */
export interface LeaveOneOutLine {
  readonly heldOut: string;
  /** Why it cannot be held out alone; the counts are 0 then. */
  readonly problem?: string;
  readonly heldOutRows: number;
  readonly trainRows: number;
  /** Rows on neither side: relatives, shared sources, rows without a cluster. */
  readonly leftOut: number;
  /** Held-out rows (or pairs of tasks, where whole tasks are meant) by kind of leak. */
  readonly leaks: Readonly<Record<string, number>>;
}

/**
 * Holds out each task type alone, and says what would leak. Sources of held-out rows are left out of training unless the flags
 * allow them: with many data sets nearly every task type shares one with another.
 */
export function leaveOneOutLines(
  examples: readonly Example[],
  flags: ChoiceFlags,
  settings: LeakageSettings,
  progress: ProgressBar,
): LeaveOneOutLine[] {
  const table = clusterTableOf(flags);
  const nameOf = (row: Example): string | undefined =>
    table === undefined ? row.taskType : clusterOf(row, table);
  const names = [...new Set(examples.flatMap((row) => nameOf(row) ?? []))].sort();
  if (names.length === 0)
    throw new KitError(
      `no row belongs to a cluster of ${table?.name ?? "the table"}`,
      "leave out --clusters, to take each task type",
    );
  const lines = names.map((heldOut, at) => {
    progress.update(at / names.length, heldOut);
    return lineOf(examples, heldOut, flags, settings);
  });
  progress.update(1);
  progress.stop();
  return lines;
}

function lineOf(
  examples: readonly Example[],
  heldOut: string,
  flags: ChoiceFlags,
  settings: LeakageSettings,
): LeaveOneOutLine {
  try {
    const options = { sharedSources: "exclude", ...splitOptionsOf(flags) } as const;
    const split = makeSplit(examples, namedChoice(flags, [heldOut]), options);
    const report = findLeaks(split.train, split.heldOut, settings);
    const leaks = [...groupBy(report.leaks, ({ kind }) => kind)].map(
      ([kind, ofKind]) => [kind, report.rows.get(kind)?.heldOut.size ?? ofKind.length] as const,
    );
    return {
      heldOut,
      heldOutRows: split.heldOut.length,
      trainRows: split.train.length,
      leftOut: split.excluded.reduce((sum, { rows }) => sum + rows, 0),
      leaks: Object.fromEntries(leaks),
    };
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    return { heldOut, problem: error.message, heldOutRows: 0, trainRows: 0, leftOut: 0, leaks: {} };
  }
}

/** The lines as a table. */
export function leaveOneOutTable(lines: readonly LeaveOneOutLine[]): string {
  return textTable(
    ["held out", "held-out rows", "train rows", "left out", "leaks"],
    lines.map(({ heldOut, heldOutRows, trainRows, leftOut, leaks, problem }) => {
      const found = Object.entries(leaks).map(([kind, count]) => `${kind} ${count}`);
      return [
        heldOut,
        heldOutRows,
        trainRows,
        leftOut,
        problem ?? (found.length === 0 ? "none" : found.join(", ")),
      ];
    }),
  );
}
