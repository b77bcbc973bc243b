import type { Tokenizer } from "../data/tokenizer.js";
import type { LanguageModel } from "../model/load.js";
import { KitError } from "../support/errors.js";
import { Random } from "../support/random.js";
import { byLength } from "./batches.js";
import { type CompileOption, isCompiled, type Work } from "./compiling.js";
import { roomAfter, tokensBefore } from "./continuation.js";
import { startReader, type TokenReader } from "./token-reader.js";
import {
  checkRepetitionPenalty,
  checkSampling,
  drawToken,
  penalizeRepetition,
  type Sampling,
} from "./sampling.js";

export interface GenerateOptions extends CompileOption {
  /** Longest answer, in tokens. */
  readonly maxNewTokens: number;
  /** The token that ends an answer. */
  readonly eos: number;
  /** More tokens that end an answer; they are not in it. */
  readonly stopTokens?: readonly number[];
  /** Prompts that are answered together; changes the time and the memory, not the answers. */
  readonly batchSize: number;
  /** Texts that end an answer as well, and the tokenizer that reads them. */
  readonly stop?: { readonly texts: readonly string[]; readonly tokenizer: Pick<Tokenizer, "decode"> };
  /** Draws the tokens; without it the most probable one is taken. */
  readonly sampling?: Sampling;
  /**
   * Makes tokens of the prompt and of the answer so far less probable (`penalizeRepetition`); 1 changes nothing. The
   * prompt of an encoder-decoder does not count, as in `transformers`.
   */
  readonly repetitionPenalty?: number;
  /** Stops at the next token; the result is then an empty list. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Told of each token that an answer gets, in time to show it.
   * @param prompt index of the prompt
   * @param ids the answer so far, in a list that goes on growing; one that ends at a stop text has been shortened by it
   */
  readonly onToken?: (prompt: number, ids: readonly number[]) => void;
}

/** Why an answer ended: its end token, a stop text or token, `maxNewTokens`, or the end of the model's context. */
export type Ending = "eos" | "stop" | "length" | "context";

/** One answer. */
export interface Generated {
  /** The tokens after the prompt, without EOS and without those that only a stop text is in. */
  readonly ids: readonly number[];
  readonly ending: Ending;
  /** With stop texts: the answer before the first of them, to the character. */
  readonly text?: string;
}

/**
 * The most probable answers (token by token), as `generate` gives them, ids alone.
 * @param prompts token ids, BOS included where the tokenizer has one
 * @returns for each prompt the ids after it, without EOS; an empty list when the signal aborts
 * @throws KitError for an empty prompt or one that fills the model's context
 */
export async function generateGreedy(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: Omit<GenerateOptions, "sampling">,
): Promise<number[][]> {
  const answers = await generate(model, prompts, options);
  return answers.map(({ ids }) => [...ids]);
}

/**
 * Answers prompts with a key/value cache, in batches of prompts of nearly the same length. A prompt gets the same answer
 * alone and in any batch: short rows leave cache slots unused, and each prompt has random numbers of its own.
 * @param prompts token ids, BOS included where the tokenizer has one
 * @returns one answer for each prompt, in their order; an empty list when the signal aborts
 * @throws KitError for an empty prompt, one that fills the model's context, or a sampling value out of range
 */
export async function generate(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<Generated[]> {
  checkGeneration(model, prompts, options);
  const answers = prompts.map((prompt, index) => new Answer(model, prompt, index, options));
  const compiled = isCompiled(model, options, generationWork(prompts, options));
  let done = 0;
  for (const batch of byLength(answers, ({ prompt }) => prompt.length, options.batchSize)) {
    const reader = await startReader(
      model,
      batch.map(({ prompt }) => prompt),
      compiled,
    );
    try {
      if (!(await answerBatch(reader, batch, options))) return [];
    } finally {
      reader.dispose();
    }
    done += batch.length;
    options.onProgress?.(done, prompts.length);
  }
  return answers.map((answer) => answer.result());
}

/** What answers of full length take. */
function generationWork(
  prompts: readonly (readonly number[])[],
  { maxNewTokens, batchSize }: GenerateOptions,
): Work {
  const read = prompts.reduce((sum, { length }) => sum + length, 0);
  const passes = Math.ceil(prompts.length / batchSize) * maxNewTokens;
  return { passes, positions: read + prompts.length * maxNewTokens };
}

/** @returns false when the signal aborted */
async function answerBatch(
  reader: TokenReader,
  batch: readonly Answer[],
  options: GenerateOptions,
): Promise<boolean> {
  let open = batch;
  let next = reader.first;
  while (open.length > 0) {
    if (options.signal?.aborted === true) return false;
    const ids = nextTokens(reader, next, open, options);
    open.forEach((answer, row) => answer.take(ids[row] ?? options.eos));
    for (const answer of open) options.onToken?.(answer.index, answer.ids);
    const rows = open.flatMap((answer, row) => (answer.ended ? [] : [row]));
    if (rows.length > 0 && rows.length < open.length) reader.select(rows);
    open = open.filter(({ ended }) => !ended);
    next = open.map(({ last }) => [last]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

/** Feeds the new tokens of each row and chooses the one that follows: `[rows]`. */
function nextTokens(
  reader: TokenReader,
  rows: readonly (readonly number[])[],
  answers: readonly Answer[],
  { sampling, repetitionPenalty }: Pick<GenerateOptions, "sampling" | "repetitionPenalty">,
): readonly number[] {
  if (sampling === undefined && repetitionPenalty === undefined) {
    return Array.from(reader.read(rows, "next"));
  }
  const values = Float32Array.from(reader.read(rows, "logits"));
  const vocabulary = values.length / rows.length;
  return answers.map((answer, row) => {
    const logits = values.slice(row * vocabulary, (row + 1) * vocabulary);
    if (repetitionPenalty !== undefined) penalizeRepetition(logits, answer.seen, repetitionPenalty);
    return sampling === undefined ? largestOf(logits) : drawToken(logits, sampling, answer.random);
  });
}

/** The id with the largest logit; of equal ones the smallest. */
function largestOf(logits: Float32Array): number {
  return logits.reduce((best, value, id) => (value > (logits[best] ?? -Infinity) ? id : best), 0);
}

/** An answer that grows token by token until something ends it. */
class Answer {
  readonly prompt: readonly number[];
  /** Of the prompt among all. */
  readonly index: number;
  readonly #ids: number[] = [];
  readonly #options: GenerateOptions;
  /** What the model that chooses tokens has before the answer. */
  readonly #before: readonly number[];
  readonly #room: number;
  readonly random: Random;
  #ending: Ending | undefined;
  #text: string | undefined;

  constructor(model: LanguageModel, prompt: readonly number[], index: number, options: GenerateOptions) {
    this.prompt = prompt;
    this.index = index;
    this.#before = tokensBefore(model, prompt);
    this.#room = roomAfter(model, prompt);
    this.#options = options;
    this.random = Random.derive(options.sampling?.seed ?? 0, `prompt ${index}`);
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  get ids(): readonly number[] {
    return this.#ids;
  }

  get last(): number {
    return this.#ids.at(-1) ?? this.#options.eos;
  }

  /** The tokens before the answer and those of the answer so far. */
  get seen(): readonly number[] {
    return [...this.#before, ...this.#ids];
  }

  take(id: number): void {
    const { eos, stopTokens, maxNewTokens, stop } = this.#options;
    if (id === eos) {
      this.#ending = "eos";
    } else if (stopTokens?.includes(id) === true) {
      this.#ending = "stop";
    } else {
      this.#ids.push(id);
      if (stop !== undefined && this.#cutAtStop(stop)) this.#ending = "stop";
      else if (this.#ids.length >= maxNewTokens) this.#ending = "length";
      else if (this.#ids.length >= this.#room) this.#ending = "context";
    }
  }

  result(): Generated {
    const { stop } = this.#options;
    const ending = this.#ending ?? "length";
    if (stop === undefined) return { ids: this.#ids, ending };
    return { ids: this.#ids, ending, text: this.#text ?? stop.tokenizer.decode(this.#ids) };
  }

  #cutAtStop({ texts, tokenizer }: NonNullable<GenerateOptions["stop"]>): boolean {
    const text = tokenizer.decode(this.#ids);
    const starts = texts.map((stop) => text.indexOf(stop)).filter((start) => start >= 0);
    if (starts.length === 0) return false;
    const start = Math.min(...starts);
    this.#text = text.slice(0, start);
    while (this.#ids.length > 0 && tokenizer.decode(this.#ids.slice(0, -1)).length >= start) this.#ids.pop();
    if (tokenizer.decode(this.#ids).length > start) this.#ids.pop();
    return true;
  }
}

/** @throws KitError as `generate` does */
export function checkGeneration(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  { maxNewTokens, batchSize, sampling, repetitionPenalty, stop }: GenerateOptions,
): void {
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1) {
    throw new KitError(`${maxNewTokens} new tokens`, "ask for a whole number of at least 1", {
      field: "maxNewTokens",
    });
  }
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new KitError(`a batch size of ${batchSize}`, "give a whole number of at least 1", {
      field: "batchSize",
    });
  }
  if (stop?.texts.includes("") === true) {
    throw new KitError("an empty stop text", "give a text of at least one character, or none", {
      field: "stop",
    });
  }
  if (sampling !== undefined) checkSampling(sampling);
  if (repetitionPenalty !== undefined) checkRepetitionPenalty(repetitionPenalty);
  prompts.forEach((prompt, index) => {
    const row = index + 1;
    if (prompt.length === 0) {
      throw new KitError("an empty prompt", "give at least one token, such as the tokenizer's BOS", { row });
    }
    if (roomAfter(model, prompt) < 1) {
      throw new KitError(
        `a prompt of ${prompt.length} tokens does not fit the model's context of ${model.config.contextLength}`,
        "shorten the prompt or use a model with a longer context",
        { row, field: "prompt" },
      );
    }
  });
}
