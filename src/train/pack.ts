import type { TrainingRow } from "./rows.js";

/**
 * Best-fit packing: rows are taken from long to short, and each goes to the fullest pack that still has room. Every
 * row ends up in exactly one pack. The time is (number of rows) x (positions of a pack), at worst.
 *
 *     capacity 8, rows of 5 4 3 2 1 positions      5 3 | 4 2 1
 *
 * @param rows all rows of data
 * @param order indexes of the rows to pack; rows of equal length are taken in this order
 * @param capacity positions of a pack
 * @returns packs, each the indexes of its rows in the order in which they lie in the pack
 * @throws RangeError when a row is longer than a pack (checked with a better message where the rows come in)
 */
export function packBestFit(
  rows: readonly TrainingRow[],
  order: readonly number[],
  capacity: number,
): number[][] {
  const lengthOf = (index: number): number => rows[index]?.inputs.length ?? 0;
  const longestFirst = [...order].sort((a, b) => lengthOf(b) - lengthOf(a));
  const packs: number[][] = [];
  /** For each number of free positions, the packs that have exactly so many. */
  const byRoom: number[][][] = Array.from({ length: capacity + 1 }, () => []);
  for (const index of longestFirst) {
    const length = lengthOf(index);
    if (length > capacity) throw new RangeError(`a row of ${length} positions does not fit into ${capacity}`);
    let room = length;
    while (room <= capacity && byRoom[room]?.length === 0) room++;
    const found = byRoom[room]?.pop();
    const pack = found ?? [];
    if (found === undefined) packs.push(pack);
    pack.push(index);
    byRoom[(found === undefined ? capacity : room) - length]?.push(pack);
  }
  return packs;
}
