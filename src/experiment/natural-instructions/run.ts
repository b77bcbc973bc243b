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
  const { train, template } = rowsOfArm(rows, run.format, seed);
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
      policy: { maxTokens: settings.decoder.contextLength, overlong: "cut-input-end", lossOn: "response" },
      decoder: settings.decoder,
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
