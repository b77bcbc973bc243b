import type { CorpusDocument, CorpusStream } from "../../data/mini/corpus/documents.js";
import { trainWordPiece } from "../../tokenizer/train-wordpiece.js";
import type { WordPieceTokenizer } from "../../tokenizer/wordpiece.js";
import type { MaskingRule } from "../../train/objectives/masking.js";
import { sentencePairRows } from "../../train/objectives/sentence-pairs.js";
import type { TrainingRow } from "../../train/rows.js";
import type { BertPlan } from "./plan.js";
import { tokenizerTexts } from "./rows.js";

/** The tokenizer of a BERT's plan. */
export function bertTokenizer(plan: BertPlan): WordPieceTokenizer {
  const { vocabularySize } = plan.tokenizer;
  return trainWordPiece(tokenizerTexts(plan), { vocabularySize });
}

/** How a plan masks. */
export function maskingRule(tokenizer: WordPieceTokenizer, share: number): MaskingRule {
  const { vocabularySize, marks, specialIds } = tokenizer;
  return { vocabularySize, mask: marks.mask, special: specialIds, share };
}

/** Pairs of texts of a corpus with masked words, and how often they say every fact at least. */
export interface PairRows {
  readonly rows: readonly TrainingRow[];
  readonly documents: number;
  /** Of the rows, special tokens included. */
  readonly tokens: number;
  readonly factExposures: number;
}

/**
 * Documents of at least so many tokens as rows for masked words and next sentences.
 * @param maxTokens of a row
 */
export function pairRows(
  stream: CorpusStream,
  tokenizer: WordPieceTokenizer,
  wanted: number,
  options: { readonly maxTokens: number; readonly rule: MaskingRule; readonly seed: number },
): PairRows {
  const documents: (readonly (readonly number[])[])[] = [];
  for (let tokens = 0; tokens < wanted;) {
    const sentences = sentenceIds(stream.next(), tokenizer);
    documents.push(sentences);
    tokens += sentences.reduce((sum, { length }) => sum + length, 0);
  }
  const rows = sentencePairRows(documents, tokenizer.marks, options);
  return {
    rows,
    documents: documents.length,
    tokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    factExposures: stream.factExposures,
  };
}

/** The ids of each sentence of a document. */
export function sentenceIds(
  { sentences }: Pick<CorpusDocument, "sentences">,
  tokenizer: WordPieceTokenizer,
): (readonly number[])[] {
  return sentences.map((sentence) => tokenizer.encode(sentence).ids);
}
