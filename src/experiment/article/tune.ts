import { ARTICLE_ROWS } from "../../data/mini/tasks/article.js";
import type { Example } from "../../data/example.js";
import { MINI_IFT } from "../../data/mini/template.js";
import { renderExamples } from "../../data/render-all.js";
import type { RenderPolicy } from "../../data/spans.js";
import type { Template } from "../../data/template.js";
import { answerRows } from "../../evaluate/answer-rows.js";
import type { LoadedModel } from "../../evaluate/model-folder.js";
import { referenceProbabilities } from "../../evaluate/reference-probability.js";
import type { TrainConfig } from "../../train/config.js";
import { train, type TrainOptions, type TrainResult } from "../../train/train.js";
import { drawArticleTasks } from "./rows.js";

/** How a model is tuned on rows that are given. */
export interface TuningSettings {
  /** Of the order of the rows. */
  readonly seed: number;
  readonly steps: number;
  readonly rowsPerStep: number;
  readonly learningRate: number;
}

/** Everything that decides a tuning on the article's kinds of tasks, besides the base model; the seed also draws the rows. */
export interface ArticleSettings extends TuningSettings {
  /** Training rows of each task, where it has as many. */
  readonly rowsPerTask: number;
}

/** What notebook 04 does. */
export const ARTICLE_SETTINGS: ArticleSettings = {
  seed: 1,
  rowsPerTask: 400,
  steps: 1200,
  rowsPerStep: 32,
  learningRate: 5e-4,
};

/** How the rows are shown; the longest task of them has 90 tokens. */
export const ARTICLE_POLICY = {
  maxTokens: 160,
  overlong: "drop",
  lossOn: "response",
} as const satisfies RenderPolicy;

/** The training that the settings stand for. */
export function articleTraining({ seed, steps, rowsPerStep, learningRate }: TuningSettings): TrainConfig {
  return {
    budget: { unit: "steps", amount: steps },
    batch: { kind: "bucketed", rowsPerStep },
    optimizer: {
      learningRate,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0.01,
      clipNorm: 1,
    },
    schedule: { warmupFraction: 0.03, kind: "cosine", finalFraction: 0.05 },
    seed,
  };
}

/** A tuning that ran, with its training rows. */
export interface ArticleTuning {
  readonly rows: readonly Example[];
  readonly result: TrainResult;
}

/**
 * Tunes a model of the mini world, in place, on the kinds of tasks that the article speaks of, with instructions.
 * @throws KitError as `train`
 */
export async function tuneOnArticleTasks(
  model: LoadedModel,
  settings: ArticleSettings,
  options: TrainOptions = {},
): Promise<ArticleTuning> {
  const rows = drawArticleTasks({ train: settings.rowsPerTask, validation: 1, test: 1 }, settings.seed).train;
  return { rows, result: await tuneOnRows(model, rows, { ...settings, template: MINI_IFT }, options) };
}

/**
 * Tunes a model of the mini world, in place, on rows that are given.
 * @param settings.lossOn "response" where it is left out
 * @throws KitError as `train`
 */
export async function tuneOnRows(
  { decoder, tokenizer }: LoadedModel,
  rows: readonly Example[],
  settings: TuningSettings & { readonly template: Template; readonly lossOn?: RenderPolicy["lossOn"] },
  options: TrainOptions = {},
): Promise<TrainResult> {
  const { template, lossOn = ARTICLE_POLICY.lossOn } = settings;
  const { spans } = renderExamples(rows, template, tokenizer, { ...ARTICLE_POLICY, lossOn });
  return train(decoder, spans, articleTraining(settings), options);
}

/** One of the article's examples, answered. */
export interface ArticleAnswer {
  readonly instruction: string;
  readonly input: string;
  readonly reference: string;
  readonly answer: string;
  /** Whether the answer is the reference, to the character. */
  readonly right: boolean;
  /** Of the reference as the whole answer, 0 to 1. */
  readonly probability: number;
}

/** Of any row of these tasks, in tokens. */
export const LONGEST_ANSWER = 32;

/** The article's three examples, as a model answers them. */
export async function answerArticle(model: LoadedModel): Promise<ArticleAnswer[]> {
  const settings = { template: MINI_IFT, policy: ARTICLE_POLICY, maxNewTokens: LONGEST_ANSWER };
  const answers = await answerRows(model, ARTICLE_ROWS, settings, { batchSize: ARTICLE_ROWS.length });
  const probabilities = await referenceProbabilities(model, ARTICLE_ROWS, MINI_IFT, ARTICLE_POLICY);
  return ARTICLE_ROWS.map(({ instruction = "", input, outputs: [reference = ""] }, index) => {
    const answer = answers?.answered[index]?.output ?? "";
    return {
      instruction,
      input,
      reference,
      answer,
      right: answer === reference,
      probability: probabilities[index] ?? 0,
    };
  });
}
