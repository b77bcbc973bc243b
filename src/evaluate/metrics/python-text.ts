/** White space, words and case as Python's `str` and `re` have them, for metrics whose reference is written in Python. */

/** What Python's `str.split()` takes for white space: JavaScript's, but U+FEFF, and the controls U+001C to U+001F, U+0085. */
const SPACE = "(?:(?!\\ufeff)[\\s\\u001c-\\u001f\\u0085])";
const SPACES = new RegExp(`${SPACE}+`, "u");
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");

/** A character of a word, `\w` in Python's `re`: letters and numbers of any script and "_", but no combining mark. */
export const WORD_CHARACTER = "[\\p{L}\\p{N}_]";
/** The edge of a word, `\b` in Python's `re`; JavaScript's knows ASCII letters only. */
export const WORD_EDGE = `(?:(?<!${WORD_CHARACTER})(?=${WORD_CHARACTER})|(?<=${WORD_CHARACTER})(?!${WORD_CHARACTER}))`;

/** Python's `string.punctuation`. */
export const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/** `text.split()`: the runs between white space. */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== "");
}

/** `text.strip()`: without white space at both ends. */
export function strip(text: string): string {
  return text.replace(ENDS, "");
}

/** `text.isupper()`: there are letters with case, and all of them are upper case. */
export function isUpper(text: string): boolean {
  return /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);
}

/** `text.islower()`: there are letters with case, and all of them are lower case. */
export function isLower(text: string): boolean {
  return /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text);
}
