import type { Tokenizer } from "../../data/tokenizer.js";
import { TextStream } from "../../evaluate/chat/text-stream.js";
import type { GrowingAnswer } from "../../evaluate/growing-answer.js";
import type { CompletionEvent, ScoredToken } from "../served-model.js";
import { Channel } from "./channel.js";
import type { Seat } from "./slots.js";
import { tokenLogprobs } from "./token-logprobs.js";
import { tokenTextAfter } from "./token-text.js";

/** A scored token that waits until its text is certain. */
interface WaitingToken {
  readonly token: ScoredToken;
  /** Length of the answer's text with it. */
  readonly end: number;
}

/** How an answer is told to whoever waits for it. */
export interface WrittenOptions {
  /** Texts that end it. */
  readonly stop: readonly string[];
  readonly topLogprobs: number | undefined;
  readonly signal: AbortSignal;
}

/** An answer at work in the decoding loop: it chooses its tokens and tells what becomes certain. */
export class WrittenAnswer {
  readonly answer: GrowingAnswer;
  readonly signal: AbortSignal;
  readonly events = new Channel<CompletionEvent>();
  /** Where it sits, once it has joined. */
  seat: Seat | undefined;
  readonly #tokenizer: Tokenizer;
  readonly #topLogprobs: number | undefined;
  readonly #stream: TextStream;
  #piece = "";
  #told = 0;
  #waiting: WaitingToken[] = [];
  /** Scored tokens so far, those that wait included. */
  #scored = 0;
  #endToken: ScoredToken | undefined;

  constructor(answer: GrowingAnswer, tokenizer: Tokenizer, { stop, topLogprobs, signal }: WrittenOptions) {
    this.answer = answer;
    this.signal = signal;
    this.#tokenizer = tokenizer;
    this.#topLogprobs = topLogprobs;
    this.#stream = new TextStream(tokenizer, stop, (piece) => (this.#piece += piece));
  }

  /** Whether the most probable token is all that it needs to know. */
  get isGreedy(): boolean {
    return this.answer.isGreedy && this.#topLogprobs === undefined;
  }

  /**
   * Takes what follows and tells of it.
   * @param following the id of the most probable token where that is enough for all of a batch, else the logits
   */
  take(following: readonly number[] | Float32Array): void {
    const { answer } = this;
    if (following instanceof Float32Array) {
      const token = answer.choose(following.slice());
      const scored =
        this.#topLogprobs === undefined ? undefined : this.#score(following, token, this.#topLogprobs);
      answer.take(token);
      if (scored !== undefined) this.#wait(scored);
    } else {
      answer.take(following[0] ?? 0);
    }
    if (answer.ended) this.#end();
    else this.#stream.update(answer.ids);
    this.#tell();
    if (answer.ended) this.#close();
  }

  /** Ends it without an end of its own. */
  fail(error: unknown): void {
    this.events.fail(error);
  }

  #end(): void {
    const { ids, text, ending } = this.answer.result();
    this.#stream.finish(text ?? this.#tokenizer.decode(ids));
    // A stop text has taken tokens back, and an end token was never in the answer.
    if (this.#scored <= ids.length) return;
    const taken = this.#waiting.splice(ids.length - this.#scored);
    if (ending === "eos") this.#endToken = taken.at(-1)?.token;
  }

  #tell(): void {
    this.#told += this.#piece.length;
    const isCertain = ({ end }: WaitingToken): boolean => this.answer.ended || end <= this.#told;
    const certain = this.#waiting.findIndex((each) => !isCertain(each));
    const tokens = this.#waiting.splice(0, certain < 0 ? this.#waiting.length : certain);
    if (this.#piece === "" && tokens.length === 0) return;
    this.events.push({ kind: "piece", text: this.#piece, tokens: tokens.map(({ token }) => token) });
    this.#piece = "";
  }

  #close(): void {
    const { ids, ending } = this.answer.result();
    this.events.push({
      kind: "end",
      reason: ending === "eos" || ending === "stop" ? "stop" : "length",
      promptTokens: this.answer.prompt.length,
      completionTokens: ids.length,
      ...(this.#endToken === undefined ? {} : { endToken: this.#endToken }),
    });
    this.events.close();
  }

  #wait(token: ScoredToken): void {
    this.#scored++;
    this.#waiting.push({ token, end: this.#tokenizer.decode(this.answer.ids).length });
  }

  #score(logits: Float32Array, token: number, count: number): ScoredToken {
    const { chosen, top } = tokenLogprobs(logits, token, count);
    const before = this.answer.ids.slice(-1);
    return {
      text: tokenTextAfter(this.#tokenizer, before, token),
      logprob: chosen,
      top: top.map(({ id, logprob }) => ({ text: tokenTextAfter(this.#tokenizer, before, id), logprob })),
    };
  }
}
