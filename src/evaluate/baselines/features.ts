/** The words of a text, lower case, and its punctuation marks. */
export function bagOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
}

/** Words and pairs of neighbouring words. */
export function wordsAndPairs(text: string): string[] {
  const words = bagOf(text);
  return [...words, ...words.slice(1).map((word, index) => `${words[index] ?? ""} ${word}`)];
}

/** Where the largest value stands; ties: the first place. */
export function indexOfMaximum(values: Float64Array): number {
  let best = 0;
  for (let place = 1; place < values.length; place++) {
    if ((values[place] ?? 0) > (values[best] ?? 0)) best = place;
  }
  return best;
}
