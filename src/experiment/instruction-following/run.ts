import type { Example } from "../../data/example.js";
import { fitPrompt } from "../../data/render.js";
import type { RenderPolicy } from "../../data/spans.js";
import { templateByName } from "../../data/templates/index.js";
import { scoreConstraints } from "../../evaluate/ifeval/score.js";
import { loadDecoderConfig } from "../../model/checkpoint.js";
import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import type { RunContext } from "../context.js";
import { type RunSize, sizeOfArm } from "../cost/size.js";
import { armStart, modelFolder, tokenizerOf } from "../mini/start.js";
import { trainConfigOf } from "../natural-instructions/settings.js";
import type { RunFloor, RunResult, RunSpecification } from "../result.js";
import { type ArmInputs, runArm } from "../run-arm.js";
import { type Prompt, readFollowingRows } from "./rows.js";
import { FOLLOWING_METRICS, type FollowingMetric, type FollowingRunSettings } from "./settings.js";

/** Training answers that are given to every prompt, for a floor. */
const ANSWERS_OF_FLOOR = 20;

interface FollowingRun extends RunSpecification {
  readonly settings: FollowingRunSettings;
}

/** Tunes on the training data and asks the prompts. */
export async function runFollowing(
  specification: RunSpecification,
  context: RunContext,
): Promise<RunResult | undefined> {
  const { settings, seed } = specification as FollowingRun;
  return runArm(specification, await inputsOf(settings, seed), context);
}

/** The size of a run. */
export async function sizeOfFollowing(settings: FollowingRunSettings, seed: number): Promise<RunSize> {
  return sizeOfArm(await inputsOf(settings, seed));
}

async function inputsOf(settings: FollowingRunSettings, seed: number): Promise<ArmInputs> {
  const { train, prompts } = await readFollowingRows(settings);
  const { maxNewTokens } = settings.evaluation;
  const template = templateByName(settings.template);
  const tokenizer = tokenizerOf(settings.start, [], []);
  const { contextLength } = loadDecoderConfig(modelFolder(settings.start.folder));
  const policy: RenderPolicy = { maxTokens: contextLength, overlong: "drop", lossOn: "response" };
  const asked = prompts.filter(
    (prompt) => fitPrompt(prompt, template, tokenizer, policy, maxNewTokens) !== undefined,
  );
  return {
    train,
    tests: [{ part: "held-out", examples: asked }],
    template,
    tokenizer,
    policy,
    start: armStart(settings.start),
    training: { ...trainConfigOf(settings, seed), budget: settings.budget },
    maxNewTokens,
    testBatchRows: 32,
    metrics: Object.fromEntries(
      FOLLOWING_METRICS.map((metric) => [
        metric,
        (output: string, { constraints = [] }: Example): number =>
          followingScores(output, constraints)[metric],
      ]),
    ),
    floors: () => floorsOf(train, asked),
  };
}

/** What an answer scores on the constraints of its prompt. */
export function followingScores(
  output: string,
  constraints: Prompt["constraints"],
): Readonly<Record<FollowingMetric, number>> {
  const { strict, loose } = scoreConstraints(output, constraints);
  const share = (held: readonly boolean[]): number => held.filter(Boolean).length / held.length;
  return {
    "prompt-strict": strict.every(Boolean) ? 1 : 0,
    "prompt-loose": loose.every(Boolean) ? 1 : 0,
    "instruction-strict": share(strict),
    "instruction-loose": share(loose),
  };
}

/** What is held to by chance: the prompt as its own answer, and answers of training rows to other questions. */
function floorsOf(train: readonly Example[], prompts: readonly Prompt[]): RunFloor[] {
  const answers = new Random(1)
    .shuffled(train)
    .slice(0, ANSWERS_OF_FLOOR)
    .map(({ outputs }) => outputs[0] ?? "");
  return [...groupBy(prompts, ({ taskType }) => taskType)].flatMap(([taskType, own]) => {
    const mean = (metric: FollowingMetric, outputsOf: (prompt: Prompt) => readonly string[]): number => {
      const scores = own.flatMap((prompt) =>
        outputsOf(prompt).map((output) => followingScores(output, prompt.constraints)[metric]),
      );
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    };
    return FOLLOWING_METRICS.flatMap((metric): RunFloor[] => [
      {
        part: "held-out",
        taskType,
        metric,
        name: "repeats the prompt",
        value: mean(metric, ({ instruction = "" }) => [instruction]),
      },
      {
        part: "held-out",
        taskType,
        metric,
        name: "answers to other questions",
        value: mean(metric, () => answers),
      },
    ]);
  });
}
