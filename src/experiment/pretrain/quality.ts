import { type Fact, factsOf } from "../../data/mini/facts.js";
import { createWorld } from "../../data/mini/world.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { bitsPerByte, textBits } from "../../evaluate/bits-per-byte.js";
import { generate, generateGreedy } from "../../evaluate/generate.js";
import { loadDecoderFolder, type LoadedModel } from "../../evaluate/model-folder.js";
import type { Decoder } from "../../model/decoder.js";
import { groupBy } from "../../support/group.js";
import { type FactPrompt, factPrompts } from "./fact-prompts.js";
import { recallByRelation, type RecallByRelation } from "./fact-recall.js";
import { selectionPrompts } from "./selection-prompts.js";
import type { DecoderPlan } from "./plan.js";
import { documentText, heldOutDocuments } from "./rows.js";

/** What a base decoder knows, in numbers, and texts of its own as they came. */
export interface BaseQuality {
  readonly heldOut: {
    readonly documents: number;
    readonly bytes: number;
    /** Bits for each byte of held-out documents, the end of a document included. */
    readonly bitsPerByte: number;
    readonly bitsPerByteByKind: Readonly<Record<string, number>>;
  };
  readonly facts: RecallByRelation;
  /** What the corpus tells of texts ("The town was"), completed greedily on new texts: shares of right answers. */
  readonly selections: {
    readonly asked: number;
    readonly right: number;
    readonly bySelector: Readonly<Record<string, number>>;
  };
  /** Drawn at temperature 1 from nothing; none is left out. */
  readonly samples: readonly string[];
}

const BATCH_PROMPTS = 64;
const LONGEST_COMPLETION = 16;
const LONGEST_SAMPLE = 120;
/** Texts that each selector is asked about. */
const SELECTIONS = 40;

/** A text to complete, and its right completion. */
type Prompt = Pick<FactPrompt, "prompt" | "completion">;

/**
 * Measures a base decoder in its folder: bits per byte on documents of the validation corpus, recall of every fact, samples.
 * @returns undefined when the signal aborts
 */
export async function measureQuality(
  folder: string,
  plan: Pick<DecoderPlan, "worldSeed" | "quality">,
  signal?: AbortSignal,
): Promise<BaseQuality | undefined> {
  const model = loadDecoderFolder(folder);
  const aborting = signal === undefined ? {} : { signal };
  try {
    const heldOut = await heldOutBits(model, plan.worldSeed, plan.quality.documents, aborting);
    const facts = await factRecall(model, factsOf(createWorld(plan.worldSeed)), aborting);
    const selections = await selectionRecall(model, plan.worldSeed, aborting);
    const samples = await drawSamples(model, plan.quality.samples, plan.worldSeed, aborting);
    return signal?.aborted === true ? undefined : { heldOut, facts, selections, samples };
  } finally {
    model.decoder.dispose();
  }
}

interface Aborting {
  readonly signal?: AbortSignal;
}

async function heldOutBits(
  { decoder, tokenizer }: LoadedModel<Decoder>,
  seed: number,
  count: number,
  aborting: Aborting,
): Promise<BaseQuality["heldOut"]> {
  const documents = heldOutDocuments(seed, count);
  const texts = documents.map(({ sentences }) => documentText(sentences));
  const measured = (await textBits({ decoder, tokenizer }, texts, aborting)).map((text, index) => ({
    ...text,
    kind: documents[index]?.kind ?? "",
  }));
  const byKind = [...groupBy(measured, ({ kind }) => kind)].map(([kind, part]) => [kind, bitsPerByte(part)]);
  return {
    documents: documents.length,
    bytes: measured.reduce((sum, { bytes }) => sum + bytes, 0),
    bitsPerByte: bitsPerByte(measured),
    bitsPerByteByKind: Object.fromEntries(byKind) as Record<string, number>,
  };
}

/** Completes a statement of every fact, whose object is left to the model. */
export async function factRecall(
  { decoder, tokenizer }: LoadedModel<Decoder>,
  facts: readonly Fact[],
  aborting: Aborting = {},
): Promise<BaseQuality["facts"]> {
  const prompts = factPrompts(facts);
  const completions = await completeAll({ decoder, tokenizer }, prompts, aborting);
  const asked = prompts.map((prompt, index) => ({ ...prompt, right: isRight(prompt, completions[index]) }));
  return recallByRelation(asked);
}

async function selectionRecall(
  model: LoadedModel<Decoder>,
  seed: number,
  aborting: Aborting,
): Promise<BaseQuality["selections"]> {
  const prompts = selectionPrompts(SELECTIONS, seed);
  const completions = await completeAll(model, prompts, aborting);
  const asked = prompts.map((prompt, index) => ({ ...prompt, right: isRight(prompt, completions[index]) }));
  const share = (part: typeof asked): number => part.filter(({ right }) => right).length / part.length;
  const bySelector = [...groupBy(asked, ({ selector }) => selector)].map(
    ([selector, part]): [string, number] => [selector, share(part)],
  );
  return { asked: asked.length, right: share(asked), bySelector: Object.fromEntries(bySelector) };
}

function isRight({ completion }: Prompt, completed = ""): boolean {
  return completed.startsWith(completion);
}

async function completeAll(
  { decoder, tokenizer }: LoadedModel<Decoder>,
  prompts: readonly Prompt[],
  aborting: Aborting,
): Promise<string[]> {
  const completions = await generateGreedy(
    decoder,
    prompts.map(({ prompt }) => promptIds(tokenizer, prompt)),
    {
      maxNewTokens: LONGEST_COMPLETION,
      eos: tokenizer.special.eos,
      batchSize: BATCH_PROMPTS,
      ...aborting,
    },
  );
  return completions.map((ids) => tokenizer.decode(ids));
}

async function drawSamples(
  { decoder, tokenizer }: LoadedModel<Decoder>,
  count: number,
  seed: number,
  aborting: Aborting,
): Promise<string[]> {
  if (count === 0) return [];
  const prompts = Array.from({ length: count }, () => promptIds(tokenizer, ""));
  const drawn = await generate(decoder, prompts, {
    maxNewTokens: LONGEST_SAMPLE,
    eos: tokenizer.special.eos,
    batchSize: BATCH_PROMPTS,
    sampling: { temperature: 1, seed },
    ...aborting,
  });
  return drawn.map(({ ids }) => tokenizer.decode(ids).trimStart());
}

/** The ids of a text that the model goes on from. */
function promptIds(tokenizer: Tokenizer, text: string): number[] {
  const { special } = tokenizer;
  return [special.bos ?? special.eos, ...tokenizer.encode(text).ids];
}
