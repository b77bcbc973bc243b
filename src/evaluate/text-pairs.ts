import type { TensorFlow } from "../engine/tensorflow.js";
import { KitError } from "../support/errors.js";
import { encodeTexts } from "../train/objectives/sentence-pairs.js";
import type { LoadedBert } from "./bert-folder.js";
import { type AskedRow, askPlaces, type EncoderOptions } from "./encoder-batches.js";
import { mostProbable } from "./most-probable.js";

/** A text, or a pair of texts. */
export interface TextPair {
  readonly a: string;
  readonly b?: string;
}

/** A class of a text. */
export interface Classified {
  /** The most probable one. */
  readonly label: string;
  /** Of each label, 0 to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/**
 * The probability that the second text of each pair follows the first in a document, as the model was pre-trained to say.
 * @returns 0 to 1 for each pair; undefined when the signal aborts
 * @throws KitError when the model has no head for it, or a pair is longer than the context
 */
export async function nextSentenceProbability(
  { bert, tokenizer }: LoadedBert,
  pairs: readonly Required<TextPair>[],
  options: EncoderOptions = {},
): Promise<number[] | undefined> {
  const { kind } = bert.config.head;
  if (kind !== "pre-training") {
    throw new KitError(`the model has no next-sentence head (its head is ${kind})`, "use a pre-trained BERT");
  }
  const rows = pairs.map((pair) => firstTokenRow(tokenizer, pair));
  const question = {
    head: bert.nextSentenceLogits.bind(bert),
    answer: ([follows = 0]: Float32Array): number => follows,
  };
  return (await askPlaces(bert, rows, question, options))?.flat();
}

/**
 * The class that a tuned model gives each text or pair of texts.
 * @returns for each, undefined when the signal aborts
 * @throws KitError when the model has no classification head, or a text is longer than the context
 */
export async function classify(
  { bert, tokenizer }: LoadedBert,
  texts: readonly TextPair[],
  options: EncoderOptions = {},
): Promise<Classified[] | undefined> {
  const { head } = bert.config;
  if (head.kind !== "classification") {
    throw new KitError(
      `the model has no classification head (its head is ${head.kind})`,
      "give it one (withHead) and train it",
    );
  }
  const { labels } = head;
  const rows = texts.map((text) => firstTokenRow(tokenizer, text));
  const answer = (probabilities: Float32Array): Classified => ({
    label: labels[mostProbable(probabilities, 1)[0] ?? 0] ?? "",
    probabilities: Object.fromEntries(labels.map((label, index) => [label, probabilities[index] ?? 0])),
  });
  const question = { head: (first: TensorFlow.Tensor2D) => bert.classLogits(first), answer };
  return (await askPlaces(bert, rows, question, options))?.flat();
}

function firstTokenRow(tokenizer: LoadedBert["tokenizer"], { a, b }: TextPair): AskedRow {
  const second = b === undefined ? undefined : tokenizer.encode(b).ids;
  return { ...encodeTexts(tokenizer.marks, tokenizer.encode(a).ids, second), places: [0] };
}
