/**
 * Unicode white space. JavaScript's `\s` is another set (it has U+FEFF and lacks U+0085), and the words would then differ
 * from those of Python's `tokenizers`.
 */
const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** GPT-2's words: `self.pat` in `src/encoder.py` of openai/gpt-2. */
const WORD = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
  "gu",
);

/**
 * Cuts a text into the words inside which a byte-level BPE merges. A word takes the blank before it along; joined, the
 * words are the text.
 */
export function words(text: string): string[] {
  return text.match(WORD) ?? [];
}
