import type { Example } from "../../data/example.js";
import { renderSpans } from "../../data/render.js";
import type { RenderPolicy } from "../../data/spans.js";
import type { Template } from "../../data/template.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import { rougeL } from "../../evaluate/metrics/rouge.js";
import { trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import type { RunResult, RunSpecification } from "../result.js";
import { runArm } from "../run-arm.js";
import type { RunContext } from "../context.js";
import type { InstructionRun } from "./plan.js";
import { readInstructionRows, rowsOfArm } from "./rows.js";
import { trainConfigOf } from "./settings.js";

/**
 * Trains and tests one arm on a folder of tasks. The tokenizer is trained on the training rows of all arms (definition,
 * input, output), so that every arm has the same vocabulary and held-out text has no part in it.
 */
export async function runNaturalInstructions(
  specification: RunSpecification,
  context: RunContext,
): Promise<RunResult | undefined> {
  const run = specification as InstructionRun;
  const { settings, seed } = run;
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
  const { train, template } = rowsOfArm(
    { ...rows, train: rows.train.filter((row) => fits(row, longest, tokenizer, policy)) },
    run.format,
    seed,
  );
  return runArm(
    run,
    {
      train,
      tests: [
        { part: "seen", examples: rows.seenTest },
        { part: "held-out", examples: rows.heldOutTest },
      ],
      template,
      tokenizer,
      policy,
      start: { kind: "random", decoder: settings.decoder },
      training: trainConfigOf(settings, seed),
      maxNewTokens: settings.maxNewTokens,
      testBatchRows: 32,
      metrics: {
        "exact-match": (output, references) => exactMatch(output, references, "normalized"),
        "rouge-l": (output, references) => rougeL(output, references, { stem: true }),
      },
    },
    context,
  );
}

/** A row that is too long with its definition is left out of every arm, so that all of them train on the same rows. */
function fits(row: Example, longest: Template, tokenizer: Tokenizer, policy: RenderPolicy): boolean {
  return renderSpans(row, longest, tokenizer, policy).kind === "rendered";
}
