import { mix32 } from "./hash.js";
import type { Signatures } from "./minhash.js";

/** Locality-sensitive hashing: a signature is cut into `bands` of `slots` each; rows that agree in a band are candidates. */
export interface Banding {
  readonly bands: number;
  readonly slots: number;
}

/** How much each kind of error counts when the bands are chosen. */
export interface ErrorWeights {
  /** Dissimilar rows that become candidates: they cost time, since candidates are verified. */
  readonly falsePositive: number;
  /** Similar rows that do not: they are lost. */
  readonly falseNegative: number;
}

/** Candidates are verified, so a lost pair is worse than a needless one. */
export const DEFAULT_WEIGHTS: ErrorWeights = { falsePositive: 0.1, falseNegative: 0.9 };

/** The probability that a pair of a given Jaccard similarity becomes a candidate: 1 - (1 - J^slots)^bands. */
export function candidateProbability(jaccard: number, { bands, slots }: Banding): number {
  return 1 - (1 - jaccard ** slots) ** bands;
}

/**
 * The bands for a threshold: of all that fit in a signature, those with the least weighted error, where the false positives are
 * the integral of the candidate probability below the threshold and the false negatives that of its complement above
 * (as in datasketch, Zhu et al.).
 * @throws RangeError when the threshold is not above 0 and below 1
 */
export function chooseBanding(
  threshold: number,
  permutations: number,
  { falsePositive, falseNegative }: ErrorWeights = DEFAULT_WEIGHTS,
): Banding {
  if (!(threshold > 0 && threshold < 1)) throw new RangeError(`a threshold of ${threshold} has no bands`);
  let best: Banding = { bands: 1, slots: 1 };
  let least = Infinity;
  for (let bands = 1; bands <= permutations; bands++) {
    for (let slots = 1; slots <= Math.floor(permutations / bands); slots++) {
      const banding = { bands, slots };
      const candidate = (jaccard: number): number => candidateProbability(jaccard, banding);
      const error =
        falsePositive * integrate(candidate, 0, threshold) +
        falseNegative * integrate((jaccard) => 1 - candidate(jaccard), threshold, 1);
      if (error < least) [least, best] = [error, banding];
    }
  }
  return best;
}

/** Gauss-Legendre quadrature with five points on each of eight equal parts. */
function integrate(f: (x: number) => number, from: number, to: number): number {
  const parts = 8;
  const half = (to - from) / parts / 2;
  let sum = 0;
  for (let part = 0; part < parts; part++) {
    const middle = from + (2 * part + 1) * half;
    for (const [point, weight] of GAUSS_LEGENDRE_5) sum += weight * f(middle + half * point);
  }
  return sum * half;
}

/** Points in [-1, 1] and their weights. */
const GAUSS_LEGENDRE_5 = [
  [0, 128 / 225],
  [0.5384693101056831, 0.47862867049936647],
  [-0.5384693101056831, 0.47862867049936647],
  [0.906179845938664, 0.23692688505618908],
  [-0.906179845938664, 0.23692688505618908],
] as const;

/**
 * Goes through the candidate pairs, each once, with the earlier row first. Memory: one word for each row and band, and one
 * list of rows for the band at hand.
 * @param leaveOut rows that are no candidates, such as those without words
 * @param visit is told each pair
 * @param progress hears the share of the bands that are done
 */
export function visitCandidates(
  signatures: Signatures,
  banding: Banding,
  leaveOut: (row: number) => boolean,
  visit: (a: number, b: number) => void,
  progress?: (share: number) => void,
): void {
  const { count } = signatures;
  const keys = bandKeys(signatures, banding);
  const rows = Uint32Array.from({ length: count }, (_, row) => row).filter((row) => !leaveOut(row));
  for (let band = 0; band < banding.bands; band++) {
    const ofBand = keys.subarray(band * count, (band + 1) * count);
    const sorted = rows.slice().sort((a, b) => (ofBand[a] ?? 0) - (ofBand[b] ?? 0) || a - b);
    for (let start = 0; start < sorted.length;) {
      const key = ofBand[sorted[start] ?? 0];
      let end = start + 1;
      while (end < sorted.length && ofBand[sorted[end] ?? 0] === key) end++;
      for (let j = start + 1; j < end; j++) {
        const b = sorted[j] ?? 0;
        for (let i = start; i < j; i++) {
          const a = sorted[i] ?? 0;
          if (!meetEarlier(keys, count, band, a, b)) visit(a, b);
        }
      }
      start = end;
    }
    progress?.((band + 1) / banding.bands);
  }
}

/** A hash of each band of each row; band `b` of row `i` is at `b * count + i`. */
function bandKeys({ count, permutations, slots }: Signatures, banding: Banding): Uint32Array {
  const keys = new Uint32Array(count * banding.bands);
  for (let row = 0; row < count; row++) {
    for (let band = 0; band < banding.bands; band++) {
      let key = band;
      const from = row * permutations + band * banding.slots;
      for (let at = from; at < from + banding.slots; at++) key = mix32(Math.imul(key, 31) + (slots[at] ?? 0));
      keys[band * count + row] = key;
    }
  }
  return keys;
}

/** Whether an earlier band has made the pair a candidate already. */
function meetEarlier(keys: Uint32Array, count: number, band: number, a: number, b: number): boolean {
  for (let earlier = 0; earlier < band; earlier++) {
    if (keys[earlier * count + a] === keys[earlier * count + b]) return true;
  }
  return false;
}
