import type { TrainingRow } from "../train/rows.js";
import type { LoadedBert } from "./bert-folder.js";
import { type AskedRow, askPlaces, type EncoderOptions } from "./encoder-batches.js";
import { mostProbable } from "./most-probable.js";

/** How well masked words are filled in. */
export interface WordScores {
  readonly maskedWords: number;
  /** Share of the masked words, 0 to 1, whose most probable filling is the right one. */
  readonly accuracy: number;
  /** The same for one of the five most probable ones. */
  readonly topFive: number;
  /** The accuracy of always saying the most frequent of these words. */
  readonly floor: number;
  /** Nats per masked word. */
  readonly loss: number;
}

/** How well pairs of texts that follow are told from others. */
export interface PairScores {
  readonly pairs: number;
  readonly accuracy: number;
  /** The share of the more frequent answer. */
  readonly floor: number;
}

const TOP = 5;

/** What a model says of a masked word. */
export interface MaskedWord {
  readonly target: number;
  /** The most probable fillings. */
  readonly top: readonly number[];
  /** Of the target, in nats. */
  readonly loss: number;
}

/**
 * What a BERT says of the targets of masked rows, all of them shown as `[MASK]`.
 * @returns for each row, each of its masked words; undefined when the signal aborts
 * @throws KitError for a row that is longer than the context
 */
export async function maskedWords(
  { bert, tokenizer }: LoadedBert,
  rows: readonly TrainingRow[],
  options: EncoderOptions = {},
): Promise<MaskedWord[][] | undefined> {
  const asked = rows.map((row): AskedRow => {
    const ids = originalIds(row);
    for (const place of row.targetOffsets) ids[place] = tokenizer.marks.mask;
    return { ids, tokenTypes: [...(row.tokenTypes ?? [])], places: [...row.targetOffsets] };
  });
  const question = {
    head: bert.maskedLogits.bind(bert),
    answer: (probabilities: Float32Array, row: number, place: number): MaskedWord => {
      const target = rows[row]?.targets[place] ?? 0;
      return { target, top: mostProbable(probabilities, TOP), loss: -Math.log(probabilities[target] ?? 0) };
    },
  };
  return askPlaces(bert, asked, question, options);
}

/** Scores of masked words. */
export function wordScores(words: readonly MaskedWord[]): WordScores {
  const frequency = new Map<number, number>();
  for (const { target } of words) frequency.set(target, (frequency.get(target) ?? 0) + 1);
  const share = (right: (word: MaskedWord) => boolean): number => words.filter(right).length / words.length;
  return {
    maskedWords: words.length,
    accuracy: share(({ target, top }) => top[0] === target),
    topFive: share(({ target, top }) => top.includes(target)),
    floor: Math.max(...frequency.values()) / words.length,
    loss: words.reduce((sum, { loss }) => sum + loss, 0) / words.length,
  };
}

/**
 * Whether a BERT tells texts that follow from others, on pairs of masked rows with nothing masked.
 * @returns undefined when the signal aborts
 */
export async function pairScores(
  { bert }: LoadedBert,
  rows: readonly TrainingRow[],
  options: EncoderOptions = {},
): Promise<PairScores | undefined> {
  const asked = rows.map((row): AskedRow => ({
    ids: originalIds(row),
    tokenTypes: [...(row.tokenTypes ?? [])],
    places: [0],
  }));
  const question = {
    head: bert.nextSentenceLogits.bind(bert),
    answer: ([follows = 0]: Float32Array): 0 | 1 => (follows >= 0.5 ? 0 : 1),
  };
  const answers = (await askPlaces(bert, asked, question, options))?.flat();
  if (answers === undefined) return undefined;
  const following = rows.filter(({ rowTarget }) => rowTarget === 0).length / rows.length;
  return {
    pairs: rows.length,
    accuracy: rows.filter(({ rowTarget }, index) => rowTarget === answers[index]).length / rows.length,
    floor: Math.max(following, 1 - following),
  };
}

/** The row before it was masked. */
export function originalIds({
  inputs,
  targetOffsets,
  targets,
}: Pick<TrainingRow, "inputs" | "targetOffsets" | "targets">): number[] {
  const ids = [...inputs];
  targetOffsets.forEach((place, index) => (ids[place] = targets[index] ?? 0));
  return ids;
}
