import type { LanguageModel } from "../model/load.js";
import { KitError } from "../support/errors.js";
import { byLength } from "./batches.js";
import { type CompileOption, isCompiled, type Work } from "./compiling.js";
import { roomAfter } from "./continuation.js";
import { type AnswerOptions, type Generated, GrowingAnswer } from "./growing-answer.js";
import { startReader, type TokenReader } from "./token-reader.js";
import { checkCountPenalties, checkRepetitionPenalty, checkSampling } from "./sampling.js";

export type { Ending, Generated } from "./growing-answer.js";

/** What `generate` may be told. */
export interface GenerateOptions extends CompileOption, AnswerOptions {
  /** Prompts that are answered together; changes the time and the memory, not the answers. */
  readonly batchSize: number;
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
  const answers = prompts.map((prompt, index) => new GrowingAnswer(model, prompt, index, options));
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
  batch: readonly GrowingAnswer[],
  options: GenerateOptions,
): Promise<boolean> {
  let open = batch;
  let next = reader.first;
  while (open.length > 0) {
    if (options.signal?.aborted === true) return false;
    const ids = nextTokens(reader, next, open);
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
  answers: readonly GrowingAnswer[],
): readonly number[] {
  if (answers.every(({ isGreedy }) => isGreedy)) return Array.from(reader.read(rows, "next"));
  const values = Float32Array.from(reader.read(rows, "logits"));
  const vocabulary = values.length / rows.length;
  return answers.map((answer, row) => answer.choose(values.slice(row * vocabulary, (row + 1) * vocabulary)));
}

/** @throws KitError as `generate` does */
export function checkGeneration(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  { maxNewTokens, batchSize, sampling, repetitionPenalty, penalties, stop }: GenerateOptions,
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
  if (penalties !== undefined) checkCountPenalties(penalties);
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
