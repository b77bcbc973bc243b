import type { Example } from "../../data/example.js";
import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import { exactMatch } from "../metrics/exact-match.js";
import { rougeL } from "../metrics/rouge.js";
import { NaiveBayes } from "./naive-bayes.js";
import { NearestRow } from "./nearest.js";

/** What answers without a language model. */
export const BASELINES = ["majority", "naive-bayes", "nearest", "copy-input", "random", "perfect"] as const;
export type BaselineName = (typeof BASELINES)[number];

/** Means over the rows, from 0 to 1. */
export interface BaselineScore {
  readonly exactMatch: number;
  readonly rougeL: number;
}

/** The baselines of a group of test rows. */
export interface BaselineLine {
  readonly group: string;
  readonly rows: number;
  readonly scores: Readonly<Record<BaselineName, BaselineScore>>;
}

/** How test rows are grouped and solved. */
export interface BaselineOptions {
  readonly groupOf: (row: Example) => string;
  /** The perfect solver. */
  readonly solve: (row: Example) => string;
  readonly seed: number;
}

type Answer = (row: Example) => string;

/**
 * What each baseline gets. "majority": the most frequent answer of the task in training; "naive-bayes" and "nearest"
 * learn from the instruction and the input of the task's training rows; "random": an option, or the answer of a random
 * training row of the task. A task without training rows learns from all training rows.
 */
export function baselineTable(
  train: readonly Example[],
  test: readonly Example[],
  { groupOf, solve, seed }: BaselineOptions,
): BaselineLine[] {
  const byTask = groupBy(train, ({ task }) => task);
  const everyTask = lazily(() => learn(train, seed));
  const learned = new Map<string, Readonly<Record<BaselineName, Answer>>>();
  const answersOf = (task: string): Readonly<Record<BaselineName, Answer>> => {
    const rows = byTask.get(task);
    const known = learned.get(task) ?? {
      ...(rows === undefined ? everyTask() : learn(rows, seed)),
      perfect: solve,
    };
    learned.set(task, known);
    return known;
  };
  return [...groupBy(test, groupOf)].map(([group, rows]) => ({
    group,
    rows: rows.length,
    scores: Object.fromEntries(
      BASELINES.map((name) => [name, meanScore(rows, (row) => answersOf(row.task)[name](row))]),
    ) as Record<BaselineName, BaselineScore>,
  }));
}

function learn(rows: readonly Example[], seed: number): Record<Exclude<BaselineName, "perfect">, Answer> {
  const labelled = rows.map((row) => ({ text: textOf(row), label: row.outputs[0] ?? "" }));
  const counts = groupBy(labelled, ({ label }) => label);
  const majority = [...counts].reduce((best, entry) => (entry[1].length > best[1].length ? entry : best))[0];
  const bayes = new NaiveBayes(labelled);
  const nearest = new NearestRow(labelled);
  const random = Random.derive(seed, "random baseline");
  return {
    majority: () => majority,
    "naive-bayes": (row) => bayes.predict(textOf(row)),
    nearest: (row) => nearest.predict(textOf(row)),
    "copy-input": ({ input }) => input,
    random: ({ options }) => (options === undefined ? random.choice(labelled).label : random.choice(options)),
  };
}

function textOf({ instruction = "", input }: Example): string {
  return `${instruction} ${input}`;
}

function meanScore(rows: readonly Example[], answer: Answer): BaselineScore {
  let exact = 0;
  let rouge = 0;
  for (const row of rows) {
    const said = answer(row);
    exact += exactMatch(said, row.outputs, "strict");
    rouge += rougeL(said, row.outputs, { stem: false });
  }
  return { exactMatch: exact / rows.length, rougeL: rouge / rows.length };
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
