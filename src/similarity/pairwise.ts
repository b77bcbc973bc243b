import type { Signatures } from "./minhash.js";

/** A place where the pairwise work is done. Both kinds of answer are counts of equal slots: whole, so equal everywhere. */
export interface PairwiseDevice {
  /** Such as "plain loop" or "gpu.js webasm". */
  readonly name: string;
  /**
   * Equal slots of each row of `rows` (ascending, `[start, end)`) with every row: `(end - start) x count`, row by row.
   * `progress` hears the share of the rows that are done.
   */
  equalSlots(
    signatures: Signatures,
    rows: RowRange,
    progress?: (share: number) => void,
  ): Promise<Float32Array>;
  /**
   * Equal slots of each row with all rows of each group together: `count x groups`, row by row. The rows of a group stand
   * one after the other: group `g` is `[starts[g], starts[g + 1])`.
   */
  equalSlotsByGroup(
    signatures: Signatures,
    starts: readonly number[],
    progress?: (share: number) => void,
  ): Promise<Float32Array>;
  /** Frees what the device holds. */
  dispose(): Promise<void>;
}

/** Rows from `start` to before `end`. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** The reference: loops over typed arrays, each pair of rows once. */
export const plainLoop: PairwiseDevice = {
  name: "plain loop",
  equalSlots: (signatures, rows, progress) => Promise.resolve(countEqualSlots(signatures, rows, progress)),
  equalSlotsByGroup: (signatures, starts, progress) =>
    Promise.resolve(countEqualSlotsByGroup(signatures, starts, progress)),
  dispose: () => Promise.resolve(),
};

function countEqualSlots(
  { count, permutations, slots }: Signatures,
  { start, end }: RowRange,
  progress?: (share: number) => void,
): Float32Array {
  const result = new Float32Array((end - start) * count);
  const equal = (i: number, j: number): number =>
    equalSlotsOf(slots, i * permutations, j * permutations, permutations);
  for (let i = start; i < end; i++) {
    const row = result.subarray((i - start) * count, (i - start + 1) * count);
    for (let j = 0; j < start; j++) row[j] = equal(i, j);
    row[i] = permutations;
    // A pair within the range is counted once and written twice.
    for (let j = i + 1; j < end; j++) row[j] = result[(j - start) * count + i] = equal(i, j);
    for (let j = end; j < count; j++) row[j] = equal(i, j);
    progress?.((i - start + 1) / (end - start));
  }
  return result;
}

function countEqualSlotsByGroup(
  { count, permutations, slots }: Signatures,
  starts: readonly number[],
  progress?: (share: number) => void,
): Float32Array {
  const groups = starts.length - 1;
  const groupOf = new Uint32Array(count);
  for (let g = 0; g < groups; g++) groupOf.fill(g, starts[g], starts[g + 1]);
  const result = new Float32Array(count * groups);
  for (let i = 0; i < count; i++) {
    const ofRow = i * groups + (groupOf[i] ?? 0);
    result[ofRow] = (result[ofRow] ?? 0) + permutations; // The row with itself.
    for (let j = 0; j < i; j++) {
      const equal = equalSlotsOf(slots, i * permutations, j * permutations, permutations);
      const toGroup = i * groups + (groupOf[j] ?? 0);
      const fromGroup = j * groups + (groupOf[i] ?? 0);
      result[toGroup] = (result[toGroup] ?? 0) + equal;
      result[fromGroup] = (result[fromGroup] ?? 0) + equal;
    }
    // Row i meets i earlier rows: the work done grows with the square.
    progress?.(((i + 1) / count) ** 2);
  }
  return result;
}

function equalSlotsOf(slots: Int32Array, a: number, b: number, length: number): number {
  let equal = 0;
  for (let p = 0; p < length; p++) if (slots[a + p] === slots[b + p]) equal++;
  return equal;
}
