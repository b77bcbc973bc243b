import type { Example } from "../data/example.js";
import { sha256 } from "../support/hash.js";
import { type AnswerRun, answerRows, type AnswerSettings } from "./answer-rows.js";
import {
  type BootstrapInterval,
  type BootstrapOptions,
  type ExampleScore,
  meanInterval,
} from "./statistics/bootstrap.js";
import { type FloorOptions, floors, type Floors } from "./floors.js";
import type { Ending } from "./generate.js";
import { exactMatch } from "./metrics/exact-match.js";
import { rougeL } from "./metrics/rouge.js";
import { squadScores } from "./metrics/squad.js";
import type { LoadedModel } from "./model-folder.js";

/** What an evaluation decides; all of it changes the numbers. */
export interface EvaluationSettings extends FloorOptions, AnswerSettings {
  readonly bootstrap: BootstrapOptions;
}

/** What every answer is scored by. */
type Metric = "exactMatch" | "f1" | "rougeL";

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
  /** Of words, with SQuAD's normalisation. */
  readonly f1: number;
  readonly rougeL: number;
}

/** Mean scores with intervals and floors. The interval of one task type is over its examples alone. */
export interface EvaluatedTaskType {
  readonly taskType: string;
  readonly rows: number;
  readonly exactMatch: BootstrapInterval;
  readonly f1: BootstrapInterval;
  readonly rougeL: BootstrapInterval;
  readonly floors: Floors;
}

export interface Evaluation {
  readonly taskTypes: readonly EvaluatedTaskType[];
  /** Every task type weighs the same. */
  readonly overall: Readonly<Record<Metric, BootstrapInterval>>;
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
  model: LoadedModel,
  examples: readonly Example[],
  settings: EvaluationSettings,
  run: AnswerRun,
): Promise<Evaluation | undefined> {
  const rows = await answerRows(model, examples, settings, run);
  if (rows === undefined) return undefined;
  const { answered, leftOut } = rows;
  const predictions = answered.map(({ example, prompt, output, ending }): Prediction => {
    const { id, task, taskType, outputs: references } = example;
    return {
      id,
      task,
      taskType,
      promptHash: sha256(model.tokenizer.decode(prompt.ids)),
      output,
      references,
      ending,
      exactMatch: exactMatch(output, references, settings.match),
      f1: squadScores(output, references).f1,
      rougeL: rougeL(output, references, { stem: settings.stem }),
    };
  });
  return {
    ...summarize(
      predictions,
      answered.map(({ example }) => example),
      settings,
    ),
    predictions,
    leftOut: leftOut.map(({ id, taskType }) => ({ id, taskType })),
    shortened: answered.filter(({ prompt }) => prompt.cut > 0).length,
  };
}

function summarize(
  predictions: readonly Prediction[],
  examples: readonly Example[],
  settings: EvaluationSettings,
): Pick<Evaluation, "taskTypes" | "overall"> {
  const interval = (rows: readonly Prediction[], metric: Metric): BootstrapInterval =>
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
    overall: {
      exactMatch: interval(predictions, "exactMatch"),
      f1: interval(predictions, "f1"),
      rougeL: interval(predictions, "rougeL"),
    },
    taskTypes: floors([], examples, settings).map((floor) => {
      const rows = predictions.filter(({ taskType }) => taskType === floor.taskType);
      return {
        taskType: floor.taskType,
        rows: rows.length,
        exactMatch: interval(rows, "exactMatch"),
        f1: interval(rows, "f1"),
        rougeL: interval(rows, "rougeL"),
        floors: floor,
      };
    }),
  };
}
