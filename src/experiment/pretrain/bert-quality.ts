import { factsOf } from "../../data/mini/facts.js";
import { createWorld } from "../../data/mini/world.js";
import type { LoadedBert } from "../../evaluate/bert-folder.js";
import { type AskedRow, askPlaces } from "../../evaluate/encoder-batches.js";
import {
  type MaskedWord,
  maskedWords,
  originalIds,
  type PairScores,
  pairScores,
  type WordScores,
  wordScores,
} from "../../evaluate/masked-words.js";
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
  readonly heldOut: WordScores & { readonly documents: number };
  /** Every fact with all words of its object masked at once; right where all of them are. How many they are is seen. */
  readonly facts: RecallByRelation;
  /** Pairs of held-out texts, nothing masked. */
  readonly nextSentence: PairScores;
  /** Held-out rows with the fillings of masked words in brackets, what stood there behind a wrong one. */
  readonly samples: readonly string[];
}

interface Aborting {
  readonly signal?: AbortSignal;
}

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
  const nextSentence = await pairScores(model, rows, aborting);
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
