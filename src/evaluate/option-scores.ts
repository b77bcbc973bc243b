import { KeyValueCache } from "../model/cache.js";
import type { Decoder } from "../model/decoder.js";
import type { LanguageModel } from "../model/load.js";
import { T5 } from "../model/t5/t5.js";
import { KitError } from "../support/errors.js";
import { byLength } from "./batches.js";
import { padRight } from "./pad.js";
import { isCompiled } from "./compiling.js";
import { checkScoreRequests } from "./score.js";
import { readFloats, type ScoreOptions, scoringWork, type TargetScore } from "./score-request.js";
import { scoreSequences } from "./sequence-scores.js";
import { targetLogProbabilitiesAt } from "./target-log-probabilities.js";
import { scoreTrees } from "./tree-scores.js";

/** How probable is each option after the prompt? */
export interface OptionRequest {
  /** Token ids, BOS included where the tokenizer has one; at least one. */
  readonly prompt: readonly number[];
  /** Token ids of each option, at least one each; as many options as there are. */
  readonly options: readonly (readonly number[])[];
}

/**
 * Log-probabilities of several options after one prompt, in float32: the same numbers as `scoreTargets` gives for each
 * pair, but the prompt is computed once and its keys and values are shared.
 *
 *     prompt   <bos> Is it good? =>        once, with the first token of each option read off its end
 *     options               yes . </s>     from a copy of the prompt's cache each
 *                           no  . </s>
 *
 * @param options `batchTokens` counts every option with its prompt, as the cache is copied for each
 * @returns for each request one score for each option; an empty list when the signal aborts
 * @throws KitError as `scoreTargets`, and for a request without options
 */
export async function scoreOptions(
  model: LanguageModel,
  requests: readonly OptionRequest[],
  options: ScoreOptions,
): Promise<TargetScore[][]> {
  requests.forEach((request, index) => {
    if (request.options.length === 0) {
      throw new KitError("there are no options to choose from", "give at least one option", {
        row: index + 1,
      });
    }
    for (const target of request.options)
      checkScoreRequests(model, [{ prompt: request.prompt, target }], options, index + 1);
  });
  if (model instanceof T5) return scoreSequences(model, requests, options);
  const pairs = requests.flatMap(({ prompt, options: targets }) =>
    targets.map((target) => ({ prompt, target })),
  );
  if (isCompiled(model, options, scoringWork(pairs, options))) {
    return regroup(requests, await scoreTrees(model, pairs, options));
  }
  const rows = requests.map((request, index) => ({ ...request, index }));
  const mostOptions = Math.max(...requests.map((request) => request.options.length));
  // A row counts as much as the one with the most options.
  const fits = (count: number, longest: number): boolean =>
    count * mostOptions * longest <= options.batchTokens;
  const results = new Array<TargetScore[]>(requests.length);
  let done = 0;
  for (const batch of byLength(rows, longestRow, fits)) {
    if (options.signal?.aborted === true) return [];
    const scores = await scoreBatch(model, batch);
    batch.forEach(({ index }, row) => (results[index] = scores[row] ?? []));
    done += batch.length;
    options.onProgress?.(done, requests.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return results;
}

/** One list of scores for each request; none where there are no scores. */
function regroup(requests: readonly OptionRequest[], scores: readonly TargetScore[]): TargetScore[][] {
  if (scores.length === 0) return [];
  let start = 0;
  return requests.map(({ options }) => scores.slice(start, (start += options.length)));
}

function longestRow({ prompt, options }: OptionRequest): number {
  return prompt.length + Math.max(...options.map((option) => option.length));
}

async function scoreBatch(decoder: Decoder, batch: readonly OptionRequest[]): Promise<TargetScore[][]> {
  const targets = batch.flatMap(({ options }, row) => options.map((ids) => ({ row, ids })));
  const cache = new KeyValueCache(batch.length);
  try {
    const first = await readFloats(() => {
      const { ids, counts } = padRight(batch.map(({ prompt }) => prompt));
      return targetLogProbabilitiesAt(
        decoder,
        decoder.extendLast(ids, cache, counts),
        targets.map(({ row }) => row),
        targets.map(({ ids: [id = 0] }) => id),
      );
    });
    const longer = targets.filter(({ ids }) => ids.length > 1);
    const rest = longer.length === 0 ? new Float32Array() : await scoreRest(decoder, cache, longer);
    let place = 0;
    const scores = batch.map((): TargetScore[] => []);
    targets.forEach(({ row, ids }, index) => {
      const tokenLogprobs = [first[index] ?? Number.NaN, ...rest.subarray(place, place + ids.length - 1)];
      place += ids.length - 1;
      scores[row]?.push({ logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0), tokenLogprobs });
    });
    return scores;
  } finally {
    cache.dispose();
  }
}

/** The log-probabilities of all tokens but the first of each option, one after another. */
function scoreRest(
  decoder: Decoder,
  cache: KeyValueCache,
  targets: readonly { readonly row: number; readonly ids: readonly number[] }[],
): Promise<Float32Array> {
  cache.select(targets.map(({ row }) => row));
  return readFloats(() => {
    const { ids, counts, time } = padRight(targets.map((target) => target.ids.slice(0, -1)));
    const places = targets.flatMap((target, row) => target.ids.slice(1).map((_, step) => row * time + step));
    const wanted = targets.flatMap((target) => target.ids.slice(1));
    return targetLogProbabilitiesAt(decoder, decoder.extend(ids, cache, counts), places, wanted);
  });
}
