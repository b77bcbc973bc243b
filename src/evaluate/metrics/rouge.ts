import { KitError } from "../../support/errors.js";
import { longestCommonSubsequence } from "../../support/subsequence.js";
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
  if (references.length === 0)
    throw new KitError("ROUGE-L without a reference", "give at least one reference");
  const predicted = rougeTokens(prediction, options);
  return references.reduce((best, reference) => {
    const wanted = rougeTokens(reference, options);
    if (predicted.length === 0 || wanted.length === 0) return best;
    const common = longestCommonSubsequence(wanted, predicted);
    if (common === 0) return best;
    const precision = common / predicted.length;
    const recall = common / wanted.length;
    return Math.max(best, (2 * precision * recall) / (precision + recall));
  }, 0);
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
