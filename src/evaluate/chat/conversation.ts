import type { Turn } from "../../data/example.js";
import { endToken } from "../../data/render.js";
import type { Template } from "../../data/template.js";
import { KitError } from "../../support/errors.js";
import { answerOf } from "../../data/answer.js";
import type { CompileOption } from "../compiling.js";
import { type Ending, generate } from "../generate.js";
import type { LoadedModel } from "../model-folder.js";
import type { Sampling } from "../sampling.js";
import { chatPrompt, showsHistory } from "./prompt.js";
import { defaultChatTemplate } from "./templates.js";
import { TextStream } from "./text-stream.js";

/** How a model is talked to. */
export interface ChatSettings extends CompileOption {
  /** How what is said becomes a prompt; by default what fits the tokenizer (`defaultChatTemplate`). */
  readonly template?: Template;
  /** What the model is told before the conversation. */
  readonly system?: string;
  /** Longest answer, in tokens (128). At most half of the model's context is kept free for it. */
  readonly maxNewTokens?: number;
  /** Draws the tokens; without it the most probable one is taken. Each answer draws anew. */
  readonly sampling?: Sampling;
  /** As in `generate`. */
  readonly repetitionPenalty?: number;
}

/** While an answer is written. */
export interface SayOptions {
  /** Is given each piece of the answer as soon as it is certain; whole characters only. */
  readonly onText?: (piece: string) => void;
  /** Stops the answer where it is; what was written so far stays in the conversation. */
  readonly signal?: AbortSignal;
}

/** One answer. */
export interface Reply {
  /** All that the model wrote: the pieces that `onText` was given. */
  readonly text: string;
  /** What of it answers: without a blank that the template wants, of a chain of thought the end. */
  readonly answer: string;
  /** Why it ended; "stopped" by the signal. */
  readonly ending: Ending | "stopped";
  /** Earlier turns that did not fit into the context any more, the oldest ones. */
  readonly dropped: number;
}

const MAX_NEW_TOKENS = 128;

/**
 * A conversation with a model: what was said is kept and shown to it, as far as the template shows it and it fits into the
 * context.
 *
 *     const conversation = new Conversation(await loadBase("decoder"), { template: MINI_IFT });
 *     const { answer } = await conversation.say("Write the fruit twice.\nNora found a red plum.");
 */
export class Conversation {
  readonly #model: LoadedModel;
  readonly #settings: ChatSettings;
  #template: Template;
  #turns: Turn[] = [];
  /** Questions so far, those before a reset as well: each draws from numbers of its own. */
  #asked = 0;

  constructor(model: LoadedModel, settings: ChatSettings = {}) {
    this.#model = model;
    this.#settings = settings;
    this.#template = settings.template ?? defaultChatTemplate(model.tokenizer);
  }

  /** Questions and answers in turn, oldest first. */
  get turns(): readonly Turn[] {
    return this.#turns;
  }

  get template(): Template {
    return this.#template;
  }

  /** Goes on in another template; what was said stays. */
  setTemplate(template: Template): void {
    this.#template = template;
  }

  /** Whether the model is shown what was said before. */
  get remembers(): boolean {
    return showsHistory(this.#template);
  }

  /** Forgets what was said. */
  reset(): void {
    this.#turns = [];
  }

  /**
   * Says something and waits for the answer.
   * @throws KitError when it does not fit into the context, the template cannot show it, or a setting is out of range;
   *   the conversation is then as it was
   */
  async say(text: string, { onText, signal }: SayOptions = {}): Promise<Reply> {
    const { decoder, tokenizer } = this.#model;
    const template = this.#template;
    const { system, maxNewTokens = MAX_NEW_TOKENS, sampling, repetitionPenalty, compile } = this.#settings;
    if (system !== undefined && !this.remembers) {
      throw new KitError(
        `template "${template.name}" has no place for a system prompt`,
        "use a template of chats, or leave the system prompt out",
      );
    }
    const request = { text, history: this.#turns, ...(system === undefined ? {} : { system }) };
    const room = Math.min(maxNewTokens, Math.floor(decoder.config.contextLength / 2));
    const { ids, dropped } = chatPrompt(this.#model, template, request, room);
    const stream = new TextStream(tokenizer, template.stop, onText);
    const [answer] = await generate(decoder, [ids], {
      maxNewTokens,
      batchSize: 1,
      eos: endToken(template, tokenizer),
      stopTokens: [tokenizer.special.eos],
      stop: { texts: template.stop, tokenizer },
      onToken: (_, soFar) => stream.update(soFar),
      ...(sampling === undefined ? {} : { sampling: { ...sampling, seed: sampling.seed + this.#asked } }),
      ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
      ...(compile === undefined ? {} : { compile }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer?.text !== undefined) stream.finish(answer.text);
    const written = stream.text;
    this.#asked++;
    this.#turns.splice(0, dropped);
    this.#turns.push({ role: "user", text }, { role: "assistant", text: written });
    return {
      text: written,
      answer: answerOf(template, written),
      ending: answer?.ending ?? "stopped",
      dropped,
    };
  }
}
