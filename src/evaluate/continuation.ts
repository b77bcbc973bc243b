import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { KeyValueCache } from "../model/cache.js";
import type { Decoder } from "../model/decoder.js";
import type { LanguageModel } from "../model/load.js";
import { encoderIds } from "../model/t5/config.js";
import { T5 } from "../model/t5/t5.js";
import { padRight } from "./pad.js";

/** A batch of answers at work: what the model has read, and what it says next. */
export interface Continuation {
  /** What each row is fed first: its prompt, or the token that the decoder of an encoder-decoder starts with. */
  readonly first: readonly (readonly number[])[];
  /**
   * Feeds new tokens of each row.
   * @returns the hidden states `[rows, width]` from which the next tokens are chosen
   */
  feed(rows: readonly (readonly number[])[]): TensorFlow.Tensor2D;
  /** Goes on with some of the rows only, in the given order; a row may come several times. */
  select(rows: readonly number[]): void;
  dispose(): void;
}

/**
 * Begins to answer.
 * @param prompts token ids, at least one each
 */
export function continuePrompts(model: LanguageModel, prompts: readonly (readonly number[])[]): Continuation {
  return model instanceof T5 ? fromEncoder(model, prompts) : fromPrompts(model, prompts);
}

/** What comes before the first token of an answer in the stack that chooses it: `Continuation.first` of one prompt. */
export function tokensBefore(model: LanguageModel, prompt: readonly number[]): readonly number[] {
  return model instanceof T5 ? [model.config.decoderStart] : prompt;
}

/** Most tokens that an answer may have for the model's sake; none where the prompt itself does not fit. */
export function roomAfter(model: LanguageModel, prompt: readonly number[]): number {
  const { contextLength } = model.config;
  if (model instanceof T5) return encoderIds(model.config, prompt).length > contextLength ? 0 : contextLength;
  // The last token of an answer is never fed.
  return contextLength - prompt.length + 1;
}

function fromPrompts(model: Decoder, prompts: readonly (readonly number[])[]): Continuation {
  const cache = new KeyValueCache(prompts.length);
  return {
    first: prompts,
    feed: (rows) => {
      const { ids, counts } = padRight(rows);
      const hidden = model.extendLast(ids, cache, counts);
      ids.dispose();
      return hidden;
    },
    select: (rows) => cache.select(rows),
    dispose: () => cache.dispose(),
  };
}

function fromEncoder(model: T5, prompts: readonly (readonly number[])[]): Continuation {
  const { ids, counts, time } = padRight(prompts.map((prompt) => encoderIds(model.config, prompt)));
  const tokens = counts.flatMap((count) =>
    Array.from({ length: time }, (_, column) => (column < count ? 1 : 0)),
  );
  const segments = tf.tensor2d(tokens, [prompts.length, time], "int32");
  const cache = model.encode({ ids, segments });
  tf.dispose([ids, segments]);
  return {
    first: prompts.map((prompt) => tokensBefore(model, prompt)),
    feed: (rows) =>
      tf.tidy(() => {
        const { ids, time } = padRight(rows);
        const hidden = model.extend(ids, cache);
        const last = tf.slice(hidden, [0, time - 1, 0], [rows.length, 1, model.config.width]);
        return tf.reshape(last, [rows.length, model.config.width]);
      }),
    select: (rows) => cache.select(rows),
    dispose: () => cache.dispose(),
  };
}
