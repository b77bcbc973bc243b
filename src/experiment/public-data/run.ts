import type { Example } from "../../data/example.js";
import { fitPrompt, renderSpans } from "../../data/render.js";
import type { RenderPolicy } from "../../data/spans.js";
import { templateByName } from "../../data/templates/index.js";
import type { Template } from "../../data/template.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import { groupBy } from "../../support/group.js";
import { trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import { trainConfigOf } from "../natural-instructions/settings.js";
import type { RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, runArm, type TestPart } from "../run-arm.js";
import { floorsOf } from "./floors.js";
import { isLevelOfTrainingData, type PublicTest, readPublicRows } from "./rows.js";
import type { PublicDataSettings } from "./settings.js";

interface PublicDataRun extends RunSpecification {
  readonly settings: PublicDataSettings;
}

/** Trains one arm and asks it. */
export async function runPublicData(
  specification: RunSpecification,
  context: RunContext,
): Promise<RunResult | undefined> {
  const { settings, seed } = specification as PublicDataRun;
  return runArm(specification, await inputsOf(settings, seed), context);
}

/** The size of a run. */
export async function sizeOfPublicData(settings: PublicDataSettings, seed: number): Promise<RunSize> {
  return sizeOfArm(await inputsOf(settings, seed));
}

/** The tokenizer is trained on the training rows as all arms have them (instruction, input, output; reasoning, where it is there). */
async function inputsOf(settings: PublicDataSettings, seed: number): Promise<ArmInputs> {
  const rows = await readPublicRows(settings);
  const tokenizer = trainByteLevelBpe(
    rows.train.flatMap(({ instruction = "", input, outputs, rationale = "" }) => [
      instruction,
      input,
      ...outputs,
      rationale,
    ]),
    { vocabularySize: settings.vocabularySize },
  );
  const policy: RenderPolicy = {
    maxTokens: settings.decoder.contextLength,
    overlong: "drop",
    lossOn: "response",
  };
  const template = templateByName(settings.template);
  const templates = [template, ...settings.fitting.map((name) => templateByName(name))];
  const fits = (row: Example): boolean =>
    templates.every((one) => renderSpans(row, one, tokenizer, policy).kind === "rendered");
  const train = rows.train.filter(fits);
  const { maxNewTokens } = settings.evaluation;
  const tests = rows.tests.map((test) => ({
    ...test,
    examples: test.examples.filter((row) =>
      templates.every((one) => fitsToBeAsked(row, test, one, { tokenizer, policy, maxNewTokens })),
    ),
  }));
  return {
    train,
    floors: () => floorsOf(train, tests),
    tests: tests.flatMap(testParts),
    template,
    tokenizer,
    policy,
    start: { kind: "random", decoder: settings.decoder },
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens,
    testBatchRows: 32,
    metrics: { "exact-match": (output, { outputs }) => exactMatch(output, outputs, "normalized") },
  };
}

/** Rendered prompts of the training data go by their tasks: each is a template, which is a wording in the report. */
function testParts({ part, level, answers, examples }: PublicTest): TestPart[] {
  if (answers === "generated") return [{ part, level, examples }];
  if (!isLevelOfTrainingData(level)) return [{ part, level, isRanked: true, examples }];
  return [...groupBy(examples, ({ task }) => task)].map(([wording, own]) => ({
    ...{ part, level, wording, isRanked: true as const },
    examples: own,
  }));
}

interface Room {
  readonly tokenizer: Tokenizer;
  readonly policy: RenderPolicy;
  readonly maxNewTokens: number;
}

function fitsToBeAsked(
  row: Example,
  { answers }: PublicTest,
  template: Template,
  { tokenizer, policy, maxNewTokens }: Room,
): boolean {
  if (answers === "generated")
    return fitPrompt(withShown(row), template, tokenizer, policy, maxNewTokens) !== undefined;
  return (row.options ?? []).every(
    (option) => renderSpans({ ...row, outputs: [option] }, template, tokenizer, policy).kind === "rendered",
  );
}

/** Templates of a chain of thought want reasoning, which no prompt shows. */
function withShown(row: Example): Example {
  return { rationale: "-", ...row };
}
