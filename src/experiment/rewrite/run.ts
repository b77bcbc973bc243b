import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import type { RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, runArm } from "../run-arm.js";
import { type RewriteRun, specifyRewrite } from "./plan.js";
import { rewriteRows } from "./rows.js";
import { type RewriteRunSettings, trainConfigOf } from "./settings.js";

/** Trains and tests one arm of the string-rewrite experiment with one seed. */
export async function runRewrite(
  specification: RunSpecification,
  context: RunContext,
): Promise<RunResult | undefined> {
  const run = specification as RewriteRun;
  return runArm(run, inputsOf(run), context);
}

/** The size of a run. */
export function sizeOfRewrite(settings: RewriteRunSettings, seed: number): Promise<RunSize> {
  return Promise.resolve(sizeOfArm(inputsOf({ ...specifyRewrite(settings), seed })));
}

function inputsOf(run: Pick<RewriteRun, "format" | "trainingRules" | "seed" | "settings">): ArmInputs {
  const { settings, seed } = run;
  const rows = rewriteRows(run);
  return {
    train: rows.train,
    tests: [
      { part: "seen", examples: rows.seenTest },
      { part: "held-out", examples: rows.heldOutTest },
    ],
    template: rows.template,
    tokenizer: rows.tokenizer,
    policy: { maxTokens: settings.decoder.contextLength, overlong: "drop", lossOn: "response" },
    start: { kind: "random", decoder: settings.decoder },
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens: settings.language.inputLength.max + settings.language.rightLength.max + 1,
    testBatchRows: 200,
    metrics: { "exact-match": (output, { outputs }) => exactMatch(output, outputs, "strict") },
  };
}
