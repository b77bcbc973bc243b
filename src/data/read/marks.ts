import type { Example } from "../example.js";

/** What the kit's writers add to a record, so that reading it back gives the same example. */
export type Marks = Pick<Example, "id" | "task" | "taskType" | "source">;

/** The names under which they stand in a record. */
export const MARKS = ["id", "task", "taskType", "source"] as const;

/** The marks of a record that the kit wrote: it has all four as texts. A record with some of them is not the kit's. */
export function marksOf(record: unknown): Marks | undefined {
  if (typeof record !== "object" || record === null) return undefined;
  const { id, task, taskType, source } = record as Readonly<Record<string, unknown>>;
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  return isText(id) && isText(task) && isText(taskType) && isText(source)
    ? { id, task, taskType, source }
    : undefined;
}
