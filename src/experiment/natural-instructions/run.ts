import type { Example } from "../../data/example.js";
import { fitPrompt, renderSpans } from "../../data/render.js";
import type { RenderPolicy } from "../../data/spans.js";
import type { Template } from "../../data/template.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { floors } from "../../evaluate/floors.js";
import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import { rougeL } from "../../evaluate/metrics/rouge.js";
import { loadDecoderConfig } from "../../model/checkpoint.js";
import { groupBy } from "../../support/group.js";
import { trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import { armStart, modelFolder, tokenizerOf } from "../mini/start.js";
import type { RunFloor, RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, type ArmStart, runArm } from "../run-arm.js";
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
 * What an arm trains and is asked. A tokenizer that is trained is so on the training rows of all arms (definition, input,
 * output), so that every arm has the same vocabulary and held-out text has no part in it.
 */
async function inputsOf(settings: InstructionRunSettings, seed: number): Promise<ArmInputs> {
  const rows = await readInstructionRows(settings);
  const { tokenizer, start, contextLength } = startOf(settings, rows.train);
  const policy: RenderPolicy = {
    maxTokens: contextLength,
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
    floors: () => {
      const { maxNewTokens } = settings.evaluation;
      const asked = rows.heldOutTest.filter(
        (row) => fitPrompt(row, template, tokenizer, policy, maxNewTokens) !== undefined,
      );
      return heldOutFloors(rows.train, asked);
    },
    tests: [
      { part: "seen", examples: rows.seenTest },
      { part: "held-out", examples: rows.heldOutTest },
    ],
    template,
    tokenizer,
    policy,
    start,
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens: settings.evaluation.maxNewTokens,
    testBatchRows: 32,
    metrics: {
      "exact-match": (output, { outputs }) => exactMatch(output, outputs, "normalized"),
      "rouge-l": (output, { outputs }) => rougeL(output, outputs, { stem: true }),
    },
  };
}

/** What training starts from, and the tokenizer and the context that go with it. */
function startOf(
  { start, decoder, vocabularySize }: InstructionRunSettings,
  train: readonly Example[],
): { readonly tokenizer: Tokenizer; readonly start: ArmStart; readonly contextLength: number } {
  if (start !== undefined) {
    const { contextLength } = loadDecoderConfig(modelFolder(start.folder));
    return { tokenizer: tokenizerOf(start, [], []), start: armStart(start), contextLength };
  }
  const texts = train.flatMap(({ instruction = "", input, outputs }) => [instruction, input, ...outputs]);
  return {
    tokenizer: trainByteLevelBpe(texts, { vocabularySize }),
    start: { kind: "random", decoder },
    contextLength: decoder.contextLength,
  };
}

/** The floors of the held-out task types, by both metrics. */
function heldOutFloors(train: readonly Example[], heldOut: readonly Example[]): RunFloor[] {
  return floors(train, heldOut, { match: "normalized", stem: true }).flatMap(
    ({ taskType, majorityLabel, copyInput, copyDemonstration }) =>
      [
        { name: "most frequent answer", score: majorityLabel },
        { name: "copies the input", score: copyInput },
        ...(copyDemonstration === undefined
          ? []
          : [{ name: "copies a demonstration", score: copyDemonstration }]),
      ].flatMap(({ name, score }) => [
        { part: "held-out" as const, taskType, metric: "rouge-l", name, value: score.rougeL },
        { part: "held-out" as const, taskType, metric: "exact-match", name, value: score.exactMatch },
      ]),
  );
}

/** The rows of at most so many tasks, at most so many of each task type, and at most so many rows of it. */
export function limited(
  all: readonly Example[],
  {
    trainingTasks = Infinity,
    tasksPerType = Infinity,
    mixtureCap = Infinity,
  }: Pick<InstructionRunSettings, "trainingTasks" | "tasksPerType" | "mixtureCap">,
): Example[] {
  const wanted = tasksByTurns(all, trainingTasks);
  const rows = all.filter(({ task }) => wanted.has(task));
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

/** So many tasks, by turns one of each task type. */
function tasksByTurns(rows: readonly Example[], count: number): Set<string> {
  const types = [...groupBy(rows, ({ taskType }) => taskType).values()].map((own) => [
    ...new Set(own.map(({ task }) => task)),
  ]);
  const most = Math.max(0, ...types.map(({ length }) => length));
  const turns = Array.from({ length: most }, (_, turn) => types.flatMap((tasks) => tasks[turn] ?? []));
  return new Set(turns.flat().slice(0, count));
}

/** A row that is too long with its definition is left out of every arm, so that all of them train on the same rows. */
function fits(row: Example, longest: Template, tokenizer: Tokenizer, policy: RenderPolicy): boolean {
  return renderSpans(row, longest, tokenizer, policy).kind === "rendered";
}
