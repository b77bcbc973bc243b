import { type BatchArrays, type BatchNeeds, layOut } from "../batch.js";
import type { packBestFit } from "../pack.js";
import type { TrainingRow } from "../rows.js";
import { fillUp } from "../step/batch-shapes.js";

/** Positions of padding that a row gets. */
const PADDING = 5;

/** Each row by itself, without padding: what all other ways are compared with. */
export function alone(rows: readonly TrainingRow[], needs: BatchNeeds): BatchArrays[] {
  return inPasses(rows, 1, needs);
}

/** The rows in passes of so many, padded at the end to the longest of the pass. */
export function inPasses(rows: readonly TrainingRow[], size: number, needs: BatchNeeds): BatchArrays[] {
  const indexes = rows.map((_, index) => [index]);
  const batches: BatchArrays[] = [];
  for (let first = 0; first < rows.length; first += size) {
    batches.push(layOut(rows, indexes.slice(first, first + size), "bucketed", needs));
  }
  return batches;
}

/** Each row by itself with padding behind it (what a decoder says, too), as far as the context has room. */
export function paddedAfter(
  rows: readonly TrainingRow[],
  contextLength: number,
  needs: BatchNeeds,
): BatchArrays[] {
  return alone(rows, needs).map((arrays) => {
    const longer = Math.max(arrays.time, arrays.decoderTime ?? 0) + PADDING;
    return fillUp(arrays, { timeUnit: longer, longestRow: contextLength, longestDecoderRow: contextLength });
  });
}

/** Each row by itself with padding before it, which it does not see and which does not count as positions. */
export function paddedBefore(
  rows: readonly TrainingRow[],
  contextLength: number,
  needs: BatchNeeds,
): BatchArrays[] {
  return alone(rows, needs).map((arrays) => {
    const time = Math.min(arrays.time + PADDING, contextLength);
    const start = time - arrays.time;
    const moved = (values: Int32Array): Int32Array => {
      const result = new Int32Array(time);
      result.set(values, start);
      return result;
    };
    const later = (places: Int32Array): Int32Array => places.map((place) => place + start);
    const { ids, tokenTypes, rowStarts, targetPositions } = arrays;
    return {
      ...arrays,
      time,
      ids: moved(ids),
      segments: moved(ids.map(() => 1)),
      // An encoder-decoder counts no positions, and its targets are elsewhere.
      ...(needs.decoder === true
        ? {}
        : { positions: moved(ids.map((_, offset) => offset)), targetPositions: later(targetPositions) }),
      ...(tokenTypes === undefined ? {} : { tokenTypes: moved(tokenTypes) }),
      ...(rowStarts === undefined ? {} : { rowStarts: later(rowStarts) }),
    };
  });
}

/** The rows packed; undefined where no two fit into one pack. */
export function packed(
  rows: readonly TrainingRow[],
  capacity: number,
  pack: typeof packBestFit,
  needs: BatchNeeds,
): BatchArrays[] | undefined {
  const packs = pack(
    rows,
    rows.map((_, index) => index),
    capacity,
  );
  if (packs.every(({ length }) => length < 2)) return undefined;
  return packs.map((indexes) => layOut(rows, [indexes], "packed", needs));
}
