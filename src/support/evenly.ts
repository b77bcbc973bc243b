/** So many items of a list at most, from the first on at equal distances. */
export function evenly<Item>(items: readonly Item[], count: number): Item[] {
  const kept = Math.min(count, items.length);
  const chosen = new Set(
    Array.from({ length: kept }, (_, index) => Math.floor((index * items.length) / kept)),
  );
  return items.filter((_, index) => chosen.has(index));
}
