import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import type { LoraConfig } from "../../model/lora/config.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import type { RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, runArm } from "../run-arm.js";
import { type MiniRun, specifyMini } from "./plan.js";
import { miniRows } from "./rows.js";
import { type MiniRunSettings, trainConfigOf } from "./settings.js";
import { armStart, pretrainingTexts } from "./start.js";
import { longestOf, type MiniTuning } from "./variant.js";

/** Trains and tests one arm of the mini-world grid with one seed. */
export async function runMini(
  specification: RunSpecification,
  context: RunContext,
): Promise<RunResult | undefined> {
  const run = specification as MiniRun;
  return runArm(run, inputsOf(run), context);
}

/** The size of a run. */
export function sizeOfMini(settings: MiniRunSettings, seed: number): Promise<RunSize> {
  return Promise.resolve(sizeOfArm(inputsOf({ ...specifyMini(settings), seed })));
}

function inputsOf(run: Omit<MiniRun, "suite" | "id" | "arm">): ArmInputs {
  const { settings, seed } = run;
  const { start, tuning, asked, lossOn } = settings;
  const longest = longestOf(settings, asked);
  const texts = pretrainingTexts(start, asked.pretrainingDocuments);
  return {
    ...miniRows(run),
    policy: { maxTokens: longest.row, overlong: "drop", lossOn },
    start: armStart(start),
    ...(tuning.kind === "full" ? {} : { lora: loraOf(tuning, seed) }),
    ...(texts.length === 0 ? {} : { pretraining: { name: "held-out text of the mini world", texts } }),
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens: longest.response,
    testBatchRows: 150,
    metrics: { "exact-match": (output, { outputs }) => exactMatch(output, outputs, "strict") },
  };
}

function loraOf({ rank, alpha, targets }: Extract<MiniTuning, { kind: "lora" }>, seed: number): LoraConfig {
  return { rank, alpha, targets, dropout: 0, seed };
}
