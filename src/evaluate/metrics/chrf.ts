import { KitError } from "../../support/errors.js";
import type { TextPair } from "./bleu.js";
import { type Counts, countNgrams, overlap, totalOf } from "./ngrams.js";
import { PUNCTUATION, splitWords } from "./python-text.js";

/** The word n-grams that count beside the character n-grams: 0 is chrF, 2 is chrF++. */
export type WordOrder = 0 | 2;

const CHARACTER_ORDER = 6;
/** Recall counts this many times as much as precision. */
const BETA = 2;

/** For one n-gram order: how many the prediction has, how many the reference, how many both. */
interface Matches {
  readonly predicted: number;
  readonly wanted: number;
  readonly shared: number;
}

/**
 * chrF (Popović 2015) or chrF++ (2017) of a corpus as sacreBLEU 2.6.0 with its defaults: character n-grams up to 6 without
 * white space, recall twice as important; counts are added over the texts, each against its best reference.
 * @returns from 0 to 100
 * @throws KitError for no pairs or a pair without reference
 */
export function corpusChrf(pairs: readonly TextPair[], wordOrder: WordOrder): number {
  if (pairs.length === 0) throw new KitError("chrF of no texts", "give at least one prediction");
  const all = pairs.map(({ prediction, references }) => bestMatches(prediction, references, wordOrder));
  return fScore(
    (all[0] ?? []).map((_, order) => ({
      predicted: all.reduce((sum, matches) => sum + (matches[order]?.predicted ?? 0), 0),
      wanted: all.reduce((sum, matches) => sum + (matches[order]?.wanted ?? 0), 0),
      shared: all.reduce((sum, matches) => sum + (matches[order]?.shared ?? 0), 0),
    })),
  );
}

/**
 * chrF or chrF++ of one text.
 * @returns from 0 to 100
 * @throws KitError when there is no reference
 */
export function sentenceChrf(
  prediction: string,
  references: readonly string[],
  wordOrder: WordOrder,
): number {
  return fScore(bestMatches(prediction, references, wordOrder));
}

/** The signature that sacreBLEU would print; belongs beside the number. */
export function chrfSignature(references: number, wordOrder: WordOrder): string {
  return `nrefs:${references}|case:mixed|eff:yes|nc:${CHARACTER_ORDER}|nw:${wordOrder}|space:no|version:ift-kit as sacreBLEU 2.6.0`;
}

function bestMatches(prediction: string, references: readonly string[], wordOrder: WordOrder): Matches[] {
  if (references.length === 0) throw new KitError("chrF without a reference", "give at least one reference");
  const predicted = ngramsOf(prediction, wordOrder);
  let best: { readonly score: number; readonly matches: Matches[] } = { score: -1, matches: [] };
  for (const reference of references) {
    const matches = ngramsOf(reference, wordOrder).map((wanted, order): Matches => {
      const counts = predicted[order] ?? new Map<string, number>();
      return {
        // An order that the reference is too short for takes no part.
        predicted: wanted.size === 0 ? 0 : totalOf(counts),
        wanted: totalOf(wanted),
        shared: overlap(counts, wanted),
      };
    });
    const score = fScore(matches);
    if (score > best.score) best = { score, matches };
  }
  return best.matches;
}

function ngramsOf(text: string, wordOrder: WordOrder): Counts[] {
  const characters = Array.from(splitWords(text).join(""));
  const words = wordOrder === 0 ? [] : splitPunctuation(text);
  const orders = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  return [
    ...orders(CHARACTER_ORDER).map((n) => countNgrams(characters, n)),
    ...orders(wordOrder).map((n) => countNgrams(words, n)),
  ];
}

/** One punctuation mark apart from each word: the last character, or else the first, as chrF's own script does. */
function splitPunctuation(text: string): string[] {
  const isMark = (character: string | undefined): boolean => character?.replace(PUNCTUATION, "") === "";
  return splitWords(text).flatMap((word) => {
    const characters = Array.from(word);
    if (characters.length === 1) return [word];
    if (isMark(characters.at(-1))) return [characters.slice(0, -1).join(""), characters.at(-1) ?? ""];
    if (isMark(characters[0])) return [characters[0] ?? "", characters.slice(1).join("")];
    return [word];
  });
}

/** The F measure of the means of precision and recall over the orders that both sides have. */
function fScore(matches: readonly Matches[]): number {
  const used = matches.filter(({ predicted, wanted }) => predicted > 0 && wanted > 0);
  if (used.length === 0) return 0;
  const precision = used.reduce((sum, one) => sum + one.shared / one.predicted, 0) / used.length;
  const recall = used.reduce((sum, one) => sum + one.shared / one.wanted, 0) / used.length;
  if (precision + recall === 0) return 0;
  const factor = BETA ** 2;
  return (100 * (1 + factor) * precision * recall) / (factor * precision + recall);
}
