import type { Example } from "../../data/example.js";
import { type ProgressBar, silentProgress } from "../../support/progress.js";
import { type Leak, LeakBook, type LeakingRows, type LeakKind } from "./leak.js";
import { findContainedInputs, findNearInputs, findSameInputs, findShownRows } from "./rows.js";
import { findSharedTasks } from "./tasks.js";

export interface LeakageSettings {
  /** Jaccard similarity of three-word shingles from which two inputs are near-duplicates. */
  readonly threshold: number;
  /** Words that an input must have to be looked for inside other rows. */
  readonly minWords: number;
}

export const DEFAULT_LEAKAGE: LeakageSettings = { threshold: 0.8, minWords: 5 };

/** What stands on both sides of a split. */
export interface LeakageReport {
  readonly leaks: readonly Leak[];
  /** Ids of the rows concerned, by the kinds that speak of rows. */
  readonly rows: ReadonlyMap<LeakKind, LeakingRows>;
  readonly trainRows: number;
  readonly heldOutRows: number;
  readonly settings: LeakageSettings;
}

export interface LeakageOptions extends Partial<LeakageSettings> {
  readonly progress?: ProgressBar;
}

/**
 * Looks for everything that is on both sides: task types, tasks, source data sets, sibling tasks, inputs that are the same, nearly
 * the same or part of a row, demonstrations that are test rows, and evaluation rows in training.
 * Time and memory grow with the rows, and with the number of pairs that are found.
 */
export function findLeaks(
  train: readonly Example[],
  heldOut: readonly Example[],
  { progress = silentProgress, ...given }: LeakageOptions = {},
): LeakageReport {
  const settings = { ...DEFAULT_LEAKAGE, ...given };
  const book = new LeakBook();
  for (const row of train) {
    if (row.evaluationOnly === true) book.addRows("evaluation-only", row, row, row.input);
  }
  findSharedTasks(train, heldOut, book);
  findSameInputs(train, heldOut, book);
  findShownRows(train, heldOut, book);
  progress.update(0.1, "exact inputs done");
  findNearInputs(train, heldOut, settings.threshold, book, (share) =>
    progress.update(0.1 + 0.4 * share, "near-duplicates"),
  );
  findContainedInputs(train, heldOut, settings.minWords, book, (share) =>
    progress.update(0.5 + 0.5 * share, "inputs in rows"),
  );
  progress.update(1);
  progress.stop();
  return {
    leaks: book.leaks(),
    rows: book.rows(),
    trainRows: train.length,
    heldOutRows: heldOut.length,
    settings,
  };
}
