import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { sourceKeys } from "./source-key.js";
import type { Exclusion, OneSided, SharedInput, SplitOptions, TaskSplit } from "./task-split.js";

/** Where a row goes: to a side, or to neither with what is excluded and why. */
export type Placement = "train" | "held-out" | Omit<Exclusion, "rows">;

export interface AssignOptions extends SplitOptions {
  /** What the choice itself puts on both sides, as a held-out task leaves its task type in training. */
  readonly bothSides?: readonly OneSided[];
}

/**
 * Puts each row where it belongs and holds to the rule that nothing stands on both sides: no task type, no task, no source data
 * set. A row for evaluation only never goes to training.
 * @throws KitError when a side is empty, or something stands on both sides that may not
 */
export function assignSides(
  examples: readonly Example[],
  placementOf: (example: Example) => Placement,
  { sharedSources = "refuse", bothSides = [] }: AssignOptions = {},
): TaskSplit {
  const heldOut: Example[] = [];
  const candidates: Example[] = [];
  const exclusions = new ExclusionBook();
  for (const example of examples) {
    const placement = placementOf(example);
    if (placement === "held-out") heldOut.push(example);
    else if (placement !== "train") exclusions.add(placement);
    else if (example.evaluationOnly !== true) candidates.push(example);
    else exclusions.add({ what: "task", name: example.task, why: "it is for evaluation only" });
  }
  const train = sharedSources === "exclude" ? withoutSourcesOf(heldOut, candidates, exclusions) : candidates;
  if (train.length === 0 || heldOut.length === 0) {
    throw new KitError(
      train.length === 0 ? "no row is left to train on" : "no row is held out",
      "hold out some of the task types, not all and not none",
    );
  }
  for (const what of ["task type", "task", "source"] as const) {
    const allowed = bothSides.includes(what) || (what === "source" && sharedSources === "allow");
    if (!allowed) refuseShared(train, heldOut, what);
  }
  return { ...splitOfSides(train, heldOut), excluded: exclusions.list() };
}

/**
 * Two given sides as a split, such as a training set and a benchmark: nothing is moved, left out or refused. What stands on both
 * sides is for the leakage gate.
 * @throws KitError when a side is empty
 */
export function splitOfSides(train: readonly Example[], heldOut: readonly Example[]): TaskSplit {
  if (train.length === 0 || heldOut.length === 0) {
    throw new KitError(
      `the side of the ${train.length === 0 ? "training" : "test"} rows is empty`,
      "give rows for both sides",
    );
  }
  return {
    train,
    heldOut,
    trainTaskTypes: sortedTaskTypes(train),
    heldOutTaskTypes: sortedTaskTypes(heldOut),
    excluded: [],
    sharedInputs: findSharedInputs(train, heldOut),
  };
}

/** Adds up excluded rows that were excluded as one and for one reason. */
class ExclusionBook {
  readonly #byKey = new Map<string, Exclusion>();

  add(exclusion: Omit<Exclusion, "rows">): void {
    const key = `${exclusion.what}\n${exclusion.name}\n${exclusion.why}`;
    this.#byKey.set(key, { ...exclusion, rows: (this.#byKey.get(key)?.rows ?? 0) + 1 });
  }

  list(): Exclusion[] {
    return [...this.#byKey.values()];
  }
}

function withoutSourcesOf(
  heldOut: readonly Example[],
  candidates: readonly Example[],
  exclusions: ExclusionBook,
): Example[] {
  const heldOutBy = new Map(
    heldOut.flatMap(({ source, task }) => sourceKeys(source).map((key) => [key, task])),
  );
  return candidates.filter(({ source }) => {
    const shared = sourceKeys(source).find((key) => heldOutBy.has(key));
    if (shared === undefined) return true;
    const why = `the held-out task "${heldOutBy.get(shared) ?? ""}" has the same source`;
    exclusions.add({ what: "source", name: source, why });
    return false;
  });
}

const VALUES_OF: Readonly<Record<OneSided, (example: Example) => readonly string[]>> = {
  "task type": ({ taskType }) => [taskType],
  task: ({ task }) => [task],
  // Names as they are written. Other spellings of one data set are for the leakage gate: it reports them all at once.
  source: ({ source }) => source.split(" + "),
};

function refuseShared(train: readonly Example[], heldOut: readonly Example[], what: OneSided): void {
  const trained = new Map<string, Example>();
  for (const example of train) for (const value of VALUES_OF[what](example)) trained.set(value, example);
  for (const example of heldOut) {
    for (const value of VALUES_OF[what](example)) {
      const other = trained.get(value);
      if (other === undefined) continue;
      throw new KitError(
        `the ${what} "${value}" is on both sides of the split: training has "${other.id}" (${other.taskType}), held out is "${example.id}" (${example.taskType})`,
        what === "source"
          ? "put task types with a common source on the same side, leave such rows out of training, or allow shared sources explicitly (--allow-shared-sources)"
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

function sortedTaskTypes(examples: readonly Example[]): string[] {
  return [...new Set(examples.map(({ taskType }) => taskType))].sort();
}
