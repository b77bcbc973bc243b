/** Counts of n-grams, as text keys: the items are joined by a character that no item holds. */
export type Counts = Map<string, number>;

/**
 * The n-grams of a sequence and how often each comes.
 * @param items tokens or characters, none with U+0000 in it
 */
export function countNgrams(items: readonly string[], n: number): Counts {
  const counts: Counts = new Map();
  for (let start = 0; start + n <= items.length; start++) {
    const key = items.slice(start, start + n).join("\u0000");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** How many n-grams of one are also in the other, each counted as often as it comes in both. */
export function overlap(a: Counts, b: Counts): number {
  let shared = 0;
  for (const [key, count] of a) shared += Math.min(count, b.get(key) ?? 0);
  return shared;
}

/** The sum of the counts. */
export function totalOf(counts: Counts): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** The harmonic mean of precision and recall, 0 when both are. */
export function fMeasure(precision: number, recall: number): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}
