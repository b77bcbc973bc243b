import { KitError } from "../support/errors.js";
import { type ProgressBar, silentProgress } from "../support/progress.js";
import { chooseBanding, type Banding, visitCandidates } from "./banding.js";
import { DEFAULT_MINHASH, minHashSignatures, type MinHashOptions } from "./minhash.js";
import { DEFAULT_SHINGLES, jaccard, type ShingleOptions, ShingleSets, shinglesOf } from "./shingles.js";
import { UnionFind } from "./union-find.js";
import { plainText } from "./words.js";

export interface DuplicateOptions {
  /** Jaccard similarity of shingles from which two texts are near-duplicates: above 0, at most 1. At 1 only equal sets count. */
  readonly threshold: number;
  readonly shingles?: ShingleOptions;
  readonly minHash?: MinHashOptions;
  /** The bands of the search, instead of those that suit the threshold. */
  readonly banding?: Banding;
  /** Which pairs are of interest; all where it is left out. */
  readonly wantsPair?: (a: number, b: number) => boolean;
  /** Keep only pairs that join two clusters: at most one a row, however many rows are alike. The clusters are the same. */
  readonly linksOnly?: boolean;
  readonly progress?: ProgressBar;
}

/** Two rows that are alike, the earlier first. */
export interface DuplicatePair {
  readonly a: number;
  readonly b: number;
  /** "exact": the same text but for case, Unicode form and white space. */
  readonly kind: "exact" | "near";
  /** Exact Jaccard similarity of the shingles; 1 for exact duplicates. */
  readonly similarity: number;
}

export interface Duplicates {
  /**
   * All pairs of near-duplicates that the bands brought together, each verified, and of exact duplicates each row with the
   * first of its kind. In the order of the rows.
   */
  readonly pairs: readonly DuplicatePair[];
  /** Rows that are joined by pairs: at least two, ascending; ordered by their first row. */
  readonly clusters: readonly (readonly number[])[];
  /** Pairs that the bands brought together; what `pairs` does not have of them fell to the verification. */
  readonly candidates: number;
  readonly banding: Banding;
}

/**
 * Exact and near-duplicates among texts. Exact ones are found first, by the text, without a signature; the first of each kind
 * then goes through MinHash and banding, and every candidate is verified by the exact Jaccard similarity. So no pair is
 * wrong, and a pair at the threshold is missed with a probability that `candidateProbability` gives.
 * Time and memory grow with the rows (and with the number of pairs that are alike).
 * @throws KitError when the threshold is not above 0 and at most 1
 */
export function findDuplicates(texts: readonly string[], options: DuplicateOptions): Duplicates {
  const { threshold, minHash = DEFAULT_MINHASH, shingles = DEFAULT_SHINGLES } = options;
  const { wantsPair = () => true, linksOnly = false, progress = silentProgress } = options;
  if (!(threshold > 0 && threshold <= 1)) {
    throw new KitError(
      `a similarity of ${threshold} cannot be a threshold`,
      "give a number above 0 and at most 1",
      {
        field: "threshold",
      },
    );
  }
  const clusters = new UnionFind(texts.length);
  const pairs: DuplicatePair[] = [];
  const firstOf = firstRowsOfTexts(texts);
  for (const [row, first] of firstOf.entries()) {
    if (first === row || !wantsPair(first, row)) continue;
    clusters.union(first, row);
    pairs.push({ a: first, b: row, kind: "exact", similarity: 1 });
  }
  const unique = Uint32Array.from(firstOf.keys()).filter((row) => firstOf[row] === row);
  const sets = shingleRows(unique, texts, shingles, (share) => progress.update(0.2 * share, "shingles"));
  const signatures = minHashSignatures(sets, minHash);
  const banding = options.banding ?? chooseBanding(Math.min(threshold, 0.99), minHash.permutations);
  let candidates = 0;
  const verify = (placeA: number, placeB: number): void => {
    const a = unique[placeA] ?? 0;
    const b = unique[placeB] ?? 0;
    if (!wantsPair(a, b) || (linksOnly && clusters.find(a) === clusters.find(b))) return;
    candidates++;
    const similarity = jaccard(sets.of(placeA), sets.of(placeB));
    if (similarity < threshold) return;
    clusters.union(a, b);
    pairs.push({ a, b, kind: "near", similarity });
  };
  const withoutWords = (place: number): boolean => sets.sizeOf(place) === 0;
  visitCandidates(signatures, banding, withoutWords, verify, (share) =>
    progress.update(0.4 + 0.6 * share, `${pairs.length} pairs`),
  );
  progress.stop();
  pairs.sort((x, y) => x.a - y.a || x.b - y.b);
  return { pairs, clusters: clusters.sets(), candidates, banding };
}

/** For each row the first row with the same text. */
function firstRowsOfTexts(texts: readonly string[]): Uint32Array {
  const firstOf = new Map<string, number>();
  return Uint32Array.from(texts, (text, row) => {
    const plain = plainText(text);
    const first = firstOf.get(plain) ?? row;
    firstOf.set(plain, first);
    return first;
  });
}

function shingleRows(
  rows: Uint32Array,
  texts: readonly string[],
  options: ShingleOptions,
  progress: (share: number) => void,
): ShingleSets {
  const sets: Float64Array[] = [];
  for (const row of rows) {
    sets.push(shinglesOf(texts[row] ?? "", options));
    if (sets.length % 1000 === 0) progress(sets.length / rows.length);
  }
  return new ShingleSets(sets);
}
