import { KitError } from "../support/errors.js";
import { encodeTexts } from "../train/objectives/sentence-pairs.js";
import type { LoadedBert } from "./bert-folder.js";
import { type AskedRow, askPlaces, type EncoderOptions } from "./encoder-batches.js";
import { mostProbable } from "./most-probable.js";

/** A word that may stand at a mask. */
export interface FilledWord {
  readonly id: number;
  /** The token's text, a piece inside a word with its "##". */
  readonly word: string;
  /** 0 to 1, among all tokens. */
  readonly probability: number;
}

export interface FillMaskOptions extends EncoderOptions {
  /** Words for each mask (5). */
  readonly top?: number;
}

/** What stands for a word in the texts of `fillMask`, whatever the tokenizer calls its own. */
export const MASK_TEXT = "[MASK]";

/**
 * The most probable words at each `[MASK]` of each text, as `transformers`' fill-mask pipeline gives them. Each mask is
 * one token, and is filled as if the others stayed masked.
 *
 *     const [words] = await fillMask(await loadBase("bert"), ["Mia went to Oakhurst on [MASK]."]);
 * @returns for each text, for each of its masks, the words, most probable first; undefined when the signal aborts
 * @throws KitError when the model has no head for it, and for a text without a mask, or longer than the context
 */
export async function fillMask(
  { bert, tokenizer }: LoadedBert,
  texts: readonly string[],
  { top = 5, ...options }: FillMaskOptions = {},
): Promise<FilledWord[][][] | undefined> {
  const { marks } = tokenizer;
  if (bert.config.head.kind === "classification") {
    throw new KitError("the model has no head for masked words", "use a pre-trained BERT");
  }
  const rows = texts.map((text, index): AskedRow => {
    const ids = text
      .split(MASK_TEXT)
      .flatMap((part, place) => [...(place === 0 ? [] : [marks.mask]), ...tokenizer.encode(part).ids]);
    const encoded = encodeTexts(marks, ids);
    const places = encoded.ids.flatMap((id, place) => (id === marks.mask ? [place] : []));
    if (places.length > 0) return { ...encoded, places };
    throw new KitError(
      `the text has no ${MASK_TEXT}: ${JSON.stringify(text.slice(0, 60))}`,
      `write ${MASK_TEXT} where a word is to be filled in`,
      { row: index + 1 },
    );
  });
  const count = Math.min(top, tokenizer.vocabularySize);
  const answer = (probabilities: Float32Array): FilledWord[] =>
    mostProbable(probabilities.subarray(0, tokenizer.vocabularySize), count).map((id) => ({
      id,
      word: tokenizer.tokenText(id),
      probability: probabilities[id] ?? 0,
    }));
  return askPlaces(bert, rows, { head: (hidden) => bert.maskedLogits(hidden), answer }, options);
}
