/**
 * Batches of items of nearly the same length, longest first, so that little is padded and a lack of memory shows at
 * once. Items of the same length keep their order.
 * @param limit most items in a batch, or a function that says whether `count` items of at most `longest` may be one
 */
export function byLength<Item>(
  items: readonly Item[],
  lengthOf: (item: Item) => number,
  limit: number | ((count: number, longest: number) => boolean),
): Item[][] {
  const fits = typeof limit === "number" ? (count: number): boolean => count <= limit : limit;
  const sorted = items
    .map((item, index) => ({ item, index, length: lengthOf(item) }))
    .sort((a, b) => b.length - a.length || a.index - b.index);
  const batches: Item[][] = [];
  let longest = 0;
  for (const { item, length } of sorted) {
    const last = batches.at(-1);
    if (last !== undefined && fits(last.length + 1, longest)) {
      last.push(item);
    } else {
      batches.push([item]);
      longest = length;
    }
  }
  return batches;
}
