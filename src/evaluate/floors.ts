import type { Example } from "../data/example.js";
import { groupBy } from "../support/group.js";
import { exactMatch, normalizeAnswer, type Match } from "./metrics/exact-match.js";
import { rougeL } from "./metrics/rouge.js";

/** Means over the rows of a task type, from 0 to 1. */
export interface FloorScore {
  readonly exactMatch: number;
  readonly rougeL: number;
  /** Rows that the floor has an answer for. */
  readonly rows: number;
}

/** What can be scored on a task type without reading its inputs, or without a model. */
export interface Floors {
  readonly taskType: string;
  readonly rows: number;
  /**
   * The one answer that scores best on a task, given to all its rows. Where the task has training rows it is their most
   * frequent answer; else it is that of the held-out rows themselves, so no constant answer can do better.
   */
  readonly majorityLabel: FloorScore;
  readonly majorityFrom: "train" | "held-out" | "both";
  /** The row's input as its answer. */
  readonly copyInput: FloorScore;
  /**
   * A right demonstration's output as the answer, in expectation over the demonstrations of the row (a random one);
   * absent when no row has any.
   */
  readonly copyDemonstration?: FloorScore;
}

/** How answers are compared. */
export interface FloorOptions {
  readonly match: Match;
  /** Whether ROUGE-L stems. */
  readonly stem: boolean;
}

/**
 * Floors for each task type of the held-out rows. The majority label is found for each task, as one answer cannot fit
 * tasks with other labels.
 * @param train rows that the model was trained on; those of the same task give the majority label
 * @returns one entry for each task type, sorted by name
 */
export function floors(
  train: readonly Example[],
  heldOut: readonly Example[],
  options: FloorOptions,
): Floors[] {
  const labels = majorityLabels(train, heldOut, options.match);
  const trained = new Set(train.map(({ task }) => task));
  return [...groupBy(heldOut, ({ taskType }) => taskType)]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([taskType, rows]) => {
      const demonstration = meanScore(
        rows,
        (row) => row.positive?.map(({ output }) => output) ?? [],
        options,
      );
      const known = rows.filter(({ task }) => trained.has(task)).length;
      return {
        taskType,
        rows: rows.length,
        majorityLabel: meanScore(rows, ({ task }) => [labels.get(task) ?? ""], options),
        majorityFrom: known === 0 ? "held-out" : known === rows.length ? "train" : "both",
        copyInput: meanScore(rows, ({ input }) => [input], options),
        ...(demonstration.rows === 0 ? {} : { copyDemonstration: demonstration }),
      };
    });
}

/**
 * The floors over all rows, each row the same, as the published figures of Super-NaturalInstructions are (Wang et al. 2022:
 * 14.2 for copying the input, 28.5 for copying a demonstration, on its full test set).
 */
export function overallFloors(
  table: readonly Floors[],
): Pick<Floors, "rows" | "majorityLabel" | "copyInput" | "copyDemonstration"> {
  const demonstrations = table.flatMap(({ copyDemonstration }) => copyDemonstration ?? []);
  return {
    rows: table.reduce((sum, { rows }) => sum + rows, 0),
    majorityLabel: rowMean(table.map(({ majorityLabel }) => majorityLabel)),
    copyInput: rowMean(table.map(({ copyInput }) => copyInput)),
    ...(demonstrations.length === 0 ? {} : { copyDemonstration: rowMean(demonstrations) }),
  };
}

function rowMean(scores: readonly FloorScore[]): FloorScore {
  const rows = scores.reduce((sum, score) => sum + score.rows, 0);
  const over = (kind: "exactMatch" | "rougeL"): number =>
    rows === 0 ? 0 : scores.reduce((sum, score) => sum + score[kind] * score.rows, 0) / rows;
  return { exactMatch: over("exactMatch"), rougeL: over("rougeL"), rows };
}

/** Expected exact match of an answer drawn at random among the different answers of its task; each row the same. */
export function randomAnswer(rows: readonly Example[], match: Match): number {
  const form = match === "strict" ? (label: string): string => label : normalizeAnswer;
  const shares = [...groupBy(rows, ({ task }) => task).values()].flatMap((own) => {
    const answers = new Set(own.flatMap(({ outputs }) => outputs.map(form))).size;
    return own.map(({ outputs }) => new Set(outputs.map(form)).size / answers);
  });
  return mean(shares);
}

/** For each task of the held-out rows, the answer that matches most of the rows that may be counted; ties: the first. */
function majorityLabels(
  train: readonly Example[],
  heldOut: readonly Example[],
  match: Match,
): Map<string, string> {
  const trainRows = groupBy(train, ({ task }) => task);
  return new Map(
    [...groupBy(heldOut, ({ task }) => task)].map(([task, rows]) => {
      return [task, mostFrequent(trainRows.get(task) ?? rows, match)];
    }),
  );
}

/** Answers that match each other count together, once a row; the first spelling stands for them. */
function mostFrequent(rows: readonly Example[], match: Match): string {
  const groups = new Map<string, { readonly label: string; readonly count: number }>();
  for (const { outputs } of rows) {
    const spellings = groupBy(outputs, (label) => (match === "strict" ? label : normalizeAnswer(label)));
    for (const [key, [first = ""]] of spellings) {
      const { label, count } = groups.get(key) ?? { label: first, count: 0 };
      groups.set(key, { label, count: count + 1 });
    }
  }
  const none = { label: "", count: 0 };
  return [...groups.values()].reduce((best, group) => (group.count > best.count ? group : best), none).label;
}

/** The mean over rows of the mean over a row's answers; rows without an answer are left out. */
function meanScore(
  rows: readonly Example[],
  answersOf: (row: Example) => readonly string[],
  { match, stem }: FloorOptions,
): FloorScore {
  let exact = 0;
  let rouge = 0;
  let count = 0;
  for (const row of rows) {
    const answers = answersOf(row);
    if (answers.length === 0) continue;
    count++;
    exact += mean(answers.map((answer) => exactMatch(answer, row.outputs, match)));
    rouge += mean(answers.map((answer) => rougeL(answer, row.outputs, { stem })));
  }
  return count === 0
    ? { exactMatch: 0, rougeL: 0, rows: 0 }
    : { exactMatch: exact / count, rougeL: rouge / count, rows: count };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
