/**
 * How two answers are compared. "strict": the same characters. "normalized": without case, ASCII punctuation and
 * differences in white space, as Super-NaturalInstructions' `compute_metrics.py` does.
 */
export type Match = "strict" | "normalized";

/** What Python's `str.split()` takes for white space; it differs from `\s` of JavaScript. */
const PYTHON_SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
/** Python's `string.punctuation`. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

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
  return text.toLowerCase().replace(PUNCTUATION, "").split(PYTHON_SPACES).filter(Boolean).join(" ");
}
