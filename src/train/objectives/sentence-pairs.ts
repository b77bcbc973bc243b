import { Random } from "../../support/random.js";
import type { TrainingRow } from "../rows.js";
import { maskRow, type MaskingRule } from "./masking.js";

/** Ids of the tokens around the texts of a row. */
export interface PairTokens {
  /** `[CLS]` */
  readonly first: number;
  /** `[SEP]` */
  readonly separator: number;
}

/** A row for an encoder. */
export interface EncodedTexts {
  readonly ids: readonly number[];
  readonly tokenTypes: readonly number[];
}

/** `[CLS] a [SEP]` with the types 0, and `b [SEP]` with the types 1 where there is a second text. */
export function encodeTexts(
  { first, separator }: PairTokens,
  a: readonly number[],
  b?: readonly number[],
): EncodedTexts {
  const start = [first, ...a, separator];
  const end = b === undefined ? [] : [...b, separator];
  return { ids: [...start, ...end], tokenTypes: [...start.map(() => 0), ...end.map(() => 1)] };
}

/**
 * Rows for masked words and next sentences, as BERT's own script makes them: sentences of a document are joined up to the
 * length of a row and cut in two at a sentence; in half of the rows (and where there is one sentence only) the second text is
 * from another document, and the sentences that it replaces begin the next row. `rowTarget` is 0 where the second text
 * follows, and 1 where it does not.
 * @param documents sentences of each document, as ids without special tokens
 * @param options.maxTokens of a row, special tokens included
 * @param options.rule how the first epoch and a validation are masked; `maskedLanguage` masks later epochs anew
 * @param options.seed of cuts, other documents and masks
 */
export function sentencePairRows(
  documents: readonly (readonly (readonly number[])[])[],
  tokens: PairTokens,
  { maxTokens, rule, seed }: { maxTokens: number; rule: MaskingRule; seed: number },
): TrainingRow[] {
  const room = maxTokens - 3;
  const filled = documents.filter((sentences) => sentences.some(({ length }) => length > 0));
  if (room < 2 || filled.length < 2) {
    throw new RangeError("pairs need rows of 5 tokens or more, and two documents");
  }
  return filled.flatMap((sentences, document) => {
    const random = Random.derive(seed, `sentence pairs of document ${document}`);
    const rows: TrainingRow[] = [];
    for (let start = 0; start < sentences.length;) {
      const { a, b, label, used } = drawPair(filled, document, start, room, random);
      start += used;
      const { ids, tokenTypes } = encodeTexts(tokens, ...trimmed(a, b, room, random));
      const row: TrainingRow = {
        id: `document ${document}, row ${rows.length}`,
        inputs: Int32Array.from(ids),
        tokenTypes: Int32Array.from(tokenTypes),
        targetOffsets: new Int32Array(0),
        targets: new Int32Array(0),
        rowTarget: label,
        tokens: ids.length,
      };
      if (a.length > 0 && b.length > 0) rows.push(maskRow(row, rule, random));
    }
    return rows;
  });
}

interface Pair {
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** 0: b follows a. */
  readonly label: 0 | 1;
  /** Sentences of the document that need not be read again. */
  readonly used: number;
}

function drawPair(
  documents: readonly (readonly (readonly number[])[])[],
  document: number,
  start: number,
  room: number,
  random: Random,
): Pair {
  const sentences = documents[document] ?? [];
  const taken = fill(sentences, start, room);
  const cut = taken.length === 1 ? 1 : 1 + random.integer(taken.length - 1);
  const a = taken.slice(0, cut).flat();
  if (taken.length > 1 && random.next() < 0.5) {
    return { a, b: taken.slice(cut).flat(), label: 0, used: taken.length };
  }
  const draw = random.integer(documents.length - 1);
  const other = documents[draw < document ? draw : draw + 1] ?? [];
  const b = fill(other, random.integer(other.length), Math.max(1, room - a.length)).flat();
  return { a, b, label: 1, used: cut };
}

/** Whole sentences from a place on, until the room is full. */
function fill(sentences: readonly (readonly number[])[], start: number, room: number): (readonly number[])[] {
  const taken: (readonly number[])[] = [];
  let tokens = 0;
  for (let at = start; at < sentences.length && tokens < room; at++) {
    const sentence = sentences[at] ?? [];
    taken.push(sentence);
    tokens += sentence.length;
  }
  return taken;
}

/** Cuts tokens off the longer text, at either end, until both fit. */
function trimmed(
  a: readonly number[],
  b: readonly number[],
  room: number,
  random: Random,
): [a: number[], b: number[]] {
  const [first, second] = [[...a], [...b]];
  while (first.length + second.length > room) {
    const longer = first.length > second.length ? first : second;
    if (random.next() < 0.5) longer.shift();
    else longer.pop();
  }
  return [first, second];
}
