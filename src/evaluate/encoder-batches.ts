import { setImmediate } from "node:timers/promises";
import { embeddingLookup } from "../engine/ops/index.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { Bert } from "../model/bert/bert.js";
import { flatRows } from "../train/objectives/masked-language.js";
import type { EncodedTexts } from "../train/objectives/sentence-pairs.js";
import { byLength } from "./batches.js";

/** How rows are read. */
export interface EncoderOptions {
  /** Tokens of a batch, padding included, at most, but one row at least (8192). The numbers do not depend on it. */
  readonly batchTokens?: number;
  readonly signal?: AbortSignal;
}

/** A row, and the places in it that are asked about. */
export interface AskedRow extends EncodedTexts {
  /** Positions in the row, at least one. */
  readonly places: readonly number[];
}

/** A question to a head about places of rows. */
export interface PlaceQuestion<Answer> {
  /** Logits of hidden states: `[n, width]` -> `[n, classes]` */
  readonly head: (hidden: TensorFlow.Tensor2D) => TensorFlow.Tensor2D;
  /**
   * What is kept of a place.
   * @param probabilities of its classes
   * @param row index of the row
   * @param place index in the `places` of the row
   */
  readonly answer: (probabilities: Float32Array, row: number, place: number) => Answer;
}

/**
 * Runs rows through an encoder in batches of nearly the same length, and asks a head about places in them.
 * @returns for each row the answer at each of its places; undefined when the signal aborts
 * @throws KitError for a row that is longer than the context
 */
export async function askPlaces<Answer>(
  bert: Bert,
  rows: readonly AskedRow[],
  question: PlaceQuestion<Answer>,
  { batchTokens = 8192, signal }: EncoderOptions = {},
): Promise<Answer[][] | undefined> {
  const results: Answer[][] = rows.map(() => []);
  const indexed = rows.map((row, index) => ({ row, index }));
  const fits = (count: number, longest: number): boolean => count * longest <= batchTokens;
  for (const batch of byLength(indexed, ({ row }) => row.ids.length, fits)) {
    if (signal?.aborted === true) return undefined;
    const probabilities = batchProbabilities(
      bert,
      batch.map(({ row }) => row),
      question.head,
    );
    const classes = probabilities.length / batch.reduce((sum, { row }) => sum + row.places.length, 0);
    let done = 0;
    for (const { row, index } of batch) {
      results[index] = row.places.map((_, place) =>
        question.answer(probabilities.subarray(done, (done += classes)), index, place),
      );
    }
    await setImmediate();
  }
  return results;
}

/** The probabilities at all places of a batch, one after the other: `[places * classes]`. */
function batchProbabilities(
  bert: Bert,
  rows: readonly AskedRow[],
  head: PlaceQuestion<unknown>["head"],
): Float32Array {
  const time = Math.max(...rows.map(({ ids }) => ids.length));
  const grid = (valuesOf: (row: AskedRow) => readonly number[]): TensorFlow.Tensor2D => {
    const values = new Int32Array(rows.length * time);
    rows.forEach((row, index) => values.set(valuesOf(row), index * time));
    return tf.tensor2d(values, [rows.length, time], "int32");
  };
  const places = rows.flatMap((row, index) => row.places.map((place) => index * time + place));
  return tf.tidy(() => {
    const hidden = bert.hiddenStates({
      ids: grid(({ ids }) => ids),
      tokenTypes: grid(({ tokenTypes }) => tokenTypes),
      segments: grid(({ ids }) => ids.map(() => 1)),
    });
    const chosen = embeddingLookup(flatRows(hidden), tf.tensor1d(places, "int32")) as TensorFlow.Tensor2D;
    return tf.softmax(head(chosen)).dataSync<"float32">();
  });
}
