import { tf } from "../engine/tensorflow.js";
import type { LanguageModel } from "../model/load.js";
import { KitError } from "../support/errors.js";
import { byLength } from "./batches.js";
import { type Continuation, continuePrompts, roomAfter } from "./continuation.js";
import { Beams, type BeamSearch, type Candidate } from "./beams.js";
import { checkGeneration, type GenerateOptions } from "./generate.js";

/** One of the best answers of a prompt. */
export interface BeamAnswer {
  /** The tokens after the prompt, without EOS. */
  readonly ids: readonly number[];
  /** Natural log of its probability, EOS included, divided by its length to the power of the length penalty. */
  readonly score: number;
  readonly ending: "eos" | "length";
}

/** What a beam search shares with other ways to answer, see `GenerateOptions`. */
export type BeamOptions = Pick<
  GenerateOptions,
  "maxNewTokens" | "eos" | "batchSize" | "signal" | "onProgress"
>;

/**
 * The most probable answers as a beam search finds them, with the semantics of transformers 5 (`_beam_search`). A prompt
 * gets the same answers alone and in any batch.
 * @param prompts token ids, BOS included where the tokenizer has one
 * @returns for each prompt as many answers as there are beams, best first; an empty list when the signal aborts
 * @throws KitError for an empty prompt, one that fills the model's context, or a setting out of range
 */
export async function beamSearch(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  search: BeamSearch,
  options: BeamOptions,
): Promise<BeamAnswer[][]> {
  checkGeneration(model, prompts, options);
  checkSearch(search, model.config.vocabularySize);
  const { eos, maxNewTokens } = options;
  const rows = prompts.map((prompt) => ({
    prompt,
    beams: new Beams(search, eos, Math.min(maxNewTokens, roomAfter(model, prompt))),
  }));
  let done = 0;
  for (const batch of byLength(rows, ({ prompt }) => prompt.length, options.batchSize)) {
    const continuation = continuePrompts(
      model,
      batch.map(({ prompt }) => prompt),
    );
    try {
      if (
        !(await searchBatch(
          model,
          continuation,
          batch.map(({ beams }) => beams),
          options.signal,
        ))
      )
        return [];
    } finally {
      continuation.dispose();
    }
    done += batch.length;
    options.onProgress?.(done, prompts.length);
  }
  return rows.map(({ beams }) =>
    beams.finished.map(({ ids, score }) => {
      const ended = ids.at(-1) === eos;
      return { ids: ended ? ids.slice(0, -1) : ids, score, ending: ended ? "eos" : "length" };
    }),
  );
}

/** @returns false when the signal aborted */
async function searchBatch(
  model: LanguageModel,
  continuation: Continuation,
  batch: readonly Beams[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let open = batch;
  let next = continuation.first;
  // One row for each prompt, then one for each beam.
  let rowsOf = (index: number): number[] => [index];
  while (open.length > 0) {
    if (signal?.aborted === true) return false;
    const candidates = await bestTokens(model, continuation, next, 2 * (open[0]?.search.beams ?? 1));
    const parents: number[] = [];
    const tokens: number[][] = [];
    open.forEach((beams, index) => {
      const rows = rowsOf(index);
      const chosen = beams.advance(rows.map((row) => candidates[row] ?? []));
      if (beams.ended) return;
      for (const { parent, token } of chosen) {
        parents.push(rows[parent] ?? 0);
        tokens.push([token]);
      }
    });
    open = open.filter(({ ended }) => !ended);
    if (open.length > 0) continuation.select(parents);
    next = tokens;
    const count = open[0]?.search.beams ?? 1;
    rowsOf = (index) => Array.from({ length: count }, (_, beam) => index * count + beam);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

/** The most probable next tokens of each row, best first: no other can be among the best of all beams. */
async function bestTokens(
  model: LanguageModel,
  continuation: Continuation,
  rows: readonly (readonly number[])[],
  count: number,
): Promise<Candidate[][]> {
  const best = tf.tidy(() => {
    const logits = model.logits(continuation.feed(rows));
    const { values, indices } = tf.topk(tf.logSoftmax(logits), Math.min(count, model.config.vocabularySize));
    return [values, indices] as const;
  });
  const [values, indices] = await Promise.all(best.map((tensor) => tensor.data()));
  tf.dispose([...best]);
  const each = (values?.length ?? 0) / rows.length;
  return rows.map((_, row) =>
    Array.from({ length: each }, (_, place) => ({
      token: indices?.[row * each + place] ?? 0,
      logprob: values?.[row * each + place] ?? -Infinity,
    })),
  );
}

function checkSearch({ beams, lengthPenalty }: BeamSearch, vocabularySize: number): void {
  if (!Number.isInteger(beams) || beams < 1 || 2 * beams > vocabularySize) {
    throw new KitError(
      `a beam search with ${beams} beams`,
      `give a whole number from 1 to half of the vocabulary (${vocabularySize} tokens)`,
      { field: "beams" },
    );
  }
  if (!Number.isFinite(lengthPenalty)) {
    throw new KitError(`a length penalty of ${lengthPenalty}`, "give a number; 1 is usual, 0 is none", {
      field: "lengthPenalty",
    });
  }
}
