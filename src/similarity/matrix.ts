import { KitError } from "../support/errors.js";
import { type ProgressBar, silentProgress } from "../support/progress.js";
import { chooseDevice, type DeviceRequest, type PairwiseWork } from "./choose-device.js";
import type { Signatures } from "./minhash.js";

/** A symmetric matrix of similarities, 0 to 1, and where it was computed. */
export interface SimilarityMatrix {
  /** Number of rows and columns. */
  readonly size: number;
  /** Row by row: `values[i * size + j]`. */
  readonly values: Float64Array;
  /** Such as "plain loop" or "gpu.js webgpu". */
  readonly device: string;
  /** One line: the device and why it was taken. */
  readonly why: string;
}

export interface MatrixOptions {
  readonly device?: DeviceRequest;
  readonly progress?: ProgressBar;
}

/** Rows of an all-pairs matrix at most: 16,000 of them take 2 GB. */
const MOST_ROWS = 16_000;

/**
 * Estimated Jaccard similarity of all pairs of rows; the diagonal is 1.
 * @throws KitError when there is no row, or more than fit in memory
 */
export async function rowSimilarity(
  signatures: Signatures,
  { device: request, progress = silentProgress }: MatrixOptions = {},
): Promise<SimilarityMatrix> {
  const { count: size, permutations } = signatures;
  checkRows(size);
  const work: PairwiseWork = {
    rows: size,
    doSome: (device, rows) => device.equalSlots(firstRows(signatures, rows), { start: 0, end: rows }),
  };
  const { device, why } = await chooseDevice(work, request);
  try {
    const equal = await device.equalSlots(signatures, { start: 0, end: size }, (share) =>
      progress.update(share),
    );
    const values = new Float64Array(equal.length);
    for (let at = 0; at < values.length; at++) values[at] = (equal[at] ?? 0) / permutations;
    return { size, values, device: device.name, why };
  } finally {
    await device.dispose();
  }
}

/**
 * Mean estimated Jaccard similarity between the rows of each two groups (tasks, say); on the diagonal between different
 * rows of one group, and NaN there for a group of one row: how alike the rows of a task are.
 * @param groupOf the group of each row, 0 to `groups` - 1; every group has a row
 * @throws KitError as `rowSimilarity`
 */
export async function groupSimilarity(
  signatures: Signatures,
  groupOf: readonly number[],
  groups: number,
  { device: request, progress = silentProgress }: MatrixOptions = {},
): Promise<SimilarityMatrix> {
  checkRows(signatures.count);
  const { sorted, starts } = sortByGroup(signatures, groupOf, groups);
  const { permutations } = signatures;
  const work: PairwiseWork = {
    rows: sorted.count,
    doSome: (device, rows) => device.equalSlotsByGroup(firstRows(sorted, rows), evenStarts(rows, groups)),
  };
  const { device, why } = await chooseDevice(work, request);
  try {
    const equal = await device.equalSlotsByGroup(sorted, starts, (share) => progress.update(share));
    const values = new Float64Array(groups * groups);
    for (let a = 0; a < groups; a++) {
      const [start = 0, end = 0] = starts.slice(a, a + 2);
      for (let b = 0; b < groups; b++) {
        let sum = 0;
        for (let row = start; row < end; row++) sum += equal[row * groups + b] ?? 0;
        const sizeOfB = (starts[b + 1] ?? 0) - (starts[b] ?? 0);
        // On the diagonal each row has met itself, with all slots equal.
        if (a === b) sum -= (end - start) * permutations;
        const pairs = (end - start) * (a === b ? sizeOfB - 1 : sizeOfB);
        values[a * groups + b] = sum / (pairs * permutations);
      }
    }
    return { size: groups, values, device: device.name, why };
  } finally {
    await device.dispose();
  }
}

function firstRows({ permutations, slots }: Signatures, count: number): Signatures {
  return { count, permutations, slots: slots.subarray(0, count * permutations) };
}

/** Where groups begin that share some rows evenly, at most one row each. */
function evenStarts(rows: number, groups: number): number[] {
  const count = Math.min(rows, groups);
  return Array.from({ length: count + 1 }, (_, group) => Math.round((group * rows) / count));
}

function checkRows(rows: number): void {
  if (rows === 0) throw new KitError("there is no row to compare", "give at least one row");
  if (rows > MOST_ROWS) {
    throw new KitError(
      `all pairs of ${rows} rows do not fit in memory`,
      `take a sample of at most ${MOST_ROWS} rows, or look for near-duplicates (findDuplicates), which needs no matrix`,
    );
  }
}

/** The rows of each group one after the other, and where each group begins. */
function sortByGroup(
  { count, permutations, slots }: Signatures,
  groupOf: readonly number[],
  groups: number,
): { readonly sorted: Signatures; readonly starts: readonly number[] } {
  if (groupOf.length !== count) throw new RangeError(`${count} rows have ${groupOf.length} groups`);
  const order = groupOf
    .map((group, row) => ({ group, row }))
    .sort((a, b) => a.group - b.group || a.row - b.row);
  const starts = [0];
  const sorted = new Int32Array(slots.length);
  for (const [place, { group, row }] of order.entries()) {
    sorted.set(slots.subarray(row * permutations, (row + 1) * permutations), place * permutations);
    starts[group + 1] = place + 1;
  }
  for (let group = 0; group < groups; group++) {
    if ((starts[group + 1] ?? 0) <= (starts[group] ?? Infinity))
      throw new RangeError(`group ${group} has no row`);
  }
  return { sorted: { count, permutations, slots: sorted }, starts };
}
