import { answerOf } from "../data/answer.js";
import type { Example } from "../data/example.js";
import { endToken, fitPrompt } from "../data/render.js";
import type { RenderPolicy } from "../data/spans.js";
import type { Template } from "../data/template.js";
import { sha256 } from "../support/hash.js";
import {
  type BootstrapInterval,
  type BootstrapOptions,
  type ExampleScore,
  meanInterval,
} from "./statistics/bootstrap.js";
import { type FloorOptions, floors, type Floors } from "./floors.js";
import { generate, type Ending } from "./generate.js";
import { exactMatch } from "./metrics/exact-match.js";
import { rougeL } from "./metrics/rouge.js";
import type { LoadedModel } from "./model-folder.js";

/** What an evaluation decides; all of it changes the numbers. */
export interface EvaluationSettings extends FloorOptions {
  readonly template: Template;
  /** `maxTokens` is the longest prompt and answer together. */
  readonly policy: Pick<RenderPolicy, "maxTokens" | "overlong">;
  /** Longest answer, in tokens. */
  readonly maxNewTokens: number;
  readonly bootstrap: BootstrapOptions;
}

/** One row and what the model said. */
export interface Prediction {
  readonly id: string;
  readonly task: string;
  readonly taskType: string;
  /** SHA-256 of the prompt as text. */
  readonly promptHash: string;
  readonly output: string;
  readonly references: readonly string[];
  readonly ending: Ending;
  readonly exactMatch: number;
  readonly rougeL: number;
}

/** Mean scores with intervals and floors. The interval of one task type is over its examples alone. */
export interface EvaluatedTaskType {
  readonly taskType: string;
  readonly rows: number;
  readonly exactMatch: BootstrapInterval;
  readonly rougeL: BootstrapInterval;
  readonly floors: Floors;
}

export interface Evaluation {
  readonly taskTypes: readonly EvaluatedTaskType[];
  /** Every task type weighs the same. */
  readonly overall: { readonly exactMatch: BootstrapInterval; readonly rougeL: BootstrapInterval };
  readonly predictions: readonly Prediction[];
  /** Rows whose prompt leaves no room for the answer; they are in no score. */
  readonly leftOut: readonly { readonly id: string; readonly taskType: string }[];
  /** Rows whose input was shortened. */
  readonly shortened: number;
}

/**
 * Answers rows greedily and scores the answers, per task type, beside the floors.
 * @returns undefined when the signal aborts
 * @throws KitError when a row lacks what the template shows, or no row is left
 */
export async function evaluate(
  { decoder, tokenizer }: LoadedModel,
  examples: readonly Example[],
  settings: EvaluationSettings,
  run: {
    readonly batchSize: number;
    readonly signal?: AbortSignal;
    readonly onProgress?: (done: number, total: number) => void;
  },
): Promise<Evaluation | undefined> {
  const { template, policy, maxNewTokens } = settings;
  const fitted = examples.map((example) => ({
    example,
    prompt: fitPrompt(example, template, tokenizer, { ...policy, lossOn: "response" }, maxNewTokens),
  }));
  const asked = fitted.flatMap(({ example, prompt }) => (prompt === undefined ? [] : [{ example, prompt }]));
  const answers = await generate(
    decoder,
    asked.map(({ prompt }) => prompt.ids),
    {
      ...run,
      maxNewTokens,
      eos: endToken(template, tokenizer),
      ...(template.stop.length === 0 ? {} : { stop: { texts: template.stop, tokenizer } }),
    },
  );
  if (run.signal?.aborted === true) return undefined;
  const predictions = asked.map(({ example, prompt }, index): Prediction => {
    const answer = answers[index];
    const output = answerOf(template, answer?.text ?? tokenizer.decode(answer?.ids ?? []));
    const { id, task, taskType, outputs: references } = example;
    return {
      id,
      task,
      taskType,
      promptHash: sha256(tokenizer.decode(prompt.ids)),
      output,
      references,
      ending: answer?.ending ?? "length",
      exactMatch: exactMatch(output, references, settings.match),
      rougeL: rougeL(output, references, { stem: settings.stem }),
    };
  });
  return {
    ...summarize(
      predictions,
      asked.map(({ example }) => example),
      settings,
    ),
    predictions,
    leftOut: fitted
      .filter(({ prompt }) => prompt === undefined)
      .map(({ example: { id, taskType } }) => ({ id, taskType })),
    shortened: asked.filter(({ prompt }) => prompt.cut > 0).length,
  };
}

function summarize(
  predictions: readonly Prediction[],
  examples: readonly Example[],
  settings: EvaluationSettings,
): Pick<Evaluation, "taskTypes" | "overall"> {
  const interval = (rows: readonly Prediction[], metric: "exactMatch" | "rougeL"): BootstrapInterval =>
    meanInterval(
      rows.map(({ taskType, id, ...scores }): ExampleScore => ({
        seed: 0,
        taskType,
        id,
        score: scores[metric],
      })),
      settings.bootstrap,
    );
  return {
    overall: { exactMatch: interval(predictions, "exactMatch"), rougeL: interval(predictions, "rougeL") },
    taskTypes: floors([], examples, settings).map((floor) => {
      const rows = predictions.filter(({ taskType }) => taskType === floor.taskType);
      return {
        taskType: floor.taskType,
        rows: rows.length,
        exactMatch: interval(rows, "exactMatch"),
        rougeL: interval(rows, "rougeL"),
        floors: floor,
      };
    }),
  };
}
