import type { Example } from "../../data/example.js";
import { readExamples, readOfficialSplit } from "../../data/read/index.js";
import { withShuffledInstructions } from "../../data/rewrite/arms.js";
import { splitByTaskList, splitByTaskType, type TaskSplit } from "../../data/split.js";
import { templateByName } from "../../data/templates/index.js";
import type { Template } from "../../data/template.js";
import { type GatePass, passLeakageGate, withoutLeaks } from "../../similarity/leakage/gate.js";
import { findLeaks } from "../../similarity/leakage/report.js";
import { groupBy } from "../../support/group.js";
import type { InstructionArm, InstructionRunSettings, LeakagePolicy } from "./settings.js";

/** The rows of the experiment, before an arm shows them its way. */
export interface InstructionRows {
  readonly train: readonly Example[];
  /** Rows of trained tasks that are not trained on. */
  readonly seenTest: readonly Example[];
  readonly heldOutTest: readonly Example[];
  /** Without the leaking rows that the settings remove. */
  readonly split: TaskSplit;
  /** The leaks that were let pass. */
  readonly leakage: GatePass;
}

/**
 * Reads the folder, splits it by task type and takes test rows from both sides.
 * @throws KitError for bad files, when a task type or source stands on both sides, and when the split leaks otherwise
 */
export async function readInstructionRows(
  settings: Pick<
    InstructionRunSettings,
    "data" | "trainingData" | "split" | "evaluation" | "trainRowsPerTask"
  >,
): Promise<InstructionRows> {
  const { data, evaluation } = settings;
  const { heldOut, leakage: policy, seenRowsPerTask } = settings.split;
  const sideOf = heldOut.kind === "official" ? readOfficialSplit(data, heldOut.track) : undefined;
  const { examples } = await readExamples(data, {
    format: "super-natural-instructions",
    limitPerTask: settings.trainRowsPerTask,
    ...(sideOf === undefined
      ? {}
      : { wantsTask: (task: string): boolean => ["train", "test"].includes(sideOf(task) ?? "") }),
  });
  const whole =
    sideOf !== undefined
      ? splitByTaskList(examples, sideOf, {
          sharedSources: policy.allow.includes("shared-source") ? "allow" : "refuse",
        })
      : splitByTaskType(
          examples,
          heldOut.kind === "fraction"
            ? { heldOutFraction: heldOut.fraction, seed: heldOut.seed }
            : { heldOutTaskTypes: heldOut.kind === "named" ? heldOut.taskTypes : [] },
        );
  const { split, leakage } = gate(await withOtherTraining(whole, settings.trainingData), policy);
  const seenTest: Example[] = [];
  const train: Example[] = [];
  let seenTasks = 0;
  for (const rows of groupBy(split.train, taskOf).values()) {
    const kept = rows.length > seenRowsPerTask ? seenRowsPerTask : 0;
    train.push(...rows.slice(kept));
    if (seenTasks++ < evaluation.seenTasks) seenTest.push(...rows.slice(0, kept));
  }
  const heldOutTest = [...groupBy(split.heldOut, taskOf).values()].flatMap((rows) =>
    rows.slice(0, evaluation.heldOutRowsPerTask),
  );
  return { train, seenTest, heldOutTest, split, leakage };
}

/** The split with other training rows, which go through the same gate. */
async function withOtherTraining(split: TaskSplit, trainingData: string | undefined): Promise<TaskSplit> {
  if (trainingData === undefined) return split;
  const { examples } = await readExamples(trainingData, { onMalformed: "skip" });
  return {
    ...split,
    train: examples.filter(({ outputs }) => outputs.some((output) => output.trim() !== "")),
  };
}

/** Removes what the policy removes, and stops at what is left unless the policy allows it. */
function gate(split: TaskSplit, { remove, allow }: LeakagePolicy): { split: TaskSplit; leakage: GatePass } {
  const report = findLeaks(split.train, split.heldOut);
  if (remove === "nothing") return { split, leakage: passLeakageGate(report, allow) };
  const cleaned = withoutLeaks(split, report, remove);
  return { split: cleaned, leakage: passLeakageGate(findLeaks(cleaned.train, cleaned.heldOut), allow) };
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
