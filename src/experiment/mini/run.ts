import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import type { RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, runArm } from "../run-arm.js";
import { type MiniRun, specifyMini } from "./plan.js";
import { miniRows } from "./rows.js";
import { MAX_TOKENS, type MiniRunSettings, trainConfigOf } from "./settings.js";
import { armStart } from "./start.js";

/** Longest answer with its end, in tokens: five words of which some may be unknown to the tokenizer. */
const MAX_NEW_TOKENS = 12;

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
  return {
    ...miniRows(run),
    policy: { maxTokens: MAX_TOKENS, overlong: "drop", lossOn: "response" },
    start: armStart(settings.start),
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens: MAX_NEW_TOKENS,
    testBatchRows: 150,
    metrics: { "exact-match": (output, references) => exactMatch(output, references, "strict") },
  };
}
