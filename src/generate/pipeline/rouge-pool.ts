import { fMeasure } from "../../evaluate/metrics/ngrams.js";
import { rougeTokens } from "../../evaluate/metrics/rouge.js";

/** A text of the pool that is like another. */
export interface SimilarText {
  /** Its place in the pool. */
  readonly index: number;
  /** ROUGE-L (F measure), 0 to 1. */
  readonly score: number;
}

/** Where a word occurs: the numbers of texts in ascending order. */
type Postings = number[];

/** Bits of a word of the bit-parallel subsequence. */
const LANE = 32;
/** Bounds are compared with this much to spare; what is let through is then decided by the exact score. */
const SLACK = 1e-9;

/**
 * A pool of instructions that tells whether a new one is too similar to any of them by ROUGE-L, as Self-Instruct filters (Wang
 * et al. 2023, arXiv 2212.10560; without stems). Exact: it decides as comparing all pairs with `rouge_score` does. Three bounds
 * spare most pairs: lengths that differ too much; too few words in common, of which a text that passes must have one among the
 * rarest few of the new one (the prefix filter of Chaudhuri et al. 2006); and the number of common words, which no common
 * subsequence exceeds. Only what is left is compared, 32 words at a time (Crochemore et al. 2001).
 */
export class RougePool {
  readonly #numbers = new Map<string, number>();
  /** The words of each text, in order. */
  readonly #texts: Int32Array[] = [];
  /** The words of each text, ascending: how many two texts share is counted by merging. */
  readonly #sorted: Int32Array[] = [];
  readonly #postings: Postings[] = [];
  /** Of each text, the last query that looked at it. */
  #seen = new Int32Array(1024);
  #query = 0;

  constructor(texts: Iterable<string> = []) {
    for (const text of texts) this.add(text);
  }

  /** How many texts are in it. */
  get size(): number {
    return this.#texts.length;
  }

  /** Puts a text into the pool, whatever is there. */
  add(text: string): void {
    const words = this.#numberWords(text, true);
    const index = this.#texts.length;
    this.#texts.push(words);
    this.#sorted.push(Int32Array.from(words).sort());
    for (const word of new Set(words)) {
      const postings = this.#postings[word];
      if (postings === undefined) this.#postings[word] = [index];
      else postings.push(index);
    }
    if (index >= this.#seen.length) {
      const larger = new Int32Array(2 * this.#seen.length);
      larger.set(this.#seen);
      this.#seen = larger;
    }
  }

  /**
   * The first text found whose ROUGE-L with a new one is above a limit; undefined where there is none.
   * @param limit from 0 up to, not including, 1
   */
  findAbove(text: string, limit: number): SimilarText | undefined {
    const words = this.#numberWords(text, false);
    const sorted = Int32Array.from(words).sort();
    const matcher = new SubsequenceMatcher(words);
    for (const index of this.#candidates(words, limit)) {
      const other = this.#texts[index] ?? words;
      const least = ((limit - SLACK) * (words.length + other.length)) / 2;
      if (countCommon(sorted, this.#sorted[index] ?? sorted, least) <= least) continue;
      const score = rouge(matcher.lengthWith(other), words.length, other.length);
      if (score > limit) return { index, score };
    }
    return undefined;
  }

  /** A text of the highest ROUGE-L with a new one; undefined where none shares a word with it. */
  nearest(text: string): SimilarText | undefined {
    let best = this.findAbove(text, 0);
    // Each that is found bounds the search for a better one.
    for (let better = best; better !== undefined; better = this.findAbove(text, better.score)) best = better;
    return best;
  }

  /** Texts that may be similar enough, each once: of a length that allows it, with one of the rarest words. */
  *#candidates(words: Int32Array, limit: number): Generator<number> {
    const query = ++this.#query;
    const { length } = words;
    const bound = limit - SLACK;
    const shortest = Math.max(1, (length * bound) / (2 - bound) - SLACK);
    const longest = bound <= 0 ? Infinity : (length * (2 - bound)) / bound + SLACK;
    // With fewer common words than this, no text of an allowed length scores above the limit.
    const least = Math.floor((bound * (length + shortest)) / 2) + 1;
    const rare = [...words]
      .map((word) => this.#postings[word] ?? [])
      .sort((a, b) => a.length - b.length)
      .slice(0, Math.max(0, length - least + 1));
    for (const postings of rare) {
      for (const index of postings) {
        if (this.#seen[index] === query) continue;
        this.#seen[index] = query;
        const other = this.#texts[index]?.length ?? 0;
        if (other >= shortest && other <= longest) yield index;
      }
    }
  }

  /** @param isKept whether new words get numbers that last; else they are all -1 and match nothing */
  #numberWords(text: string, isKept: boolean): Int32Array {
    return Int32Array.from(rougeTokens(text, { stem: false }), (word) => {
      const known = this.#numbers.get(word);
      if (known !== undefined || !isKept) return known ?? -1;
      this.#numbers.set(word, this.#numbers.size);
      return this.#numbers.size - 1;
    });
  }
}

/** As `rouge_score` computes it, to the last bit: a score at the limit is on the same side of it. */
function rouge(common: number, candidate: number, other: number): number {
  return fMeasure(common / candidate, common / other);
}

/** How many words two ascending lists share, each as often as it is in both; stops early where that cannot exceed `least`. */
function countCommon(a: Int32Array, b: Int32Array, least: number): number {
  let [i, j, common] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    if (common + Math.min(a.length - i, b.length - j) <= least) return common;
    const [x = 0, y = 0] = [a[i], b[j]];
    if (x === y) {
      common++;
      i++;
      j++;
    } else if (x < y) i++;
    else j++;
  }
  return common;
}

/**
 * Lengths of the longest common subsequences of one text with many: a bit for each of its words, a step for each word of the
 * other (Crochemore, Iliopoulos, Pinzon and Reid 2001), so that 32 cells of the usual table are one operation.
 */
class SubsequenceMatcher {
  readonly #lanes: number;
  readonly #length: number;
  /** For each word the places where it stands. */
  readonly #places = new Map<number, Int32Array>();

  constructor(words: Int32Array) {
    this.#length = words.length;
    this.#lanes = Math.ceil(words.length / LANE);
    words.forEach((word, at) => {
      const places = this.#places.get(word) ?? new Int32Array(this.#lanes);
      this.#places.set(word, places);
      const lane = at >>> 5;
      places[lane] = (places[lane] ?? 0) | (1 << (at & 31));
    });
  }

  lengthWith(other: Int32Array): number {
    const rows = new Int32Array(this.#lanes).fill(-1);
    for (const word of other) {
      const places = this.#places.get(word);
      if (places === undefined) continue;
      let carry = 0;
      for (let lane = 0; lane < rows.length; lane++) {
        const row = rows[lane] ?? 0;
        const matches = row & (places[lane] ?? 0);
        const sum = (row >>> 0) + (matches >>> 0) + carry;
        carry = sum > 0xffffffff ? 1 : 0;
        rows[lane] = sum | 0 | (row & ~matches);
      }
    }
    let matched = 0;
    for (let at = 0; at < this.#length; at++) matched += (((rows[at >>> 5] ?? 0) >>> (at & 31)) & 1) ^ 1;
    return matched;
  }
}
