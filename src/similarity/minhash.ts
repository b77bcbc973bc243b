import { Random } from "../support/random.js";
import type { ShingleSets } from "./shingles.js";

export interface MinHashOptions {
  /** Slots of a signature: the standard error of an estimate is sqrt(J(1 - J) / permutations). */
  readonly permutations: number;
  readonly seed: number;
}

export const DEFAULT_MINHASH: MinHashOptions = { permutations: 128, seed: 1 };

/** Signatures of many rows in one array: slot `p` of row `i` is `slots[i * permutations + p]`. */
export interface Signatures {
  readonly count: number;
  readonly permutations: number;
  readonly slots: Int32Array;
}

/** What a slot holds before a shingle is seen, and for a row without shingles. */
const EMPTY = 0x7fffffff;

/**
 * MinHash signatures (Broder 1997): slot `p` is the smallest value that the hash function `p` gives to a shingle of the row,
 * so that two rows agree in a slot with the probability of their Jaccard similarity. Function `p` is a bijection of
 * 32-bit words: exclusive or with a seeded word, then two rounds of multiply and shift. "Smallest" is that of signed words.
 * @throws RangeError when there is no slot
 */
export function minHashSignatures(sets: ShingleSets, options: MinHashOptions = DEFAULT_MINHASH): Signatures {
  const { permutations, seed } = options;
  if (!Number.isInteger(permutations) || permutations < 1) {
    throw new RangeError(`a signature needs at least 1 slot, got ${permutations}`);
  }
  const random = Random.derive(seed, "minhash");
  const keys = Int32Array.from({ length: permutations }, () => random.nextWord());
  const slots = new Int32Array(sets.count * permutations).fill(EMPTY);
  for (let row = 0; row < sets.count; row++) {
    fillSignature(sets.of(row), keys, slots.subarray(row * permutations, (row + 1) * permutations));
  }
  return { count: sets.count, permutations, slots };
}

function fillSignature(hashes: Float64Array, keys: Int32Array, slots: Int32Array): void {
  for (const hash of hashes) {
    const word = hash | 0; // The low 32 bits of the hash.
    for (let p = 0; p < keys.length; p++) {
      let h = Math.imul(word ^ (keys[p] ?? 0), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      h ^= h >>> 16;
      if (h < (slots[p] ?? 0)) slots[p] = h;
    }
  }
}

/** The share of equal slots: an unbiased estimate of the Jaccard similarity of two rows. */
export function estimateJaccard(signatures: Signatures, a: number, b: number): number {
  const { permutations, slots } = signatures;
  let equal = 0;
  for (let p = 0; p < permutations; p++) {
    if (slots[a * permutations + p] === slots[b * permutations + p]) equal++;
  }
  return equal / permutations;
}

/** Standard error of an estimated Jaccard similarity whose true value is `jaccard`. */
export function standardErrorOfJaccard(jaccard: number, permutations: number): number {
  return Math.sqrt((jaccard * (1 - jaccard)) / permutations);
}

/**
 * The signature of each group's rows taken together, as if their shingles were one set.
 * @param groupOf the group of each row, 0 to `groups` - 1
 */
export function mergeSignatures(
  signatures: Signatures,
  groupOf: readonly number[],
  groups: number,
): Signatures {
  const { permutations, slots } = signatures;
  const merged = new Int32Array(groups * permutations).fill(EMPTY);
  for (const [row, group] of groupOf.entries()) {
    for (let p = 0; p < permutations; p++) {
      const value = slots[row * permutations + p] ?? EMPTY;
      if (value < (merged[group * permutations + p] ?? EMPTY)) merged[group * permutations + p] = value;
    }
  }
  return { count: groups, permutations, slots: merged };
}
