import type { Example } from "../../data/example.js";
import type { Template } from "../../data/template.js";
import { answerRows } from "../../evaluate/answer-rows.js";
import { exactMatch } from "../../evaluate/metrics/exact-match.js";
import type { LoadedModel } from "../../evaluate/model-folder.js";
import type { ExampleScore } from "../../evaluate/statistics/bootstrap.js";
import { KitError } from "../../support/errors.js";
import { ARTICLE_POLICY, LONGEST_ANSWER } from "./tune.js";

/** A row with what the model said. */
export interface ScoredAnswer {
  readonly example: Example;
  readonly output: string;
  /** Whether it is one of the references, to the character: 1 or 0. */
  readonly score: 0 | 1;
}

/** Rows that are answered together. */
const BATCH_ROWS = 128;

/**
 * Answers rows of the mini world's tasks and compares the answers with their references.
 * @returns one for each row, in their order; an empty list when the signal aborts
 * @throws KitError when a row is too long or lacks what the template shows
 */
export async function scoreAnswers(
  model: LoadedModel,
  rows: readonly Example[],
  template: Template,
  signal?: AbortSignal,
): Promise<ScoredAnswer[]> {
  const result = await answerRows(
    model,
    rows,
    { template, policy: ARTICLE_POLICY, maxNewTokens: LONGEST_ANSWER },
    { batchSize: BATCH_ROWS, ...(signal === undefined ? {} : { signal }) },
  );
  const [tooLong] = result?.leftOut ?? [];
  if (tooLong !== undefined) {
    throw new KitError(`row "${tooLong.id}" leaves no room for an answer`, "leave the row out");
  }
  return (result?.answered ?? []).map(({ example, output }) => ({
    example,
    output,
    score: exactMatch(output, example.outputs, "strict"),
  }));
}

/**
 * The same as the statistics want it: every task is a unit of its own.
 * @param seed of the training run that gave the answers
 */
export function taskScores(answers: readonly ScoredAnswer[], seed: number): ExampleScore[] {
  return answers.map(({ example, score }) => ({ seed, taskType: example.task, id: example.id, score }));
}
