import { KitError } from "../../support/errors.js";
import type { Random } from "../../support/random.js";
import type { Objective } from "../objective.js";
import type { TrainingRow } from "../rows.js";
import {
  sequenceRow,
  type SequenceLimits,
  type SequenceModel,
  sequenceToSequence,
} from "./sequence-to-sequence.js";

/** How texts are corrupted (Raffel et al. 2020, section 3.1.4). */
export interface SpanCorruption {
  /** Share of the tokens that are left out of the input: 0.15 there. */
  readonly share: number;
  /** Mean length of a left-out span, in tokens: 3 there. */
  readonly meanSpan: number;
  /** Ids of the tokens that stand for the spans, first span first (`<extra_id_0>`, `<extra_id_1>`, ...). */
  readonly sentinels: readonly number[];
  /** Id of the token that ends input and output. */
  readonly eos: number;
}

/** A corrupted text. */
export interface CorruptedText {
  /** The text with a sentinel for each span, and EOS. */
  readonly read: readonly number[];
  /** Each sentinel with the span that it stands for, and EOS. */
  readonly said: readonly number[];
}

/**
 * Leaves random spans out of a text, as `random_spans_noise_mask` of Google's text-to-text-transfer-transformer: their
 * number and that of their tokens depend on the length alone; the text begins with what is kept and ends with a span, so
 * that a text short enough for one span always loses its end.
 *
 *     text      Thank you for inviting me to your party last week
 *     read      Thank you <0> me to your party <1> </s>
 *     said      <0> for inviting <1> last week </s>
 * @param ids at least two
 * @throws KitError when there are more spans than sentinels
 */
export function corruptSpans(
  ids: readonly number[],
  corruption: SpanCorruption,
  random: Random,
): CorruptedText {
  const { sentinels, eos } = corruption;
  const { left, spans } = corruptedCounts(ids.length, corruption);
  if (spans > sentinels.length) {
    throw new KitError(
      `a text of ${ids.length} tokens loses ${spans} spans, and there are ${sentinels.length} sentinels`,
      "cut the text into shorter ones, or use a tokenizer with more sentinels",
      { field: "sentinels" },
    );
  }
  const leftOut = randomParts(left, spans, random);
  const kept = randomParts(ids.length - left, spans, random);
  const read: number[] = [];
  const said: number[] = [];
  let place = 0;
  sentinels.slice(0, spans).forEach((sentinel, span) => {
    const begin = place + (kept[span] ?? 0);
    const end = begin + (leftOut[span] ?? 0);
    read.push(...ids.slice(place, begin), sentinel);
    said.push(sentinel, ...ids.slice(begin, end));
    place = end;
  });
  return { read: [...read, eos], said: [...said, eos] };
}

/** How many tokens a text of a length loses, and in how many spans. */
export function corruptedCounts(
  length: number,
  { share, meanSpan }: Pick<SpanCorruption, "share" | "meanSpan">,
): { readonly left: number; readonly spans: number } {
  const left = Math.min(Math.max(toEven(length * share), 1), length - 1);
  const spans = Math.min(Math.max(toEven(left / meanSpan), 1), length - left);
  return { left, spans };
}

/** The nearest whole number, the even one of two: `tf.round`. */
function toEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

/** A whole number as a sum of so many parts of at least 1, each such sum as probable as any other. */
function randomParts(total: number, parts: number, random: Random): number[] {
  const borders = random
    .shuffled(Array.from({ length: total - 1 }, (_, index) => index + 1))
    .slice(0, parts - 1)
    .sort((a, b) => a - b);
  return [...borders, total].map((border, index) => border - (borders[index - 1] ?? 0));
}

/**
 * Pre-training by span corruption: other spans in each epoch, drawn from the seed of the run, the row and the epoch, so
 * that a resumed run draws the same.
 * @param texts token ids without special tokens, at least two each
 * @returns the objective and its rows, for `trainObjective`
 * @throws KitError for a text that is too short or too long, or loses more spans than there are sentinels
 */
export function spanCorruption(
  model: SequenceModel,
  texts: readonly { readonly id: string; readonly ids: readonly number[] }[],
  corruption: SpanCorruption,
  random: Random,
): { readonly objective: Objective; readonly rows: TrainingRow[] } {
  checkCorruption(corruption, model.config);
  const textOf = new Map<string, readonly number[]>();
  const rowOf = (id: string, ids: readonly number[], row: number, draw: Random): TrainingRow => {
    const { read, said } = corruptSpans(ids, corruption, draw);
    return sequenceRow(id, read, said, model.config, row);
  };
  const rows = texts.map(({ id, ids }, index) => {
    if (ids.length < 2 || textOf.has(id)) {
      throw new KitError(
        ids.length < 2 ? `a text of ${ids.length} tokens (id "${id}")` : `the id "${id}" comes twice`,
        "give texts of at least two tokens, each with an id of its own",
        { row: index + 1 },
      );
    }
    textOf.set(id, ids);
    return rowOf(id, ids, index + 1, random);
  });
  const objective = sequenceToSequence(model, "span-corruption", (row, draw) => {
    const ids = textOf.get(row.id);
    if (ids === undefined) throw new RangeError(`no text ${row.id}`);
    return { ...row, ...rowOf(row.id, ids, 0, draw) };
  });
  return { objective, rows };
}

function checkCorruption({ share, meanSpan, sentinels, eos }: SpanCorruption, limits: SequenceLimits): void {
  const fail = (problem: string, cure: string, field: string): KitError =>
    new KitError(problem, cure, { field });
  if (!(share > 0 && share < 1)) throw fail(`a share of ${share}`, "give a number between 0 and 1", "share");
  if (!(meanSpan >= 1 && Number.isFinite(meanSpan))) {
    throw fail(`spans of ${meanSpan} tokens in the mean`, "give a number of at least 1", "meanSpan");
  }
  const special = [...sentinels, eos];
  if (sentinels.length === 0 || special.some((id) => id < 0 || id >= limits.vocabularySize)) {
    throw fail("no sentinels, or one that the model lacks", "give ids of tokens of the model", "sentinels");
  }
  if (new Set(special).size < special.length) {
    throw fail("a sentinel comes twice", "give each span a token of its own", "sentinels");
  }
}
