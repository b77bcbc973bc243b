import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { chooseHeldOut, splitByTaskList } from "../split.js";
import { assignSides, type Placement } from "./assign.js";
import { clusterOf, type ClusterTable } from "./clusters.js";
import { splitByTemplate, type TemplateChoice } from "./held-out-template.js";
import { relativesOf, type Relation, type Relative } from "./relations.js";
import { t0Side, T0_CLUSTERS, type T0Variant } from "./t0.js";
import type { SplitOptions, TaskSplit } from "./task-split.js";

/** How to split. */
export type SplitChoice =
  | {
      readonly kind: "task types";
      readonly heldOut: readonly string[];
      /** Task types related to a held-out one are left out of training. */
      readonly relations: readonly Relation[];
    }
  | {
      /** A random share of the task types, above 0 and below 1. */
      readonly kind: "share of task types";
      readonly share: number;
      readonly seed: number;
      readonly relations: readonly Relation[];
    }
  | {
      /** Clusters of a table take the place of the task types; rows of data sets not in it are left out. */
      readonly kind: "clusters";
      readonly table: ClusterTable;
      readonly heldOut: readonly string[];
      readonly relations: readonly Relation[];
    }
  | {
      /** T0's own split, by source data set. */
      readonly kind: "t0";
      readonly variant: T0Variant;
    }
  | {
      /** A list with the side of each task, such as the official one of Super-NaturalInstructions (`readOfficialSplit`). */
      readonly kind: "task list";
      readonly sideOf: (task: string) => "train" | "test" | "excluded" | undefined;
    }
  | {
      /** Tasks whose task type goes on being trained. Sibling tasks, of the same source, are left out of training or kept there. */
      readonly kind: "tasks";
      readonly heldOut: readonly string[];
      readonly siblings: "exclude" | "keep";
    }
  | TemplateChoice;

/**
 * Splits as the choice says.
 * @throws KitError when what is to be held out is not there, a side would be empty, or something stands on both sides that may not
 */
export function makeSplit(
  examples: readonly Example[],
  choice: SplitChoice,
  options: SplitOptions = {},
): TaskSplit {
  switch (choice.kind) {
    case "task types":
      return splitWithRelations(examples, new Set(choice.heldOut), choice.relations, options);
    case "share of task types": {
      const types = examples.map(({ taskType }) => taskType);
      const heldOut = chooseHeldOut(types, { heldOutFraction: choice.share, seed: choice.seed });
      return splitWithRelations(examples, heldOut, choice.relations, options);
    }
    case "clusters":
      return splitByClusters(examples, choice, options);
    case "t0":
      return splitAsT0(examples, choice.variant, options);
    case "task list":
      return splitByTaskList(examples, choice.sideOf, options);
    case "tasks":
      return splitByTask(examples, choice, options);
    case "templates":
      return splitByTemplate(examples, choice);
  }
}

/** A split for each task type, held out alone, in alphabetical order. */
export function* leaveOneOut(
  examples: readonly Example[],
  relations: readonly Relation[],
  options: SplitOptions = {},
): Generator<{ readonly heldOut: string; readonly split: TaskSplit }> {
  for (const heldOut of [...new Set(examples.map(({ taskType }) => taskType))].sort()) {
    yield { heldOut, split: splitWithRelations(examples, new Set([heldOut]), relations, options) };
  }
}

function splitWithRelations(
  examples: readonly Example[],
  heldOut: ReadonlySet<string>,
  relations: readonly Relation[],
  options: SplitOptions,
): TaskSplit {
  chooseHeldOut(
    examples.map(({ taskType }) => taskType),
    { heldOutTaskTypes: [...heldOut] },
  );
  const relatives = relativesOf(heldOut, relations);
  return assignSides(
    examples,
    ({ taskType }): Placement => {
      if (heldOut.has(taskType)) return "held-out";
      const relative = relatives.get(taskType);
      return relative === undefined ? "train" : relatedTo(relative);
    },
    options,
  );
}

function relatedTo({ name, heldOut, why }: Relative): Placement {
  return { what: "task type", name, why: `it is related to "${heldOut}", which is held out: ${why}` };
}

function splitByClusters(
  examples: readonly Example[],
  { table, heldOut, relations }: Extract<SplitChoice, { kind: "clusters" }>,
  options: SplitOptions,
): TaskSplit {
  const { rows, unknown } = withClusters(examples, table);
  const clusters = rows.flatMap((row) => (unknown.has(row) ? [] : [row.taskType]));
  const chosen = chooseHeldOut(clusters, { heldOutTaskTypes: heldOut });
  const relatives = relativesOf(chosen, relations);
  const place = (row: Example): Placement => {
    if (unknown.has(row)) return notInTable(row, table);
    if (chosen.has(row.taskType)) return "held-out";
    const relative = relatives.get(row.taskType);
    return relative === undefined ? "train" : relatedTo(relative);
  };
  return assignSides(rows, place, options);
}

function splitAsT0(examples: readonly Example[], variant: T0Variant, options: SplitOptions): TaskSplit {
  const { rows, unknown } = withClusters(examples, T0_CLUSTERS);
  const place = (row: Example): Placement => {
    const side = t0Side(row, variant);
    if (unknown.has(row) || side === undefined) return notInTable(row, T0_CLUSTERS);
    if (side === "unused") return { what: "source", name: row.source, why: `${variant} does not use it` };
    return side;
  };
  // The larger variants train on a part of clusters whose rest they are evaluated on.
  const bothSides = variant === "T0" ? [] : (["task type"] as const);
  return assignSides(rows, place, { ...options, bothSides });
}

/** Rows with clusters as their task types; those that have none stay as they are. */
function withClusters(
  examples: readonly Example[],
  table: ClusterTable,
): { readonly rows: readonly Example[]; readonly unknown: ReadonlySet<Example> } {
  const unknown = new Set<Example>();
  const rows = examples.map((example) => {
    const taskType = clusterOf(example, table);
    if (taskType !== undefined) return { ...example, taskType };
    unknown.add(example);
    return example;
  });
  return { rows, unknown };
}

function notInTable({ source }: Example, { name }: ClusterTable): Placement {
  return { what: "source", name: source, why: `it is in no cluster of ${name}` };
}

function splitByTask(
  examples: readonly Example[],
  { heldOut, siblings }: Extract<SplitChoice, { kind: "tasks" }>,
  options: SplitOptions,
): TaskSplit {
  const tasks = new Set(examples.map(({ task }) => task));
  const unknown = heldOut.find((task) => !tasks.has(task));
  if (unknown !== undefined) {
    throw new KitError(
      `no row has the task "${unknown}"`,
      "compare the name with those of `data inspect --json`",
      {
        field: "heldOut",
      },
    );
  }
  const chosen = new Set(heldOut);
  return assignSides(examples, ({ task }) => (chosen.has(task) ? "held-out" : "train"), {
    ...options,
    sharedSources: siblings === "keep" ? "allow" : "exclude",
    bothSides: ["task type"],
  });
}
