/** A text as the numbers of its words. */
export type WordNumbers = Int32Array;

/**
 * Texts as numbered words, so that comparing them is fast: runs of letters and digits after lower-casing, in any script.
 * Where a text is in a-z and 0-9 these are the words that ROUGE sees (without stems). Scripts that write no blanks
 * (Chinese, Thai) come out as long words: their n-gram numbers say little.
 */
export function numberWords(texts: readonly string[]): WordNumbers[] {
  const numbers = new Map<string, number>();
  return texts.map((text) => {
    const words = text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
    return Int32Array.from(words, (word) => {
      const known = numbers.get(word);
      if (known !== undefined) return known;
      numbers.set(word, numbers.size);
      return numbers.size - 1;
    });
  });
}

/** How often each n-gram of a text occurs in it. */
export function countNgrams(words: WordNumbers, n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let end = n; end <= words.length; end++) {
    const key = words.subarray(end - n, end).join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
