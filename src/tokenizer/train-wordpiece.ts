import { KitError } from "../support/errors.js";
import { bertWords } from "./bert-words.js";
import { countEach, learnMerges, type Word } from "./train-bpe.js";
import { WordPieceTokenizer } from "./wordpiece.js";
import { BERT_TEXTS, bertNormalizer, jsonOfVocabulary } from "./wordpiece-json.js";

export interface WordPieceOptions {
  /** Number of ids, special tokens included; fewer when the texts have no more pairs to merge. */
  readonly vocabularySize: number;
  /** A pair that occurs less often is not merged (2). */
  readonly minFrequency?: number;
  /** Characters of the alphabet, the most frequent ones; words with another are unknown (1000). */
  readonly alphabetLimit?: number;
  /** Whether case is lowered and accents are dropped, as in "uncased" BERT (true). */
  readonly lowercase?: boolean;
}

/** What stands before a piece inside a word. */
const INSIDE = "##";

/**
 * Trains a WordPiece tokenizer as Python's `tokenizers` does: the vocabulary is that of merging the most frequent pairs of
 * pieces, and texts are cut into its longest pieces. Ids: `[PAD] [UNK] [CLS] [SEP] [MASK]`, the alphabet, the alphabet
 * inside words, the merged pieces. The same texts, in any order, give the same tokenizer; `WordPieceTrainer` gives the same
 * one, but for equally frequent pairs, whose order is random there.
 * @throws KitError when the vocabulary has no room for the alphabet and the special tokens
 */
export function trainWordPiece(texts: Iterable<string>, options: WordPieceOptions): WordPieceTokenizer {
  const { vocabularySize, minFrequency = 2, alphabetLimit = 1000, lowercase = true } = options;
  const names = BERT_TEXTS;
  const config = {
    tokenizer_class: "BertTokenizer",
    do_lower_case: lowercase,
    strip_accents: null,
    tokenize_chinese_chars: true,
    pad_token: names.pad,
    unk_token: names.unknown,
    cls_token: names.first,
    sep_token: names.separator,
    mask_token: names.mask,
    clean_up_tokenization_spaces: true,
  };
  const normalizer = bertNormalizer(jsonOfVocabulary([], names, config));
  const counts = countEach(texts, (text) =>
    bertWords(text, normalizer).map((word) => word.map((character) => character.text).join("")),
  );
  const alphabet = alphabetOf(counts, alphabetLimit);
  const kept = new Set(alphabet);
  const inside = new Set<string>();
  for (const word of counts.keys()) {
    for (const one of Array.from(word).slice(1)) if (kept.has(one)) inside.add(one);
  }
  const first = [...Object.values(names), ...alphabet, ...byCodePoint(inside).map((one) => INSIDE + one)];
  if (!Number.isInteger(vocabularySize) || vocabularySize < first.length) {
    throw new KitError(
      `a vocabulary of ${vocabularySize} cannot hold the ${first.length} characters and special tokens`,
      `give a whole number of at least ${first.length}, or a smaller alphabetLimit`,
      { field: "vocabularySize" },
    );
  }
  const idOf = new Map(first.map((token, id) => [token, id]));
  const vocabulary = [...counts].map(([word, count]): Word => ({ symbols: symbolsOf(word, idOf), count }));
  const { tokens } = learnMerges(first, vocabulary, {
    vocabularySize,
    minFrequency,
    join: (left, right) => left + (right.startsWith(INSIDE) ? right.slice(INSIDE.length) : right),
  });
  const json = jsonOfVocabulary(tokens, names, config);
  return new WordPieceTokenizer(json, { pad: 0, unknown: 1, first: 2, separator: 3, mask: 4 }, config);
}

/** The most frequent characters, in the order of Unicode. */
function alphabetOf(counts: ReadonlyMap<string, number>, limit: number): string[] {
  const frequency = new Map<string, number>();
  for (const [word, count] of counts) {
    for (const one of word) frequency.set(one, (frequency.get(one) ?? 0) + count);
  }
  const sorted = byCodePoint(frequency.keys()).sort(
    (a, b) => (frequency.get(b) ?? 0) - (frequency.get(a) ?? 0),
  );
  return byCodePoint(sorted.slice(0, limit));
}

function byCodePoint(characters: Iterable<string>): string[] {
  return [...characters].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
}

/** A character outside the alphabet is left out, as in Python's trainer. */
function symbolsOf(word: string, idOf: ReadonlyMap<string, number>): number[] {
  return Array.from(word).flatMap((one, place) => idOf.get(place === 0 ? one : INSIDE + one) ?? []);
}
