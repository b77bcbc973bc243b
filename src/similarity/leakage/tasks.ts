import type { Example } from "../../data/example.js";
import { sourceKeys } from "../../data/split/source-key.js";
import { groupBy } from "../../support/group.js";
import { plainText } from "../words.js";
import type { LeakBook } from "./leak.js";

/** What a task says of itself. */
interface TaskFacts {
  readonly task: string;
  readonly taskType: string;
  readonly sources: readonly string[];
  /** The instruction, where all rows of the task have one and the same; "" elsewhere. */
  readonly instruction: string;
}

/** Books task types, tasks and sources on both sides, and sibling tasks across them. */
export function findSharedTasks(
  train: readonly Example[],
  heldOut: readonly Example[],
  book: LeakBook,
): void {
  const trained = factsOf(train);
  const tested = factsOf(heldOut);
  const bySource = groupBy(
    trained.flatMap((facts) => facts.sources.map((source) => ({ source, facts }))),
    ({ source }) => source,
  );
  const byType = groupBy(trained, ({ taskType }) => taskType);
  const byInstruction = groupBy(trained, ({ instruction }) => instruction);
  const byTask = new Map(trained.map((facts) => [facts.task, facts]));
  for (const { task, taskType, sources, instruction } of tested) {
    for (const other of byType.get(taskType) ?? [])
      book.addTasks("shared-task-type", other.task, task, taskType);
    if (byTask.has(task)) book.addTasks("shared-task", task, task, task);
    for (const source of sources) {
      for (const { facts } of bySource.get(source) ?? []) {
        book.addTasks("shared-source", facts.task, task, source);
        if (facts.task !== task) book.addTasks("sibling-task", facts.task, task, `source ${source}`);
      }
    }
    const twins = instruction === "" ? [] : (byInstruction.get(instruction) ?? []);
    for (const twin of twins) {
      if (twin.task !== task) book.addTasks("sibling-task", twin.task, task, "the instruction");
    }
  }
}

function factsOf(examples: readonly Example[]): TaskFacts[] {
  return [...groupBy(examples, ({ task }) => task)].map(([task, rows]) => {
    const instructions = new Set(rows.map((row) => plainText(row.instruction ?? "")));
    return {
      task,
      taskType: rows[0]?.taskType ?? "",
      sources: [...new Set(rows.map(({ source }) => source))].flatMap(sourceKeys),
      instruction: instructions.size === 1 && rows.length > 1 ? ([...instructions][0] ?? "") : "",
    };
  });
}
