import type { Tokenizer } from "../data/tokenizer.js";
import type { LanguageModel } from "../model/load.js";
import { Random } from "../support/random.js";
import { roomAfter, tokensBefore } from "./continuation.js";
import {
  type CountPenalties,
  drawToken,
  penalizeCounts,
  penalizeRepetition,
  type Sampling,
} from "./sampling.js";

/** How one answer is chosen and what ends it. */
export interface AnswerOptions {
  /** Longest answer, in tokens. */
  readonly maxNewTokens: number;
  /** The token that ends an answer. */
  readonly eos: number;
  /** More tokens that end an answer; they are not in it. */
  readonly stopTokens?: readonly number[];
  /** Texts that end an answer as well, and the tokenizer that reads them. */
  readonly stop?: { readonly texts: readonly string[]; readonly tokenizer: Pick<Tokenizer, "decode"> };
  /** Draws the tokens; without it the most probable one is taken. */
  readonly sampling?: Sampling;
  /**
   * Makes tokens of the prompt and of the answer so far less probable (`penalizeRepetition`); 1 changes nothing. The
   * prompt of an encoder-decoder does not count, as in `transformers`.
   */
  readonly repetitionPenalty?: number;
  /** Makes tokens of the answer so far less probable (`penalizeCounts`). */
  readonly penalties?: CountPenalties;
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

/** An answer that grows token by token until something ends it. */
export class GrowingAnswer {
  readonly prompt: readonly number[];
  /** Of the prompt among all. */
  readonly index: number;
  readonly #ids: number[] = [];
  readonly #options: AnswerOptions;
  /** What the model that chooses tokens has before the answer. */
  readonly #before: readonly number[];
  readonly #room: number;
  readonly #random: Random;
  #ending: Ending | undefined;
  #text: string | undefined;

  /** @param index decides which random numbers of the seed it draws from */
  constructor(model: LanguageModel, prompt: readonly number[], index: number, options: AnswerOptions) {
    this.prompt = prompt;
    this.index = index;
    this.#before = tokensBefore(model, prompt);
    this.#room = roomAfter(model, prompt);
    this.#options = options;
    this.#random = Random.derive(options.sampling?.seed ?? 0, `prompt ${index}`);
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

  /** Whether its next token is the most probable one, so that it needs no logits. */
  get isGreedy(): boolean {
    const { sampling, repetitionPenalty, penalties } = this.#options;
    return sampling === undefined && repetitionPenalty === undefined && penalties === undefined;
  }

  /** Chooses the token that follows. @param logits `[vocabulary]`, which this may change */
  choose(logits: Float32Array): number {
    const { sampling, repetitionPenalty, penalties } = this.#options;
    if (repetitionPenalty !== undefined)
      penalizeRepetition(logits, [...this.#before, ...this.#ids], repetitionPenalty);
    if (penalties !== undefined) penalizeCounts(logits, this.#ids, penalties);
    return sampling === undefined ? largestOf(logits) : drawToken(logits, sampling, this.#random);
  }

  /** Goes on with a token, or ends. */
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

  /** The answer as it is now. */
  result(): Generated {
    const { stop } = this.#options;
    const ending = this.#ending ?? "length";
    if (stop === undefined) return { ids: this.#ids, ending };
    return { ids: this.#ids, ending, text: this.#text ?? stop.tokenizer.decode(this.#ids) };
  }

  #cutAtStop({ texts, tokenizer }: NonNullable<AnswerOptions["stop"]>): boolean {
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

/** The id with the largest logit; of equal ones the smallest. */
function largestOf(logits: Float32Array): number {
  return logits.reduce((best, value, id) => (value > (logits[best] ?? -Infinity) ? id : best), 0);
}
