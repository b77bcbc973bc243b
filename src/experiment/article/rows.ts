import type { Example } from "../../data/example.js";
import { ARTICLE_ROWS } from "../../data/mini/tasks/article.js";
import { MINI_TASKS } from "../../data/mini/tasks/index.js";
import { drawTaskRows, type SplitRows, type TaskSize } from "../../data/mini/tasks/rows.js";
import { groupBy } from "../../support/group.js";

/** Task types of the kinds that the article speaks of. */
export const ARTICLE_TASK_TYPES: readonly string[] = [
  "sentiment",
  "topic",
  "summarization",
  "open-questions",
  "inference",
];

/**
 * Rows of all tasks of these types. The article's own three rows are in no split; rows like them are ("The film was
 * fantastic!", "Who wrote 'Pride and Prejudice'?", the same news of other markets).
 */
export function drawArticleTasks(
  size: TaskSize,
  seed: number,
  taskTypes: readonly string[] = ARTICLE_TASK_TYPES,
): SplitRows {
  return drawTaskRows(
    size,
    seed,
    MINI_TASKS.filter(({ taskType }) => taskTypes.includes(taskType)),
  );
}

/** How near the training rows come to a row of the article. */
export interface Nearness {
  readonly id: string;
  /** Training rows with the very input: a row that was in training would be remembered, not answered. */
  readonly sameInput: number;
  /** Training rows of its task with its answer. */
  readonly sameAnswer: number;
  /** Some of the inputs of those. */
  readonly nearest: readonly string[];
}

const SHOWN = 5;

/** What of the article's rows is in some training rows: to be said beside their answers. */
export function nearnessOf(train: readonly Example[]): Nearness[] {
  const byTask = groupBy(train, ({ task }) => task);
  return ARTICLE_ROWS.map(({ id, task, input, outputs }) => {
    const same = (byTask.get(task) ?? []).filter((row) => row.outputs.includes(outputs[0] ?? ""));
    const words = new Set(wordsOf(input));
    const shared = (row: Example): number => wordsOf(row.input).filter((word) => words.has(word)).length;
    return {
      id,
      sameInput: train.filter((row) => row.input === input).length,
      sameAnswer: same.length,
      nearest: [...same]
        .sort((a, b) => shared(b) - shared(a))
        .slice(0, SHOWN)
        .map((row) => row.input),
    };
  });
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}
