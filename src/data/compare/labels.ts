import type { Example } from "../example.js";

/** How evenly the answers of classification-like tasks are spread. */
export interface LabelBalance {
  /** Tasks with few answers that repeat, and their rows; other tasks have no labels to balance. */
  readonly tasks: number;
  readonly rows: number;
  /** Different answers of a task, in the mean over rows. */
  readonly labels: number;
  /** Share of rows with their task's most frequent answer: what always giving that answer scores. */
  readonly majorityShare: number;
  /** Entropy of a task's answers in bits, in the mean over rows. */
  readonly entropy: number;
  /** That entropy over the most that so many labels could have, 0 to 1; 1 where all are equally frequent. */
  readonly evenness: number;
}

/** A task is classification-like when it has at most so many different answers ... */
const MOST_LABELS = 10;
/** ... and each is given so often on average ... */
const LEAST_REPEATS = 2;
/** ... among so many rows: fewer may agree by chance. */
const LEAST_ROWS = 4;

/** The balance of labels over the classification-like tasks among the rows; undefined where there are none. */
export function labelBalance(examples: readonly Example[]): LabelBalance | undefined {
  const byTask = new Map<string, Map<string, number>>();
  for (const { task, outputs } of examples) {
    const [label] = outputs;
    if (label === undefined) continue;
    const counts = byTask.get(task) ?? new Map<string, number>();
    byTask.set(task, counts);
    const key = label.trim();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const tasks = [...byTask.values()].map((counts) => [...counts.values()]).filter(isClassification);
  const rows = sum(tasks.map(sum));
  if (rows === 0) return undefined;
  const meanOverRows = (of: (counts: readonly number[]) => number): number =>
    sum(tasks.map((counts) => of(counts) * sum(counts))) / rows;
  return {
    tasks: tasks.length,
    rows,
    labels: meanOverRows(({ length }) => length),
    majorityShare: meanOverRows((counts) => Math.max(...counts) / sum(counts)),
    entropy: meanOverRows(entropy),
    evenness: meanOverRows((counts) => (counts.length < 2 ? 0 : entropy(counts) / Math.log2(counts.length))),
  };
}

function isClassification(counts: readonly number[]): boolean {
  return counts.length <= MOST_LABELS && sum(counts) >= Math.max(LEAST_ROWS, LEAST_REPEATS * counts.length);
}

function entropy(counts: readonly number[]): number {
  const all = sum(counts);
  return -sum(counts.map((count) => (count / all) * Math.log2(count / all)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
