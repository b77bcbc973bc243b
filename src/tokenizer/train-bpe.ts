import { BYTE_CHARACTERS, toByteAlphabet } from "./bytes.js";
import { PairHeap } from "./pair-heap.js";
import { words } from "./pre-tokenize.js";

/** What a trainer learned. */
export interface LearnedBpe {
  /** Tokens by id: the special tokens, the byte alphabet, the merged tokens in the order of learning. */
  readonly tokens: readonly string[];
  /** The merges by rank. */
  readonly merges: readonly (readonly [string, string])[];
}

/** More than any id: a pair of ids is one number, `left * ID_LIMIT + right`. */
const ID_LIMIT = 2 ** 24;

/** A word of the texts that merges are learned from. */
export interface Word {
  /** Ids of the word's tokens; gets shorter with each merge. */
  symbols: number[];
  /** How often the word occurs. */
  readonly count: number;
}

interface Pair {
  /** How often the pair occurs. */
  count: number;
  /** Indices of the words that had the pair when it arose; some have lost it since, some are there twice. */
  readonly words: number[];
}

/**
 * Learns a byte-level BPE (Sennrich et al. 2016, over bytes as in GPT-2): again and again the most frequent pair of
 * neighbouring tokens becomes a token. Of equally frequent pairs the one with the smaller ids wins, as in Python's
 * `tokenizers`, so the result depends on the texts alone and not on their order. Only the words that hold the pair are
 * touched, so the work grows with the distinct words, not with the texts.
 * @param specialTokens get the first ids
 * @param minFrequency a pair that is rarer is not merged; training ends early when no other is left
 */
export function learnBpe(
  texts: Iterable<string>,
  specialTokens: readonly string[],
  vocabularySize: number,
  minFrequency: number,
): LearnedBpe {
  const tokens = [...specialTokens, ...[...BYTE_CHARACTERS].sort()];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const vocabulary = [...countEach(texts, words)].map(([word, count]) => ({
    symbols: Array.from(toByteAlphabet(word), (character) => idOf.get(character) ?? 0),
    count,
  }));
  return learnMerges(tokens, vocabulary, {
    vocabularySize,
    minFrequency,
    join: (left, right) => left + right,
  });
}

/** How often each word occurs in the texts. */
export function countEach(
  texts: Iterable<string>,
  wordsOf: (text: string) => readonly string[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/**
 * Merges pairs of tokens in words, as told at `learnBpe`.
 * @param first the tokens that there are before the first merge, by id
 * @param vocabulary the words in these tokens, which are merged in place
 * @param options `join` writes the token of a pair
 */
export function learnMerges(
  first: readonly string[],
  vocabulary: readonly Word[],
  options: {
    readonly vocabularySize: number;
    readonly minFrequency: number;
    readonly join: (left: string, right: string) => string;
  },
): LearnedBpe {
  const { vocabularySize, minFrequency, join } = options;
  const tokens = [...first];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const pairs = countPairs(vocabulary);
  const heap = new PairHeap();
  for (const [key, { count }] of pairs) heap.push(count, key);
  const merges: [string, string][] = [];
  while (tokens.length < vocabularySize) {
    const top = heap.pop();
    if (top === undefined) break;
    const pair = pairs.get(top.key);
    if (pair === undefined) continue;
    if (pair.count !== top.count) {
      heap.push(pair.count, top.key);
      continue;
    }
    if (pair.count < minFrequency) break;
    const [left, right] = [Math.floor(top.key / ID_LIMIT), top.key % ID_LIMIT];
    const [leftToken = "", rightToken = ""] = [tokens[left], tokens[right]];
    const joined = join(leftToken, rightToken);
    const merged = idOf.get(joined) ?? tokens.push(joined) - 1;
    idOf.set(joined, merged);
    merges.push([leftToken, rightToken]);
    pairs.delete(top.key);
    const grown = new Set<number>();
    for (const index of pair.words) {
      const word = vocabulary[index];
      if (word !== undefined) mergeInWord(word, index, left, right, merged, pairs, grown);
    }
    for (const key of grown) heap.push(pairs.get(key)?.count ?? 0, key);
  }
  return { tokens, merges };
}

function countPairs(vocabulary: readonly Word[]): Map<number, Pair> {
  const pairs = new Map<number, Pair>();
  vocabulary.forEach(({ symbols, count }, index) => {
    for (let at = 1; at < symbols.length; at++) {
      add(pairs, (symbols[at - 1] ?? 0) * ID_LIMIT + (symbols[at] ?? 0), count, index);
    }
  });
  return pairs;
}

/**
 * Replaces `left right` by `merged` in a word, from left to right, and keeps the counts of the pairs around:
 *
 *     a left right b   ->   a merged b      -1 (a,left), -1 (right,b), +1 (a,merged), +1 (merged,b)
 */
function mergeInWord(
  word: Word,
  index: number,
  left: number,
  right: number,
  merged: number,
  pairs: Map<number, Pair>,
  grown: Set<number>,
): void {
  const { symbols, count } = word;
  const result: number[] = [];
  for (let at = 0; at < symbols.length; at++) {
    const symbol = symbols[at] ?? 0;
    if (symbol !== left || symbols[at + 1] !== right) {
      result.push(symbol);
      continue;
    }
    const before = result.at(-1);
    const after = symbols[at + 2];
    if (before !== undefined) {
      subtract(pairs, before * ID_LIMIT + left, count);
      grown.add(add(pairs, before * ID_LIMIT + merged, count, index));
    }
    if (after !== undefined) {
      subtract(pairs, right * ID_LIMIT + after, count);
      grown.add(add(pairs, merged * ID_LIMIT + after, count, index));
    }
    result.push(merged);
    at++;
  }
  word.symbols = result;
}

function add(pairs: Map<number, Pair>, key: number, count: number, index: number): number {
  const pair = pairs.get(key);
  if (pair === undefined) {
    pairs.set(key, { count, words: [index] });
  } else {
    pair.count += count;
    if (pair.words.at(-1) !== index) pair.words.push(index);
  }
  return key;
}

function subtract(pairs: Map<number, Pair>, key: number, count: number): void {
  const pair = pairs.get(key);
  if (pair === undefined) return;
  pair.count -= count;
  if (pair.count <= 0) pairs.delete(key);
}
