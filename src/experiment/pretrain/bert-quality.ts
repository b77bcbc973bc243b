import { factsOf } from "../../data/mini/facts.js";
import { createWorld } from "../../data/mini/world.js";
import type { LoadedBert } from "../../evaluate/bert-folder.js";
import { type AskedRow, askPlaces } from "../../evaluate/encoder-batches.js";
import { mostProbable } from "../../evaluate/most-probable.js";
import { encodeTexts, sentencePairRows } from "../../train/objectives/sentence-pairs.js";
import type { TrainingRow } from "../../train/rows.js";
import { factPrompts } from "./fact-prompts.js";
import { recallByRelation, type RecallByRelation } from "./fact-recall.js";
import { maskingRule, sentenceIds } from "./bert-rows.js";
import type { BertPlan } from "./plan.js";
import { heldOutDocuments } from "./rows.js";

/** What a base BERT knows, in numbers, and texts as it filled them in. */
export interface BertQuality {
  /** Words of held-out documents, masked as in training but always shown as `[MASK]`. */
  readonly heldOut: {
    readonly documents: number;
    readonly maskedWords: number;
    /** Share of the masked words, 0 to 1, whose most probable filling is the right one. */
    readonly accuracy: number;
    /** The same for one of the five most probable ones. */
    readonly topFive: number;
    /** The accuracy of always saying the most frequent of these words. */
    readonly floor: number;
    /** Nats per masked word. */
    readonly loss: number;
  };
  /** Every fact with all words of its object masked at once; right where all of them are. How many they are is seen. */
  readonly facts: RecallByRelation;
  /** Pairs of held-out texts, nothing masked. */
  readonly nextSentence: {
    readonly pairs: number;
    readonly accuracy: number;
    /** The share of the more frequent answer. */
    readonly floor: number;
  };
  /** Held-out rows with the fillings of masked words in brackets, what stood there behind a wrong one. */
  readonly samples: readonly string[];
}

interface Aborting {
  readonly signal?: AbortSignal;
}

const TOP = 5;

/**
 * Measures a base BERT: masked words and pairs of the validation corpus, every fact, samples.
 * @returns undefined when the signal aborts
 */
export async function measureBert(
  model: LoadedBert,
  plan: Pick<BertPlan, "worldSeed" | "quality" | "maskedShare">,
  signal?: AbortSignal,
): Promise<BertQuality | undefined> {
  const aborting = signal === undefined ? {} : { signal };
  const rows = heldOutRows(model, plan);
  const words = await maskedWords(model, rows, aborting);
  const nextSentence = await pairsRight(model, rows, aborting);
  const facts = await bertFactRecall(model, plan.worldSeed, aborting);
  if (words === undefined || nextSentence === undefined || facts === undefined) return undefined;
  const samples = rows
    .slice(0, plan.quality.samples)
    .map((row, index) => filledText(model, row, words[index] ?? []));
  return {
    heldOut: { documents: plan.quality.documents, ...wordScores(words.flat()) },
    facts,
    nextSentence,
    samples,
  };
}

function heldOutRows(
  { bert, tokenizer }: LoadedBert,
  { worldSeed, quality, maskedShare }: Pick<BertPlan, "worldSeed" | "quality" | "maskedShare">,
): TrainingRow[] {
  const documents = heldOutDocuments(worldSeed, quality.documents).map((document) =>
    sentenceIds(document, tokenizer),
  );
  return sentencePairRows(documents, tokenizer.marks, {
    maxTokens: bert.config.contextLength,
    rule: maskingRule(tokenizer, maskedShare),
    seed: worldSeed,
  });
}

/** What a model says of a masked word. */
interface MaskedWord {
  readonly target: number;
  /** The most probable fillings. */
  readonly top: readonly number[];
  /** Of the target, in nats. */
  readonly loss: number;
}

/** @returns for each row, each of its masked words */
async function maskedWords(
  { bert, tokenizer }: LoadedBert,
  rows: readonly TrainingRow[],
  aborting: Aborting,
): Promise<MaskedWord[][] | undefined> {
  const asked = rows.map((row): AskedRow => {
    const ids = originalIds(row);
    for (const place of row.targetOffsets) ids[place] = tokenizer.marks.mask;
    return { ids, tokenTypes: [...(row.tokenTypes ?? [])], places: [...row.targetOffsets] };
  });
  const question = {
    head: bert.maskedLogits.bind(bert),
    answer: (probabilities: Float32Array, row: number, place: number): MaskedWord => {
      const target = rows[row]?.targets[place] ?? 0;
      return { target, top: mostProbable(probabilities, TOP), loss: -Math.log(probabilities[target] ?? 0) };
    },
  };
  return askPlaces(bert, asked, question, aborting);
}

function wordScores(
  words: readonly MaskedWord[],
): Pick<BertQuality["heldOut"], "maskedWords" | "accuracy" | "topFive" | "floor" | "loss"> {
  const frequency = new Map<number, number>();
  for (const { target } of words) frequency.set(target, (frequency.get(target) ?? 0) + 1);
  const share = (right: (word: MaskedWord) => boolean): number => words.filter(right).length / words.length;
  return {
    maskedWords: words.length,
    accuracy: share(({ target, top }) => top[0] === target),
    topFive: share(({ target, top }) => top.includes(target)),
    floor: Math.max(...frequency.values()) / words.length,
    loss: words.reduce((sum, { loss }) => sum + loss, 0) / words.length,
  };
}

async function pairsRight(
  { bert }: LoadedBert,
  rows: readonly TrainingRow[],
  aborting: Aborting,
): Promise<BertQuality["nextSentence"] | undefined> {
  const asked = rows.map((row): AskedRow => ({
    ids: originalIds(row),
    tokenTypes: [...(row.tokenTypes ?? [])],
    places: [0],
  }));
  const question = {
    head: bert.nextSentenceLogits.bind(bert),
    answer: ([follows = 0]: Float32Array): 0 | 1 => (follows >= 0.5 ? 0 : 1),
  };
  const answers = (await askPlaces(bert, asked, question, aborting))?.flat();
  if (answers === undefined) return undefined;
  const following = rows.filter(({ rowTarget }) => rowTarget === 0).length / rows.length;
  return {
    pairs: rows.length,
    accuracy: rows.filter(({ rowTarget }, index) => rowTarget === answers[index]).length / rows.length,
    floor: Math.max(following, 1 - following),
  };
}

/**
 * Asks a BERT for the object of every fact: "The author of 'Emma' is [MASK] [MASK].", as many masks as the object has
 * pieces.
 * @returns undefined when the signal aborts
 */
export async function bertFactRecall(
  { bert, tokenizer }: LoadedBert,
  worldSeed: number,
  aborting: Aborting = {},
): Promise<RecallByRelation | undefined> {
  const prompts = factPrompts(factsOf(createWorld(worldSeed)));
  const targets: (readonly number[])[] = [];
  const asked = prompts.map(({ prompt, completion }): AskedRow => {
    const before = tokenizer.encode(prompt).ids;
    const object = tokenizer.encode(completion.replace(/\.$/, "")).ids;
    targets.push(object);
    const ids = [...before, ...object.map(() => tokenizer.marks.mask), ...tokenizer.encode(".").ids];
    return {
      ...encodeTexts(tokenizer.marks, ids),
      places: object.map((_, place) => 1 + before.length + place),
    };
  });
  const question = {
    head: bert.maskedLogits.bind(bert),
    answer: (probabilities: Float32Array): number => mostProbable(probabilities, 1)[0] ?? 0,
  };
  const answers = await askPlaces(bert, asked, question, aborting);
  if (answers === undefined) return undefined;
  return recallByRelation(
    prompts.map((prompt, index) => ({ ...prompt, right: answers[index]?.join() === targets[index]?.join() })),
  );
}

/** The row before it was masked. */
function originalIds({ inputs, targetOffsets, targets }: TrainingRow): number[] {
  const ids = [...inputs];
  targetOffsets.forEach((place, index) => (ids[place] = targets[index] ?? 0));
  return ids;
}

/** "nora [has] a [red: blue] house .": right fillings in brackets, wrong ones with what stood there. */
function filledText({ tokenizer }: LoadedBert, row: TrainingRow, words: readonly MaskedWord[]): string {
  const texts = originalIds(row).map((id) => tokenizer.tokenText(id));
  words.forEach(({ target, top }, index) => {
    const [said = target] = top;
    const stood = tokenizer.tokenText(target);
    const place = row.targetOffsets[index] ?? 0;
    texts[place] = said === target ? `[${stood}]` : `[${tokenizer.tokenText(said)}: ${stood}]`;
  });
  return texts.join(" ").replaceAll(" ##", "");
}
