import { longestCommonSubsequence } from "../../support/subsequence.js";
import type { WordNumbers } from "./word-numbers.js";

/** The most similar other text. */
export interface Neighbour {
  /** Index of the other text; undefined where no text shares a word. */
  readonly index: number | undefined;
  /** ROUGE-L (F measure), 0 to 1. */
  readonly score: number;
}

/** Where a word occurs: text after text, with how often. */
interface Postings {
  readonly texts: number[];
  readonly counts: number[];
}

/**
 * For each asked text the most similar other one by ROUGE-L, as Self-Instruct filters its instructions. Exact, without
 * comparing all pairs: an index of words gives the number of words that two texts share, which bounds their longest
 * common subsequence from above, and texts are tried in the order of that bound until it falls to the best found.
 * @param asked indexes of the texts whose neighbours are wanted; the neighbours are among all texts
 */
export function nearestNeighbours(texts: readonly WordNumbers[], asked: readonly number[]): Neighbour[] {
  const index = indexWords(texts);
  const shared = new Uint32Array(texts.length);
  return asked.map((own) => {
    const words = texts[own] ?? new Int32Array();
    const touched: number[] = [];
    for (const [word, count] of countWords(words)) {
      const { texts: places, counts } = index.get(word) ?? { texts: [], counts: [] };
      places.forEach((other, at) => {
        if (shared[other] === 0) touched.push(other);
        shared[other] = (shared[other] ?? 0) + Math.min(count, counts[at] ?? 0);
      });
    }
    const bounds = touched
      .filter((other) => other !== own)
      .map((other) => ({ other, bound: fMeasure(shared[other] ?? 0, words, texts[other]) }))
      .sort((a, b) => b.bound - a.bound || a.other - b.other);
    for (const other of touched) shared[other] = 0;
    let best: Neighbour = { index: undefined, score: 0 };
    for (const { other, bound } of bounds) {
      if (bound <= best.score) break;
      const common = longestCommonSubsequence(words, texts[other] ?? []);
      const score = fMeasure(common, words, texts[other]);
      if (score > best.score) best = { index: other, score };
    }
    return best;
  });
}

/** ROUGE-L's F measure of two texts with a number of words in common. */
function fMeasure(common: number, a: WordNumbers, b: WordNumbers | undefined): number {
  return (2 * common) / (a.length + (b?.length ?? 0));
}

function indexWords(texts: readonly WordNumbers[]): Map<number, Postings> {
  const index = new Map<number, Postings>();
  texts.forEach((words, text) => {
    for (const [word, count] of countWords(words)) {
      let postings = index.get(word);
      if (postings === undefined) index.set(word, (postings = { texts: [], counts: [] }));
      postings.texts.push(text);
      postings.counts.push(count);
    }
  });
  return index;
}

function countWords(words: WordNumbers): Map<number, number> {
  const counts = new Map<number, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
