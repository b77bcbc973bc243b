import { KitError } from "../../support/errors.js";
import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import type { Example } from "../example.js";

/** First of the private-use code points of Unicode: symbols that mean nothing, for opaque task tags. */
const FIRST_TAG = 0xe000;
const TAG_LIMIT = 6400;

/** The opaque tag with a number: one symbol of the private-use area. */
export function tagSymbol(number: number): string {
  if (number >= TAG_LIMIT) {
    throw new KitError(
      `there are only ${TAG_LIMIT} task tags, number ${number} was asked for`,
      "use fewer tasks",
    );
  }
  return String.fromCodePoint(FIRST_TAG + number);
}

/** Numbers the tasks of the examples in order of first appearance, on top of those numbered before. */
export function numberTasks(
  examples: readonly Example[],
  known: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const numbers = new Map(known);
  for (const { task } of examples) if (!numbers.has(task)) numbers.set(task, numbers.size);
  return numbers;
}

/**
 * The control that knows *which* task it has but not what the task says: each instruction becomes its task's opaque
 * tag. On trained tasks that is as much information as the instruction; on held-out ones the tag was never seen.
 */
export function withTaskTags(examples: readonly Example[], numbers: ReadonlyMap<string, number>): Example[] {
  return examples.map((example) => {
    const number = numbers.get(example.task);
    if (number === undefined)
      throw new KitError(`task "${example.task}" has no tag`, "number all tasks first");
    return { ...example, instruction: tagSymbol(number) };
  });
}

/**
 * The negative control: the instructions are permuted over the rows, so that the model sees the same instruction
 * texts as often as before but not with their own rows. A row whose permuted instruction is by chance its own keeps it.
 */
export function withShuffledInstructions(examples: readonly Example[], seed: number): Example[] {
  const instructions = Random.derive(seed, "shuffled instructions").shuffled(examples.map(instructionIn));
  return examples.map((example, index) => {
    const instruction = instructions[index];
    return instruction === undefined ? example : { ...example, instruction };
  });
}

/**
 * The control with consistent but wrong instructions: every task has those of another task, always the same one, each task
 * once. As with a tag, trained tasks can be told apart by what the instructions say; what they mean is of no use.
 * @throws KitError for fewer than two tasks
 */
export function withSwappedInstructions(examples: readonly Example[], seed: number): Example[] {
  const byTask = groupBy(examples, ({ task }) => task);
  const tasks = Random.derive(seed, "swapped instructions").shuffled([...byTask.keys()]);
  if (tasks.length < 2) {
    throw new KitError("there is no other task to swap instructions with", "use rows of two tasks or more");
  }
  const instructionsFor = new Map(
    tasks.map((task, index) => {
      const other = tasks[(index + 1) % tasks.length] ?? task;
      return [task, (byTask.get(other) ?? []).map(instructionIn)];
    }),
  );
  const taken = new Map<string, number>();
  return examples.map((example) => {
    const instructions = instructionsFor.get(example.task) ?? [];
    const index = taken.get(example.task) ?? 0;
    taken.set(example.task, index + 1);
    return { ...example, instruction: instructions[index % instructions.length] ?? "" };
  });
}

function instructionIn({ id, instruction }: Example): string {
  if (instruction !== undefined) return instruction;
  throw new KitError(`row "${id}" has no instruction to shuffle`, "use rows with instructions", {
    field: "instruction",
  });
}
