import type { Example } from "../../data/example.js";
import { readExamples, readOfficialSplit } from "../../data/read/index.js";
import { withShuffledInstructions } from "../../data/rewrite/arms.js";
import { splitByTaskList, splitByTaskType, type TaskSplit } from "../../data/split.js";
import { templateByName } from "../../data/templates/index.js";
import type { Template } from "../../data/template.js";
import { groupBy } from "../../support/group.js";
import type { InstructionArm, InstructionSettings } from "./settings.js";

/** The rows of the experiment, before an arm shows them its way. */
export interface InstructionRows {
  readonly train: readonly Example[];
  /** Rows of trained tasks that are not trained on. */
  readonly seenTest: readonly Example[];
  readonly heldOutTest: readonly Example[];
  readonly split: TaskSplit;
}

/**
 * Reads the folder, splits it by task type and takes test rows from both sides.
 * @throws KitError for bad files, and when a task type or source stands on both sides
 */
export async function readInstructionRows(settings: InstructionSettings): Promise<InstructionRows> {
  const { data, heldOut } = settings;
  const sideOf = heldOut.kind === "official" ? readOfficialSplit(data, heldOut.track) : undefined;
  const { examples } = await readExamples(data, {
    format: "super-natural-instructions",
    limitPerTask: settings.trainRowsPerTask,
    ...(sideOf === undefined
      ? {}
      : { wantsTask: (task: string): boolean => ["train", "test"].includes(sideOf(task) ?? "") }),
  });
  const split =
    sideOf !== undefined
      ? splitByTaskList(examples, sideOf)
      : splitByTaskType(
          examples,
          heldOut.kind === "fraction"
            ? { heldOutFraction: heldOut.fraction, seed: heldOut.seed }
            : { heldOutTaskTypes: heldOut.kind === "named" ? heldOut.taskTypes : [] },
        );
  // A row whose input stands on the other side too is not asked: the official split has eight such rows.
  const leaked = new Set(split.sharedInputs.map(({ heldOutId }) => heldOutId));
  const seenTest: Example[] = [];
  const train: Example[] = [];
  let seenTasks = 0;
  for (const rows of groupBy(split.train, taskOf).values()) {
    const kept = rows.length > settings.seenRowsPerTask ? settings.seenRowsPerTask : 0;
    train.push(...rows.slice(kept));
    if (seenTasks++ < settings.seenTasks) seenTest.push(...rows.slice(0, kept));
  }
  const heldOutTest = [...groupBy(split.heldOut, taskOf).values()].flatMap((rows) =>
    rows.filter(({ id }) => !leaked.has(id)).slice(0, settings.heldOutRowsPerTask),
  );
  return { train, seenTest, heldOutTest, split };
}

/** The training rows and the template of an arm; shuffled definitions are shuffled in training only. */
export function rowsOfArm(
  rows: InstructionRows,
  arm: InstructionArm,
  seed: number,
): { readonly train: readonly Example[]; readonly template: Template } {
  switch (arm) {
    case "sft":
      return { train: rows.train, template: templateByName("sft-plain") };
    case "ift":
      return { train: rows.train, template: templateByName("ift-definition") };
    case "ift-shuffled":
      return {
        train: withShuffledInstructions(rows.train, seed),
        template: templateByName("ift-definition"),
      };
  }
}

function taskOf({ task }: Example): string {
  return task;
}
