import type { Constraint, Example } from "../../data/example.js";
import { readExamples } from "../../data/read/index.js";
import { findLeaks } from "../../similarity/leakage/report.js";
import { KitError } from "../../support/errors.js";
import { evenly } from "../../support/evenly.js";
import type { FollowingRunSettings } from "./settings.js";

/** A prompt and what an answer must hold to. */
export interface Prompt extends Example {
  readonly constraints: readonly Constraint[];
}

/** What is trained on and what is asked. */
export interface FollowingRows {
  readonly train: readonly Example[];
  readonly prompts: readonly Prompt[];
}

/**
 * Reads both files. Training rows without an answer are left out, and with `removeLeaks` those that have the text of a test prompt.
 * @throws KitError for files that cannot be read, and when no prompt has constraints
 */
export async function readFollowingRows({
  trainingData,
  split,
  evaluation,
}: Pick<FollowingRunSettings, "trainingData" | "split" | "evaluation">): Promise<FollowingRows> {
  const { examples } = await readExamples(trainingData, { onMalformed: "skip" });
  const answered = examples.filter(({ outputs }) => outputs.some((output) => output.trim() !== ""));
  const asked = await readExamples(evaluation.data);
  const prompts = evenly(asked.examples.flatMap(promptOf), evaluation.prompts);
  if (prompts.length === 0) {
    throw new KitError("no row has constraints to check", "give data such as IFEval's", {
      file: evaluation.data,
      field: "constraints",
    });
  }
  if (!split.removeLeaks) return { train: answered, prompts };
  const leaking = new Set(
    [...findLeaks(answered.map(withWholeInput), prompts.map(withWholeInput)).rows.values()].flatMap(
      (rows) => [...rows.train],
    ),
  );
  return { train: answered.filter(({ id }) => !leaking.has(id)), prompts };
}

/** The prompt stands where instruction data have their instruction; templates want a reference, which no prompt shows. */
function promptOf(example: Example): Prompt[] {
  const { constraints = [] } = example;
  if (constraints.length === 0) return [];
  return [{ ...example, constraints, instruction: withWholeInput(example).input, input: "", outputs: [""] }];
}

/** Where a leak is looked for, an instruction with nothing below it is the input. */
function withWholeInput({ instruction = "", input, ...rest }: Example): Example {
  return { ...rest, input: [instruction, input].filter((text) => text !== "").join("\n") };
}
