import type { Example } from "../../data/example.js";
import { renderSpans } from "../../data/render.js";
import type { RenderPolicy } from "../../data/spans.js";
import type { Template } from "../../data/template.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import { rougeL } from "../../evaluate/metrics/rouge.js";
import { trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import type { RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, runArm } from "../run-arm.js";
import type { InstructionRun } from "./plan.js";
import { readInstructionRows, rowsOfArm } from "./rows.js";
import { type InstructionRunSettings, trainConfigOf } from "./settings.js";

/** Trains and tests one arm on a folder of tasks. */
export async function runNaturalInstructions(
  specification: RunSpecification,
  context: RunContext,
): Promise<RunResult | undefined> {
  const run = specification as InstructionRun;
  return runArm(run, await inputsOf({ format: run.format, ...run.settings }, run.seed), context);
}

/** The size of a run. */
export async function sizeOfInstructions(settings: InstructionRunSettings, seed: number): Promise<RunSize> {
  return sizeOfArm(await inputsOf(settings, seed));
}

/**
 * What an arm trains and is asked. The tokenizer is trained on the training rows of all arms (definition, input,
 * output), so that every arm has the same vocabulary and held-out text has no part in it.
 */
async function inputsOf(settings: InstructionRunSettings, seed: number): Promise<ArmInputs> {
  const rows = await readInstructionRows(settings);
  const tokenizer = trainByteLevelBpe(
    rows.train.flatMap(({ instruction = "", input, outputs }) => [instruction, input, ...outputs]),
    { vocabularySize: settings.vocabularySize },
  );
  const policy: RenderPolicy = {
    maxTokens: settings.decoder.contextLength,
    overlong: "cut-input-end",
    lossOn: "response",
  };
  const { template: longest } = rowsOfArm(rows, "ift", seed);
  const fitting = rows.train.filter((row) => fits(row, longest, tokenizer, policy));
  const { train, template } = rowsOfArm(
    { ...rows, train: limited(fitting, settings) },
    settings.format,
    seed,
  );
  return {
    train,
    tests: [
      { part: "seen", examples: rows.seenTest },
      { part: "held-out", examples: rows.heldOutTest },
    ],
    template,
    tokenizer,
    policy,
    start: { kind: "random", decoder: settings.decoder },
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens: settings.evaluation.maxNewTokens,
    testBatchRows: 32,
    metrics: {
      "exact-match": (output, references) => exactMatch(output, references, "normalized"),
      "rouge-l": (output, references) => rougeL(output, references, { stem: true }),
    },
  };
}

/** The rows of at most so many tasks of each task type, and at most so many rows of it. */
export function limited(
  rows: readonly Example[],
  {
    tasksPerType = Infinity,
    mixtureCap = Infinity,
  }: Pick<InstructionRunSettings, "tasksPerType" | "mixtureCap">,
): Example[] {
  const tasks = new Map<string, Set<string>>();
  const taken = new Map<string, number>();
  return rows.filter(({ task, taskType }) => {
    const own = tasks.get(taskType) ?? new Set<string>();
    if (!own.has(task) && own.size >= tasksPerType) return false;
    tasks.set(taskType, own.add(task));
    const count = taken.get(taskType) ?? 0;
    if (count >= mixtureCap) return false;
    taken.set(taskType, count + 1);
    return true;
  });
}

/** A row that is too long with its definition is left out of every arm, so that all of them train on the same rows. */
function fits(row: Example, longest: Template, tokenizer: Tokenizer, policy: RenderPolicy): boolean {
  return renderSpans(row, longest, tokenizer, policy).kind === "rendered";
}
