import { KitError } from "../../support/errors.js";
import { longestCommonSubsequence } from "../../support/subsequence.js";
import { countNgrams, fMeasure, overlap, totalOf } from "./ngrams.js";
import { stem } from "./porter.js";

/** What a ROUGE score counts. */
export interface RougeOptions {
  /** Whether words are stemmed; Super-NaturalInstructions does. */
  readonly stem: boolean;
}

/**
 * ROUGE-L as Python's `rouge_score` 0.1.2: the F measure of the longest common subsequence of words, the best over the
 * references. Sentences are not split (that would be ROUGE-Lsum).
 * @returns from 0 to 1; 0 when the prediction or the reference has no word of a-z and 0-9
 * @throws KitError when there is no reference
 */
export function rougeL(prediction: string, references: readonly string[], options: RougeOptions): number {
  const predicted = rougeTokens(prediction, options);
  return bestReference(references, (reference) => {
    const wanted = rougeTokens(reference, options);
    if (predicted.length === 0 || wanted.length === 0) return 0;
    const common = longestCommonSubsequence(wanted, predicted);
    return fMeasure(common / predicted.length, common / wanted.length);
  });
}

/**
 * ROUGE-N as Python's `rouge_score` 0.1.2: the F measure of the n-grams of words, the best over the references.
 * @param n 1 for words, 2 for pairs of words
 * @returns from 0 to 1
 * @throws KitError when there is no reference
 */
export function rougeN(
  prediction: string,
  references: readonly string[],
  n: number,
  options: RougeOptions,
): number {
  const predicted = countNgrams(rougeTokens(prediction, options), n);
  return bestReference(references, (reference) => {
    const wanted = countNgrams(rougeTokens(reference, options), n);
    const shared = overlap(predicted, wanted);
    return fMeasure(shared / Math.max(totalOf(predicted), 1), shared / Math.max(totalOf(wanted), 1));
  });
}

/**
 * The highest score over the references.
 * @throws KitError when there is no reference
 */
export function bestReference(references: readonly string[], scoreOf: (reference: string) => number): number {
  if (references.length === 0) throw new KitError("ROUGE without a reference", "give at least one reference");
  return references.reduce((best, reference) => Math.max(best, scoreOf(reference)), 0);
}

/**
 * The words that ROUGE sees: runs of a-z and 0-9 after lower-casing (any other letter separates), stemmed when longer
 * than three characters.
 */
export function rougeTokens(text: string, { stem: stemmed }: RougeOptions): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stemmed ? words.map((word) => (word.length > 3 ? cachedStem(word) : word)) : words;
}

/** Text repeats its words; the cache is emptied before it grows large. */
const stems = new Map<string, string>();
const MOST_STEMS = 100_000;

function cachedStem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  if (stems.size >= MOST_STEMS) stems.clear();
  const result = stem(word);
  stems.set(word, result);
  return result;
}
