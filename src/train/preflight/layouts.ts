import { type BatchArrays, layOut } from "../batch.js";
import type { packBestFit } from "../pack.js";
import type { TrainingRow } from "../rows.js";

/** Positions of padding that a row gets. */
const PADDING = 5;

/** Each row by itself, without padding: what all other ways are compared with. */
export function alone(rows: readonly TrainingRow[]): BatchArrays[] {
  return rows.map((_, index) => layOut(rows, [[index]], "bucketed"));
}

/** The rows in passes of so many, padded at the end to the longest of the pass. */
export function inPasses(rows: readonly TrainingRow[], size: number): BatchArrays[] {
  const indexes = rows.map((_, index) => [index]);
  const batches: BatchArrays[] = [];
  for (let first = 0; first < rows.length; first += size) {
    batches.push(layOut(rows, indexes.slice(first, first + size), "bucketed"));
  }
  return batches;
}

/** Each row by itself with padding behind it, as far as the context has room. */
export function paddedAfter(rows: readonly TrainingRow[], contextLength: number): BatchArrays[] {
  return alone(rows).map((arrays) => {
    const time = Math.min(arrays.time + PADDING, contextLength);
    const ids = new Int32Array(time);
    ids.set(arrays.ids);
    return { ...arrays, time, ids };
  });
}

/** Each row by itself with padding before it, which it does not see and which does not count as positions. */
export function paddedBefore(rows: readonly TrainingRow[], contextLength: number): BatchArrays[] {
  return alone(rows).map((arrays) => {
    const time = Math.min(arrays.time + PADDING, contextLength);
    const start = time - arrays.time;
    const [ids, positions, segments] = [new Int32Array(time), new Int32Array(time), new Int32Array(time)];
    ids.set(arrays.ids, start);
    for (let offset = 0; offset < arrays.time; offset++) positions[start + offset] = offset;
    segments.fill(1, start);
    const targetPositions = arrays.targetPositions.map((position) => position + start);
    return { ...arrays, time, ids, positions, segments, targetPositions };
  });
}

/** The rows packed; undefined where no two fit into one pack. */
export function packed(
  rows: readonly TrainingRow[],
  capacity: number,
  pack: typeof packBestFit,
): BatchArrays[] | undefined {
  const packs = pack(
    rows,
    rows.map((_, index) => index),
    capacity,
  );
  if (packs.every(({ length }) => length < 2)) return undefined;
  return packs.map((indexes) => layOut(rows, [indexes], "packed"));
}
