import { KitError } from "../support/errors.js";
import { Random } from "../support/random.js";
import type { Example } from "./example.js";

/** Which task types are held out: by name, or a random share of them. */
export type HeldOutChoice =
  | { readonly heldOutTaskTypes: readonly string[] }
  | {
      /** Share of the task types, above 0 and below 1; at least one is held out and at least one is left. */
      readonly heldOutFraction: number;
      readonly seed: number;
    };

export interface SplitOptions {
  /** Let rows of one source data set stand on both sides, as for data that has one source only. */
  readonly allowSharedSources?: boolean;
}

/** An input that stands on both sides: what was trained on is then asked for. */
export interface SharedInput {
  readonly input: string;
  readonly trainId: string;
  readonly trainTask: string;
  readonly heldOutId: string;
  readonly heldOutTask: string;
}

/** Rows to train on and rows of task types that training never sees. */
export interface TaskSplit {
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
  readonly trainTaskTypes: readonly string[];
  readonly heldOutTaskTypes: readonly string[];
  /** Held-out rows whose input, character by character, is also that of a training row. */
  readonly sharedInputs: readonly SharedInput[];
}

/**
 * Splits by task type.
 * @throws KitError when a task type is not there, a side would be empty, a task belongs to types of both sides, or (unless
 *   allowed) a source data set has rows on both sides
 */
export function splitByTaskType(
  examples: readonly Example[],
  choice: HeldOutChoice,
  options: SplitOptions = {},
): TaskSplit {
  const taskTypes = sortedUnique(examples.map(({ taskType }) => taskType));
  const heldOut = new Set(
    "heldOutTaskTypes" in choice
      ? namedTypes(choice.heldOutTaskTypes, taskTypes)
      : randomTypes(choice, taskTypes),
  );
  return makeSplit(
    examples.filter(({ taskType }) => !heldOut.has(taskType)),
    examples.filter(({ taskType }) => heldOut.has(taskType)),
    options,
  );
}

/**
 * Splits by a list that names the side of each task, such as the official Super-NaturalInstructions split
 * (`readOfficialSplit`); rows of tasks on neither side are left out.
 * @throws KitError as `splitByTaskType`
 */
export function splitByTaskList(
  examples: readonly Example[],
  sideOf: (task: string) => "train" | "test" | "excluded" | undefined,
  options: SplitOptions = {},
): TaskSplit {
  return makeSplit(
    examples.filter(({ task }) => sideOf(task) === "train"),
    examples.filter(({ task }) => sideOf(task) === "test"),
    options,
  );
}

function makeSplit(train: readonly Example[], heldOut: readonly Example[], options: SplitOptions): TaskSplit {
  if (train.length === 0 || heldOut.length === 0) {
    throw new KitError(
      train.length === 0 ? "no row is left to train on" : "no row is held out",
      "hold out some of the task types, not all and not none",
    );
  }
  refuseShared(train, heldOut, "task type", ({ taskType }) => [taskType]);
  refuseShared(train, heldOut, "task", ({ task }) => [task]);
  if (options.allowSharedSources !== true)
    refuseShared(train, heldOut, "source", ({ source }) => source.split(" + "));
  return {
    train,
    heldOut,
    trainTaskTypes: sortedUnique(train.map(({ taskType }) => taskType)),
    heldOutTaskTypes: sortedUnique(heldOut.map(({ taskType }) => taskType)),
    sharedInputs: findSharedInputs(train, heldOut),
  };
}

function namedTypes(asked: readonly string[], taskTypes: readonly string[]): readonly string[] {
  const unknown = asked.find((taskType) => !taskTypes.includes(taskType));
  if (unknown !== undefined) {
    const shown = taskTypes.slice(0, 30).map((taskType) => `"${taskType}"`);
    throw new KitError(
      `no row has the task type "${unknown}"`,
      `use one of ${shown.join(", ")}${taskTypes.length > shown.length ? ", ..." : ""}`,
      { field: "heldOutTaskTypes" },
    );
  }
  return asked;
}

function randomTypes(
  { heldOutFraction, seed }: Extract<HeldOutChoice, { seed: number }>,
  taskTypes: readonly string[],
): readonly string[] {
  if (!(heldOutFraction > 0 && heldOutFraction < 1)) {
    throw new KitError(
      `a share of ${heldOutFraction} cannot be held out`,
      "give a number above 0 and below 1",
      {
        field: "heldOutFraction",
      },
    );
  }
  if (taskTypes.length < 2) {
    throw new KitError(
      `all rows are of one task type (${taskTypes.join("")})`,
      "give data with several task types: one is held out, another is trained on",
    );
  }
  const count = Math.min(taskTypes.length - 1, Math.max(1, Math.round(heldOutFraction * taskTypes.length)));
  return Random.derive(seed, "held-out task types").shuffled(taskTypes).slice(0, count);
}

function refuseShared(
  train: readonly Example[],
  heldOut: readonly Example[],
  what: "task" | "task type" | "source",
  valuesOf: (example: Example) => readonly string[],
): void {
  const trained = new Map<string, Example>();
  for (const example of train) for (const value of valuesOf(example)) trained.set(value, example);
  for (const example of heldOut) {
    for (const value of valuesOf(example)) {
      const other = trained.get(value);
      if (other === undefined) continue;
      throw new KitError(
        `the ${what} "${value}" is on both sides of the split: training has "${other.id}" (${other.taskType}), held out is "${example.id}" (${example.taskType})`,
        what === "source"
          ? "put task types with a common source on the same side, or allow shared sources explicitly"
          : `give each ${what} to one side only`,
        { field: what === "task type" ? "taskType" : what },
      );
    }
  }
}

function findSharedInputs(train: readonly Example[], heldOut: readonly Example[]): SharedInput[] {
  const trained = new Map<string, Example>();
  for (const example of train) {
    if (example.input !== "" && !trained.has(example.input)) trained.set(example.input, example);
  }
  return heldOut.flatMap((example) => {
    const other = trained.get(example.input);
    if (other === undefined) return [];
    const { id: trainId, task: trainTask } = other;
    return [{ input: example.input, trainId, trainTask, heldOutId: example.id, heldOutTask: example.task }];
  });
}

function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
