import { tf } from "../engine/tensorflow.js";
import { encoderIds } from "../model/t5/config.js";
import type { T5 } from "../model/t5/t5.js";
import { byLength } from "./batches.js";
import { padRight } from "./pad.js";
import { readFloats, type ScoreOptions, type TargetScore } from "./score-request.js";
import { targetLogProbabilitiesAt } from "./target-log-probabilities.js";

/** A prompt and answers to it, all of token ids. */
interface Answers {
  readonly prompt: readonly number[];
  readonly options: readonly (readonly number[])[];
}

/**
 * Log-probabilities of answers to prompts that an encoder reads, in float32. Each prompt is read once for all its answers.
 *
 *     encoder    Is it good ? </s>       once
 *     fed        <start> yes             for each answer
 *     read off   yes     </s>
 *
 * @returns for each request one score for each answer; an empty list when the signal aborts
 */
export async function scoreSequences(
  model: T5,
  requests: readonly Answers[],
  { batchTokens, signal, onProgress }: ScoreOptions,
): Promise<TargetScore[][]> {
  const rows = requests.map((request, index) => ({ ...request, index }));
  const mostOptions = Math.max(...requests.map(({ options }) => options.length));
  const longest = ({ prompt, options }: Answers): number =>
    prompt.length + Math.max(...options.map((option) => option.length));
  const fits = (count: number, length: number): boolean => count * mostOptions * length <= batchTokens;
  const results = new Array<TargetScore[]>(requests.length);
  let done = 0;
  for (const batch of byLength(rows, longest, fits)) {
    if (signal?.aborted === true) return [];
    const logprobs = await scoreBatch(model, batch);
    let start = 0;
    for (const { index, options } of batch) {
      results[index] = options.map(({ length }) => {
        const tokenLogprobs = Array.from(logprobs.subarray(start, (start += length)));
        return { logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0), tokenLogprobs };
      });
    }
    done += batch.length;
    onProgress?.(done, requests.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return results;
}

/** The log-probabilities of all tokens of all answers, one after another. */
async function scoreBatch(model: T5, batch: readonly Answers[]): Promise<Float32Array> {
  const { decoderStart } = model.config;
  const read = padRight(batch.map(({ prompt }) => encoderIds(model.config, prompt)));
  const tokens = read.counts.flatMap((count) =>
    Array.from({ length: read.time }, (_, column) => (column < count ? 1 : 0)),
  );
  const segments = tf.tensor2d(tokens, [batch.length, read.time], "int32");
  const cache = model.encode({ ids: read.ids, segments });
  tf.dispose([read.ids, segments]);
  try {
    const answers = batch.flatMap(({ options }, row) => options.map((ids) => ({ row, ids })));
    cache.select(answers.map(({ row }) => row));
    return await readFloats(() => {
      // Padding comes behind all tokens that are read off, so none of them sees it.
      const fed = padRight(answers.map(({ ids }) => [decoderStart, ...ids.slice(0, -1)]));
      return targetLogProbabilitiesAt(
        model,
        model.extend(fed.ids, cache),
        answers.flatMap(({ ids }, row) => ids.map((_, step) => row * fed.time + step)),
        answers.flatMap(({ ids }) => ids),
      );
    });
  } finally {
    cache.dispose();
  }
}
