import { hashItems, joinLanes, mix32, type WideHash } from "./hash.js";
import { wordsOf } from "./words.js";

/** What a row is cut into before rows are compared: runs of so many words, or of tokens of a tokenizer. */
export interface ShingleOptions {
  /** Items in a run, at least 1. A row with fewer items has one shingle: all of them. */
  readonly size: number;
  /** Turns a text into token ids; words are taken where it is left out. */
  readonly tokenIds?: (text: string) => readonly number[];
}

/** Three words: long enough that unrelated sentences share few, short enough that one changed word leaves most. */
export const DEFAULT_SHINGLES: ShingleOptions = { size: 3 };

/**
 * The shingles of many rows, as sets of hashes, one after the other in one array: the set of row `i` is
 * `hashes[offsets[i]] .. hashes[offsets[i + 1]]`, in ascending order.
 */
export class ShingleSets {
  readonly offsets: Uint32Array;
  readonly hashes: Float64Array;

  constructor(sets: readonly Float64Array[]) {
    this.offsets = new Uint32Array(sets.length + 1);
    let end = 0;
    for (const [row, set] of sets.entries()) this.offsets[row + 1] = end += set.length;
    this.hashes = new Float64Array(end);
    for (const [row, set] of sets.entries()) this.hashes.set(set, this.offsets[row]);
  }

  /** Number of rows. */
  get count(): number {
    return this.offsets.length - 1;
  }

  /** The hashes of one row, ascending; a view. */
  of(row: number): Float64Array {
    return this.hashes.subarray(this.offsets[row], this.offsets[row + 1]);
  }

  /** Number of different shingles of a row; 0 for a text without words. */
  sizeOf(row: number): number {
    return (this.offsets[row + 1] ?? 0) - (this.offsets[row] ?? 0);
  }
}

/** Cuts texts into shingles. */
export function shingleTexts(
  texts: readonly string[],
  options: ShingleOptions = DEFAULT_SHINGLES,
): ShingleSets {
  return new ShingleSets(texts.map((text) => shinglesOf(text, options)));
}

/**
 * The different shingles of one text as ascending hashes.
 * @throws RangeError when the size is not a whole number of at least 1
 */
export function shinglesOf(text: string, { size, tokenIds }: ShingleOptions): Float64Array {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`a shingle needs at least 1 item, got ${size}`);
  const hashes = runHashes(tokenIds === undefined ? wordsOf(text) : tokenIds(text), size).sort();
  let kept = 0;
  for (let at = 0; at < hashes.length; at++) {
    const hash = hashes[at] ?? 0;
    if (at === 0 || hash !== hashes[at - 1]) hashes[kept++] = hash;
  }
  return hashes.slice(0, kept);
}

/**
 * A hash of each run of `size` items, in order; one of the whole sequence where it is shorter, none where it is empty.
 */
export function runHashes(items: readonly (string | number)[], size: number): Float64Array {
  const { low, high } = hashItems(items);
  const length = Math.min(size, items.length);
  const runs = new Float64Array(items.length === 0 ? 0 : items.length - length + 1);
  for (let start = 0; start < runs.length; start++) {
    let a = length;
    let b = length;
    for (let at = start; at < start + length; at++) {
      a = mix32(Math.imul(a, 31) + (low[at] ?? 0));
      b = mix32(Math.imul(b, 37) + (high[at] ?? 0));
    }
    const hash: WideHash = joinLanes(a, b);
    runs[start] = hash;
  }
  return runs;
}

/**
 * Jaccard similarity of two sets of ascending hashes: shared divided by all different, 0 to 1. Two empty sets have 0: texts
 * without words are not similar to anything.
 */
export function jaccard(a: Float64Array, b: Float64Array): number {
  const shared = countShared(a, b);
  const all = a.length + b.length - shared;
  return all === 0 ? 0 : shared / all;
}

function countShared(a: Float64Array, b: Float64Array): number {
  let shared = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const difference = (a[i] ?? 0) - (b[j] ?? 0);
    if (difference === 0) shared++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return shared;
}
