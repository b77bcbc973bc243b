import { tf } from "../engine/tensorflow.js";
import type { Decoder } from "../model/decoder.js";
import type { LanguageModel } from "../model/load.js";
import { T5 } from "../model/t5/t5.js";
import { KitError } from "../support/errors.js";
import { byLength } from "./batches.js";
import { isCompiled } from "./compiling.js";
import { roomAfter } from "./continuation.js";
import {
  fedLength,
  readFloats,
  type ScoreOptions,
  type ScoreRequest,
  scoringWork,
  type TargetScore,
} from "./score-request.js";
import { scoreSequences } from "./sequence-scores.js";
import { targetLogProbabilitiesAt } from "./target-log-probabilities.js";
import { scoreTrees } from "./tree-scores.js";

export type { ScoreOptions, ScoreRequest, TargetScore } from "./score-request.js";

/**
 * Log-probabilities of targets after their prompts, in float32, with one forward pass for each batch of rows of nearly
 * the same length. Rows are padded on the right, where no token of theirs looks, and logits are made for the target
 * positions only, so that a score does not depend on the batch.
 *
 *     fed        <bos> a b => x     (the last target token predicts nothing)
 *     read off                x y   (target "x y", predicted at "=>" and "x")
 *
 * @returns one score for each request, in their order; an empty list when the signal aborts
 * @throws KitError for an empty prompt or target, a row longer than the model's context, or an id that the model does
 *   not have
 */
export async function scoreTargets(
  model: LanguageModel,
  requests: readonly ScoreRequest[],
  options: ScoreOptions,
): Promise<TargetScore[]> {
  checkScoreRequests(model, requests, options);
  if (model instanceof T5) {
    const answers = requests.map(({ prompt, target }) => ({ prompt, options: [target] }));
    return (await scoreSequences(model, answers, options)).flat();
  }
  if (isCompiled(model, options, scoringWork(requests, options))) {
    return scoreTrees(model, requests, options);
  }
  const scores = new Array<TargetScore>(requests.length);
  const rows = requests.map((request, index) => ({ ...request, index }));
  let done = 0;
  const fits = (count: number, longest: number): boolean => count * longest <= options.batchTokens;
  for (const batch of byLength(rows, fedLength, fits)) {
    if (options.signal?.aborted === true) return [];
    const logprobs = await scoreBatch(model, batch);
    let start = 0;
    for (const { index, target } of batch) {
      const tokenLogprobs = Array.from(logprobs.subarray(start, start + target.length));
      start += target.length;
      scores[index] = { logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0), tokenLogprobs };
    }
    done += batch.length;
    options.onProgress?.(done, requests.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return scores;
}

/** The targets' log-probabilities of all rows, one after another: `[target tokens of the batch]`. */
async function scoreBatch(decoder: Decoder, batch: readonly ScoreRequest[]): Promise<Float32Array> {
  const time = Math.max(...batch.map(fedLength));
  const ids = new Int32Array(batch.length * time);
  const positions: number[] = [];
  const targets: number[] = [];
  batch.forEach(({ prompt, target }, row) => {
    ids.set([...prompt, ...target.slice(0, -1)], row * time);
    target.forEach((id, index) => {
      positions.push(row * time + prompt.length - 1 + index);
      targets.push(id);
    });
  });
  return readFloats(() => {
    const hidden = decoder.hiddenStates({ ids: tf.tensor2d(ids, [batch.length, time], "int32") });
    return targetLogProbabilitiesAt(decoder, hidden, positions, targets);
  });
}

/**
 * @param firstRow what the first request's row is called, counted from 1
 * @throws KitError as `scoreTargets` does
 */
export function checkScoreRequests(
  model: LanguageModel,
  requests: readonly ScoreRequest[],
  { batchTokens }: ScoreOptions,
  firstRow = 1,
): void {
  if (!Number.isInteger(batchTokens) || batchTokens < 1) {
    throw new KitError(`batches of ${batchTokens} tokens`, "give a whole number of at least 1", {
      field: "batchTokens",
    });
  }
  const { contextLength, vocabularySize } = model.config;
  requests.forEach((request, index) => {
    const row = index + firstRow;
    if (request.prompt.length === 0) {
      throw new KitError("an empty prompt", "give at least one token, such as the tokenizer's BOS", {
        row,
        field: "prompt",
      });
    }
    if (request.target.length === 0) {
      throw new KitError("an empty target has no probability", "give at least one token", {
        row,
        field: "target",
      });
    }
    if (request.target.length > roomAfter(model, request.prompt)) {
      throw new KitError(
        `prompt and target of ${request.prompt.length} + ${request.target.length} tokens do not fit the model's context of ${contextLength}`,
        "shorten the prompt or use a model with a longer context",
        { row },
      );
    }
    const unknown = [...request.prompt, ...request.target].find(
      (id) => !(Number.isInteger(id) && id >= 0 && id < vocabularySize),
    );
    if (unknown !== undefined) {
      throw new KitError(
        `the model has no token ${unknown}, only 0 to ${vocabularySize - 1}`,
        "use the model's own tokenizer",
        { row },
      );
    }
  });
}
