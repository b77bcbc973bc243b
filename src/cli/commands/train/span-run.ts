import { generateGreedy } from "../../../evaluate/generate.js";
import { loadT5 } from "../../../model/t5/checkpoint.js";
import type { T5 } from "../../../model/t5/t5.js";
import { KitError } from "../../../support/errors.js";
import { hashJson } from "../../../support/hash.js";
import { dealEvenly } from "../../../support/deal-evenly.js";
import { Random } from "../../../support/random.js";
import type { Tokenizer } from "../../../data/tokenizer.js";
import { trainByteLevelBpe } from "../../../tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import {
  corruptedCounts,
  type SpanCorruption,
  spanCorruption,
} from "../../../train/objectives/span-corruption.js";
import { checkSequenceRows } from "../../../train/preflight/rows.js";
import type { TrainingRow } from "../../../train/rows.js";
import { newAdapter } from "./adapter.js";
import { documentLedgers, readDocuments, type TextDocument } from "./documents.js";
import { type RunEvaluation, type ObjectiveRun, type RunModels, summaryOf } from "./objective-run.js";
import type { SpanConfig } from "./span-config.js";
import { newT5 } from "./t5-shape.js";

/** Sentinels of a tokenizer that is made for a run, as T5 has them. */
const SENTINELS = 100;

/** Rows that are filled in at the end, at most. */
const FILLED_ROWS = 200;

/**
 * Reads the texts of a run on left-out spans and makes the model. The engine must have been started.
 * @throws KitError for anything that does not fit together
 */
export async function prepareSpans(config: SpanConfig, file: string): Promise<ObjectiveRun> {
  const { seed } = config.train;
  const documents = await readDocuments(config.data, seed, file);
  const tokenizer = chooseTokenizer(config, documents.train);
  const corruption: SpanCorruption = {
    ...config.corruption,
    sentinels: sentinelsOf(tokenizer, file),
    eos: tokenizer.special.eos,
  };
  const models = chooseT5(config, tokenizer, file);
  const { contextLength } = models.base.config;
  const maxTokens = longestPiece(config, contextLength, corruption, file);
  const train = piecesOfTexts(documents.train, tokenizer, maxTokens);
  const held = documents.validation && piecesOfTexts(documents.validation, tokenizer, maxTokens);
  if (train.length === 0) {
    throw new KitError("no document has two tokens", "give longer texts", { file, field: "data.path" });
  }
  const random = (what: string): Random => Random.derive(seed, `left-out spans of ${what}`);
  const { objective, rows } = spanCorruption(models.model, train, corruption, random("training"));
  const validation = held && spanCorruption(models.model, held, corruption, random("validation")).rows;
  return {
    objective,
    rows,
    validation,
    tokenizer,
    models,
    resolved: { t5: models.base.config, maxTokens, corruption: config.corruption },
    ledgers: documentLedgers(documents, rows, validation),
    summary: summaryOf(rows, { supervised: "to say", left: `of ${documents.train.length} documents` }),
    made: {
      template: { name: config.objective, hash: hashJson({ ...corruption, maxTokens }) },
      from: documents.train,
    },
    rowChecks: () => checkSequenceRows(rows, { ...models.base.config, ends: [corruption.eos] }),
    evaluate: (signal) => evaluateSpans(models.model, validation ?? [], corruption, signal),
  };
}

function chooseTokenizer({ tokenizer, t5 }: SpanConfig, texts: readonly TextDocument[]): Tokenizer {
  // The config is refused where there is neither a tokenizer nor a saved model.
  if (tokenizer === undefined) return loadTokenizer("from" in t5 ? t5.from : "");
  if ("directory" in tokenizer) return loadTokenizer(tokenizer.directory);
  const { vocabularySize } = tokenizer;
  const addedTokens = Array.from({ length: SENTINELS }, (_, number) => `<extra_id_${number}>`);
  return trainByteLevelBpe(
    texts.map(({ text }) => text),
    { vocabularySize, bos: false, addedTokens },
  );
}

/** The ids of `<extra_id_0>`, `<extra_id_1>` and so on. */
function sentinelsOf({ addedTokens }: Tokenizer, file: string): number[] {
  const sentinels: number[] = [];
  for (let number = 0; ; number++) {
    const id = addedTokens?.get(`<extra_id_${number}>`);
    if (id === undefined) break;
    sentinels.push(id);
  }
  if (sentinels.length > 0) return sentinels;
  throw new KitError(
    "the tokenizer has no <extra_id_0> to stand for a left-out span",
    'use the tokenizer of a T5, or {"train": "byte-level-bpe", "vocabularySize": N}, which has them',
    { file, field: "tokenizer" },
  );
}

function chooseT5({ t5, lora, train }: SpanConfig, tokenizer: Tokenizer, file: string): RunModels<T5> {
  const base = "from" in t5 ? loadT5(t5.from) : newT5(t5.shape, tokenizer, train.seed, { file, field: "t5" });
  const from = "from" in t5 ? { from: t5.from } : {};
  if (base.config.vocabularySize < tokenizer.vocabularySize) {
    const known = base.config.vocabularySize;
    base.dispose();
    throw new KitError(
      `the saved model has ${known} token ids, the tokenizer ${tokenizer.vocabularySize}`,
      "leave the tokenizer out: the saved model has its own",
      { file, field: "tokenizer" },
    );
  }
  if (lora === undefined) return { base, model: base, ...from };
  return { base, model: base.withAdapter(newAdapter(base.config, lora, file)), ...from };
}

/** The longest piece of which both what is read and what is said fit into the context. */
function longestPiece(
  { maxTokens }: Pick<SpanConfig, "maxTokens">,
  contextLength: number,
  corruption: SpanCorruption,
  file: string,
): number {
  const fits = (length: number): boolean => {
    const { left, spans } = corruptedCounts(length, corruption);
    return Math.max(length - left, left) + spans + 1 <= contextLength && spans <= corruption.sentinels.length;
  };
  if (maxTokens !== undefined) {
    if (fits(maxTokens)) return maxTokens;
    throw new KitError(
      `pieces of ${maxTokens} tokens do not fit into the model's context of ${contextLength}, or lose more spans than ` +
        `there are sentinels (${corruption.sentinels.length})`,
      "give a smaller number, or leave it out",
      { file, field: "maxTokens" },
    );
  }
  let longest = contextLength;
  while (longest > 2 && !fits(longest)) longest--;
  return longest;
}

function piecesOfTexts(
  documents: readonly TextDocument[],
  tokenizer: Tokenizer,
  maxTokens: number,
): { readonly id: string; readonly ids: readonly number[] }[] {
  return documents.flatMap(({ id, text }) =>
    dealEvenly(tokenizer.encode(text).ids, maxTokens)
      .map((ids, number) => ({ id: `${id}, piece ${number}`, ids }))
      .filter(({ ids }) => ids.length >= 2),
  );
}

/** What a T5 says of the spans that rows leave out. */
async function evaluateSpans(
  t5: T5,
  rows: readonly TrainingRow[],
  { sentinels, eos }: SpanCorruption,
  signal: AbortSignal,
): Promise<RunEvaluation | undefined> {
  const asked = rows.slice(0, FILLED_ROWS);
  if (asked.length === 0) return undefined;
  // The reader writes the end of an input itself where the model has one.
  const prompts = asked.map(({ inputs }) => [
    ...(t5.config.inputEnd === undefined ? inputs : inputs.slice(0, -1)),
  ]);
  const maxNewTokens = Math.max(...asked.map(({ targets }) => targets.length));
  const answers = await generateGreedy(t5, prompts, { maxNewTokens, eos, batchSize: 32, signal });
  if (signal.aborted) return undefined;
  const marks = new Set(sentinels);
  let [spans, right, whole] = [0, 0, 0];
  asked.forEach(({ targets }, row) => {
    const wanted = spansOf([...targets].slice(0, -1), marks);
    const said = spansOf(answers[row] ?? [], marks);
    const hits = [...wanted].filter(([mark, ids]) => said.get(mark)?.join() === ids.join()).length;
    spans += wanted.size;
    right += hits;
    if (hits === wanted.size) whole++;
  });
  const share = (part: number, all: number): string => ((100 * part) / all).toFixed(1);
  return {
    scores: { rows: asked.length, spans, spansRight: right / spans, rowsRight: whole / asked.length },
    text:
      `on ${asked.length} rows set aside: ${spans} left-out spans, ${share(right, spans)} % filled in word for word; ` +
      `all spans of ${share(whole, asked.length)} % of the rows`,
  };
}

/** Each sentinel with the tokens behind it. */
function spansOf(ids: readonly number[], sentinels: ReadonlySet<number>): Map<number, number[]> {
  const spans = new Map<number, number[]>();
  let open: number[] | undefined;
  for (const id of ids) {
    if (!sentinels.has(id)) open?.push(id);
    else spans.set(id, (open = []));
  }
  return spans;
}
