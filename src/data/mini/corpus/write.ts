import type { CorpusDocument, CorpusStream } from "./documents.js";

/** What was written of a corpus. */
export interface CorpusSize {
  readonly documents: number;
  /** Words and punctuation marks. */
  readonly tokens: number;
  readonly characters: number;
}

/** The words and punctuation marks of a text: the unit in which the size of a corpus is asked for. */
export function countTokens(text: string): number {
  return text.match(/[\p{L}\p{N}'-]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0;
}

/**
 * A corpus as text of at least so many tokens, document by document: a sentence a line, an empty line after each
 * document, as BERT's own pre-training reads it. Memory does not grow with the length.
 */
export function* corpusLines(
  stream: CorpusStream,
  tokens: number,
  onDocument: (size: CorpusSize) => void = () => undefined,
): Generator<string, CorpusSize> {
  let size: CorpusSize = { documents: 0, tokens: 0, characters: 0 };
  while (size.tokens < tokens) {
    const { sentences } = stream.next();
    const text = `${sentences.join("\n")}\n\n`;
    size = {
      documents: size.documents + 1,
      tokens: size.tokens + countTokens(text),
      characters: size.characters + text.length,
    };
    onDocument(size);
    yield text;
  }
  return size;
}

/** Two sentences, and whether the second follows the first in its document. */
export interface SentencePair {
  readonly first: string;
  readonly second: string;
  readonly isNext: boolean;
}

/**
 * Pairs for next-sentence prediction, endlessly: in turn a sentence with the one after it, and with a sentence of
 * another document.
 */
export function* sentencePairs(
  stream: CorpusStream,
  choose: (limit: number) => number,
): Generator<SentencePair, never> {
  let other = withTwo(stream);
  for (;;) {
    const document = withTwo(stream);
    const at = choose(document.sentences.length - 1);
    const first = document.sentences[at] ?? "";
    yield { first, second: document.sentences[at + 1] ?? "", isNext: true };
    yield { first, second: other.sentences[choose(other.sentences.length)] ?? "", isNext: false };
    other = document;
  }
}

function withTwo(stream: CorpusStream): CorpusDocument {
  for (;;) {
    const document = stream.next();
    if (document.sentences.length > 1) return document;
  }
}
