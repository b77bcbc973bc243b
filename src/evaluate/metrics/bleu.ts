import { KitError } from "../../support/errors.js";
import { type Counts, countNgrams } from "./ngrams.js";
import { splitWords } from "./python-text.js";

/** BLEU, in percent, with what it is made of. */
export interface BleuScore {
  /** From 0 to 100. */
  readonly score: number;
  /** In percent, for words to 4-grams. */
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  readonly predictionLength: number;
  readonly referenceLength: number;
  /** What sacreBLEU would print for these settings; belongs beside the number. */
  readonly signature: string;
}

/** A prediction and its references. */
export interface TextPair {
  readonly prediction: string;
  /** At least one. */
  readonly references: readonly string[];
}

const ORDERS = [1, 2, 3, 4] as const;

/**
 * BLEU of a corpus as sacreBLEU 2.6.0 (Post 2018) with its defaults: 4-grams, the 13a tokenizer, case kept, smoothing
 * "exp". It is not a mean of sentence scores.
 * @throws KitError for no pairs or a pair without reference
 */
export function corpusBleu(pairs: readonly TextPair[]): BleuScore {
  if (pairs.length === 0) throw new KitError("BLEU of no texts", "give at least one prediction");
  return scoreOf(pairs, false);
}

/**
 * BLEU of one text as sacreBLEU's `sentence_bleu`: as `corpusBleu`, but only up to the longest n-gram that the prediction has.
 * @throws KitError when there is no reference
 */
export function sentenceBleu(prediction: string, references: readonly string[]): BleuScore {
  return scoreOf([{ prediction, references }], true);
}

/** Splits as mteval-v13a.pl: entities undone, ASCII punctuation apart, "." and "," apart unless between digits. */
export function tokenize13a(text: string): string[] {
  const plain = text
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  return splitWords(
    ` ${plain} `
      .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])(-)/g, "$1 $2 "),
  );
}

function scoreOf(pairs: readonly TextPair[], effectiveOrder: boolean): BleuScore {
  const correct = ORDERS.map(() => 0);
  const total = ORDERS.map(() => 0);
  let predictionLength = 0;
  let referenceLength = 0;
  for (const { prediction, references } of pairs) {
    if (references.length === 0)
      throw new KitError("BLEU without a reference", "give at least one reference");
    const words = tokenize13a(prediction);
    const wanted = references.map(tokenize13a);
    predictionLength += words.length;
    referenceLength += closestLength(words.length, wanted);
    ORDERS.forEach((n, index) => {
      const allowed = mostOften(wanted.map((reference) => countNgrams(reference, n)));
      for (const [ngram, count] of countNgrams(words, n)) {
        total[index] = (total[index] ?? 0) + count;
        correct[index] = (correct[index] ?? 0) + Math.min(count, allowed.get(ngram) ?? 0);
      }
    });
  }
  const counts = new Set(pairs.map(({ references }) => references.length));
  return {
    ...combine(correct, total, { predictionLength, referenceLength }, effectiveOrder),
    predictionLength,
    referenceLength,
    signature: [
      `nrefs:${counts.size === 1 ? [...counts].join("") : "var"}`,
      "case:mixed",
      `eff:${effectiveOrder ? "yes" : "no"}`,
      "tok:13a",
      "smooth:exp",
      "version:ift-kit as sacreBLEU 2.6.0",
    ].join("|"),
  };
}

/** Precisions with smoothing "exp": the k-th order without a match counts as 1 / 2^k of one match. */
function combine(
  correct: readonly number[],
  total: readonly number[],
  lengths: { readonly predictionLength: number; readonly referenceLength: number },
  effectiveOrder: boolean,
): Pick<BleuScore, "score" | "precisions" | "brevityPenalty"> {
  const { predictionLength, referenceLength } = lengths;
  const short = predictionLength < referenceLength;
  const brevityPenalty = !short
    ? 1
    : predictionLength === 0
      ? 0
      : Math.exp(1 - referenceLength / predictionLength);
  const precisions = ORDERS.map(() => 0);
  if (correct.every((count) => count === 0)) return { score: 0, precisions, brevityPenalty };
  let smoothing = 1;
  let order: number = ORDERS.length;
  for (const n of ORDERS) {
    const [matches = 0, all = 0] = [correct[n - 1], total[n - 1]];
    if (all === 0) break;
    if (effectiveOrder) order = n;
    if (matches === 0) smoothing *= 2;
    precisions[n - 1] = matches === 0 ? 100 / (smoothing * all) : (100 * matches) / all;
  }
  const used = precisions.slice(0, order);
  // An order that no prediction is long enough for has precision 0, and a score without effective order is then 0.
  const logs = used.map((precision) => (precision === 0 ? -9999999999 : Math.log(precision)));
  const score = brevityPenalty * Math.exp(logs.reduce((sum, value) => sum + value, 0) / order);
  return { score, precisions, brevityPenalty };
}

function closestLength(length: number, references: readonly (readonly string[])[]): number {
  const lengths = references.map((words) => words.length).sort((a, b) => a - b);
  return lengths.reduce((best, one) => (Math.abs(one - length) < Math.abs(best - length) ? one : best));
}

function mostOften(counts: readonly Counts[]): Counts {
  const most: Counts = new Map();
  for (const [ngram, count] of counts.flatMap((one) => [...one]))
    most.set(ngram, Math.max(most.get(ngram) ?? 0, count));
  return most;
}
