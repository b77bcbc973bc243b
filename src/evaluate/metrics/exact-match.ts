import { PUNCTUATION, splitWords } from "./python-text.js";

/**
 * How two answers are compared. "strict": the same characters. "normalized": without case, ASCII punctuation and
 * differences in white space, as Super-NaturalInstructions' `compute_metrics.py` does.
 */
export type Match = "strict" | "normalized";

/**
 * Whether the prediction is one of the references.
 * @returns 1 or 0, so that a mean is a share
 */
export function exactMatch(prediction: string, references: readonly string[], match: Match): 0 | 1 {
  const form = match === "strict" ? (text: string): string => text : normalizeAnswer;
  const wanted = form(prediction);
  return references.some((reference) => form(reference) === wanted) ? 1 : 0;
}

/** Lower case, without ASCII punctuation, words separated by one space. */
export function normalizeAnswer(text: string): string {
  return splitWords(text.toLowerCase().replace(PUNCTUATION, "")).join(" ");
}
