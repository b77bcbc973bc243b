import { type CorpusDocument, type CorpusStream, corpusOf } from "../../data/mini/corpus/documents.js";
import { drawGrid } from "../../data/mini/grid/rows.js";
import { drawTaskRows } from "../../data/mini/tasks/rows.js";
import type { Role, Source } from "../../data/template.js";
import type { Spans } from "../../data/spans.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { type ByteLevelBpeTokenizer, trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import type { DecoderPlan, PretrainPlan } from "./plan.js";

/**
 * A document as one line of text, with a blank before every word, the first one too: a word is then the same token
 * wherever it stands.
 */
export function documentText(sentences: readonly string[]): string {
  return ` ${sentences.join(" ")}`;
}

/**
 * What the tokenizer of a plan learns from: documents of the corpus, and training rows of grid and tasks, so that the words
 * of instructions are tokens too. No validation or test row has a part in it.
 */
export function tokenizerTexts({
  worldSeed,
  tokenizer,
  mix,
}: Pick<PretrainPlan, "worldSeed" | "tokenizer" | "mix">): string[] {
  const { documents, rowsPerTask } = tokenizer;
  const stream = corpusOf(worldSeed, "train", mix);
  const corpus = Array.from({ length: documents }, () => documentText(stream.next().sentences));
  const grid = drawGrid({ rowsPerCell: rowsPerTask, testRows: 1 }, worldSeed).train;
  const tasks = drawTaskRows({ train: rowsPerTask, validation: 1, test: 1 }, worldSeed).train;
  const rows = [...grid, ...tasks].flatMap(({ instruction = "", input, outputs }) => [
    ` ${instruction}`,
    ` ${input}`,
    ` ${outputs[0] ?? ""}`,
  ]);
  return [...corpus, ...rows];
}

/** The tokenizer of a decoder's plan. */
export function planTokenizer(plan: DecoderPlan): ByteLevelBpeTokenizer {
  const { vocabularySize } = plan.tokenizer;
  return trainByteLevelBpe(tokenizerTexts(plan), { vocabularySize });
}

/** The first documents of the corpus that no pre-training reads: what a model is measured on. */
export function heldOutDocuments(worldSeed: number, count: number): CorpusDocument[] {
  const stream = corpusOf(worldSeed, "validation");
  return Array.from({ length: count }, () => stream.next());
}

/** Rows of a corpus for next-token prediction, and how often they say every fact at least. */
export interface CorpusRows {
  readonly rows: readonly Spans[];
  readonly tokens: number;
  readonly factExposures: number;
}

/**
 * Documents as rows of at least so many tokens, each with BOS and EOS; all tokens but the first are targets. The arrays
 * beside the ids are the same for all rows of one length, so they are shared.
 * @param maxTokens a longer document is cut
 */
export function corpusRows(
  stream: CorpusStream,
  tokenizer: Tokenizer,
  wanted: number,
  maxTokens: number,
): CorpusRows {
  const { bos, eos } = tokenizer.special;
  const start = bos === undefined ? [] : [bos];
  const shapes = new Map<number, Pick<Spans, "supervised" | "source" | "role">>();
  const rows: Spans[] = [];
  let tokens = 0;
  while (tokens < wanted) {
    const { kind, sentences } = stream.next();
    const ids = [...start, ...tokenizer.encode(documentText(sentences)).ids, eos].slice(0, maxTokens);
    const shape = shapes.get(ids.length) ?? rowShape(ids.length);
    shapes.set(ids.length, shape);
    rows.push({ id: `${kind}-${rows.length + 1}`, taskType: kind, ids, ...shape, promptLength: 1 });
    tokens += ids.length;
  }
  return { rows, tokens, factExposures: stream.factExposures };
}

function rowShape(length: number): Pick<Spans, "supervised" | "source" | "role"> {
  return {
    supervised: Array.from({ length }, (_, index) => index > 0),
    source: new Array<Source>(length).fill("response"),
    role: new Array<Role>(length).fill("assistant"),
  };
}
