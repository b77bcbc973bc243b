import { KitError } from "../support/errors.js";
import { Random } from "../support/random.js";
import type { Example } from "./example.js";
import { assignSides, type Placement } from "./split/assign.js";
import type { Exclusion, SharedInput, SplitOptions, TaskSplit } from "./split/task-split.js";

export type { Exclusion, SharedInput, SplitOptions, TaskSplit };

/** Which task types are held out: by name, or a random share of them. */
export type HeldOutChoice =
  | { readonly heldOutTaskTypes: readonly string[] }
  | {
      /** Share of the task types, above 0 and below 1; at least one is held out and at least one is left. */
      readonly heldOutFraction: number;
      readonly seed: number;
    };

/**
 * Splits by task type.
 * @throws KitError when a task type is not there, a side would be empty, a task belongs to types of both sides, or (unless
 *   the options say otherwise) a source data set has rows on both sides
 */
export function splitByTaskType(
  examples: readonly Example[],
  choice: HeldOutChoice,
  options: SplitOptions = {},
): TaskSplit {
  const heldOut = chooseHeldOut(
    examples.map(({ taskType }) => taskType),
    choice,
  );
  return assignSides(examples, ({ taskType }) => (heldOut.has(taskType) ? "held-out" : "train"), options);
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
  const place = ({ task }: Example): Placement => {
    const side = sideOf(task);
    if (side === "train") return "train";
    if (side === "test") return "held-out";
    const why =
      side === undefined ? "it is on no list" : "the list excludes it: it shares a source with a test task";
    return { what: "task", name: task, why };
  };
  return assignSides(examples, place, options);
}

/**
 * The names to hold out of some (with repeats).
 * @throws KitError when a name is not among them, or the share cannot be taken
 */
export function chooseHeldOut(all: readonly string[], choice: HeldOutChoice): ReadonlySet<string> {
  const taskTypes = [...new Set(all)].sort();
  return new Set(
    "heldOutTaskTypes" in choice
      ? namedTypes(choice.heldOutTaskTypes, taskTypes)
      : randomTypes(choice, taskTypes),
  );
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
