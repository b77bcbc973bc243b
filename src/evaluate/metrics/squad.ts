import { KitError } from "../../support/errors.js";
import { countNgrams, fMeasure, overlap } from "./ngrams.js";
import { PUNCTUATION, splitWords, WORD_EDGE } from "./python-text.js";

const ARTICLES = new RegExp(`${WORD_EDGE}(?:a|an|the)${WORD_EDGE}`, "gu");

/** How well an answer fits the best of its references, each from 0 to 1; each metric takes its own best reference. */
export interface SquadScores {
  readonly exactMatch: 0 | 1;
  readonly f1: number;
}

/**
 * Exact match and the F measure of words, with the normalisation of SQuAD's `evaluate-v2.0.py` (Rajpurkar et al. 2018):
 * lower case, no ASCII punctuation, no articles. Where one side has no word left, both must have none.
 * @throws KitError when there is no reference
 */
export function squadScores(prediction: string, references: readonly string[]): SquadScores {
  if (references.length === 0) throw new KitError("F1 without a reference", "give at least one reference");
  const predicted = squadWords(prediction);
  const wanted = references.map(squadWords);
  return {
    exactMatch: wanted.some((words) => words.join(" ") === predicted.join(" ")) ? 1 : 0,
    f1: Math.max(...wanted.map((words) => wordF1(predicted, words))),
  };
}

/** The words that SQuAD's metrics compare. */
export function squadWords(text: string): string[] {
  return splitWords(text.toLowerCase().replace(PUNCTUATION, "").replace(ARTICLES, " "));
}

function wordF1(predicted: readonly string[], wanted: readonly string[]): number {
  if (predicted.length === 0 || wanted.length === 0) return predicted.length === wanted.length ? 1 : 0;
  const shared = overlap(countNgrams(predicted, 1), countNgrams(wanted, 1));
  return fMeasure(shared / predicted.length, shared / wanted.length);
}
