import { endToken } from "../data/render.js";
import type { Template } from "../data/template.js";
import type { Turn } from "../data/example.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { BASE_NAMES, baseFolder, folderOf } from "../evaluate/base-checkpoint.js";
import { chatPrompt, showsHistory } from "../evaluate/chat/prompt.js";
import {
  CHAT_TEMPLATE_NAMES,
  chatTemplateByName,
  chosenChatTemplate,
  OWN_TEMPLATE,
  TRAINED_TEMPLATE,
} from "../evaluate/chat/templates.js";
import { type CompileOption, isCompiled } from "../evaluate/compiling.js";
import { roomAfter } from "../evaluate/continuation.js";
import { type AnswerOptions, GrowingAnswer } from "../evaluate/growing-answer.js";
import { loadModelFolder, type LoadedModel } from "../evaluate/model-folder.js";
import { encodePromptText } from "../evaluate/requests.js";
import { penaltiesField, samplingField } from "../evaluate/sampling.js";
import { CompiledDecoder } from "../model/compiled/compiled-decoder.js";
import { Decoder } from "../model/decoder.js";
import { DecodingLoop, type LoopLimits } from "./decoding/loop.js";
import { CompiledSlots, SingleSlots, type Slots } from "./decoding/slots.js";
import { tokenTextAfter } from "./decoding/token-text.js";
import { WrittenAnswer } from "./decoding/written-answer.js";
import { badRequest } from "./problem.js";
import { promptLogprobs } from "./prompt-logprobs.js";
import type {
  ChatMessage,
  CompletionEvent,
  CompletionRequest,
  ModelLoad,
  Prompt,
  PromptToken,
  ServedModel,
  ShownPrompt,
} from "./served-model.js";

/** How a model of the kit is served. */
export interface KitModelOptions extends CompileOption {
  /** What requests call it. */
  readonly id: string;
  /** Template of its chats; by default what it was trained with, or what fits it (`defaultChatTemplate`). */
  readonly template?: string;
  /** Answers that are written together (32). */
  readonly slots?: number;
  /** Requests that wait beside them (256). */
  readonly queue?: number;
}

const SLOTS = 32;
const QUEUE = 256;

/**
 * A model of a folder, or the decoder that ships with the kit when its name is given instead; the engine must have been
 * started. A decoder under the native engine answers in one batch (`CompiledSlots`); others read each answer alone.
 * @param folder as `loadModelFolder` takes it, or "decoder"
 * @throws KitError when the model cannot be loaded, or the template does not exist
 */
export async function kitModel(folder: string, options: KitModelOptions): Promise<ServedModel> {
  const directory = folder === BASE_NAMES[0] ? baseFolder(BASE_NAMES[0]) : folderOf(folder);
  const model = loadModelFolder(directory);
  try {
    return await serveLoaded(model, directory, options);
  } catch (error) {
    model.decoder.dispose();
    throw error;
  }
}

/**
 * A model that is loaded already, as `kitModel` serves it; it is disposed when it is closed.
 * @param directory where its own chat template is
 */
export async function serveLoaded(
  model: LoadedModel,
  directory: string,
  options: KitModelOptions,
): Promise<ServedModel> {
  const template = chosenChatTemplate(options.template, model.tokenizer, directory);
  const { slots, release } = await slotsOf(model, options);
  const limits = { slots: options.slots ?? SLOTS, queue: options.queue ?? QUEUE };
  return new KitModel(model, directory, template, options.id, { slots, release, limits });
}

/** How the model reads, and what ends that. */
interface Reading {
  readonly slots: Slots;
  readonly release: () => void;
  readonly limits: LoopLimits;
}

async function slotsOf(
  { decoder }: LoadedModel,
  options: CompileOption,
): Promise<Pick<Reading, "slots" | "release">> {
  // A server is asked often enough to be worth the recording.
  if (decoder instanceof Decoder && isCompiled(decoder, options, { passes: Infinity, positions: 0 })) {
    const compiled = CompiledDecoder.of(decoder);
    const release = await compiled.acquireCache();
    return { slots: new CompiledSlots(compiled, decoder.config.contextLength), release };
  }
  return { slots: new SingleSlots(decoder), release: () => undefined };
}

/** A prompt as token ids, and what ends the answer to it. */
interface ReadyPrompt {
  readonly ids: readonly number[];
  readonly template: string;
  readonly eos: number;
  readonly stop: readonly string[];
}

/** OpenAI's word for it. */
const CONTEXT_EXCEEDED = "context_length_exceeded";
/** No template: the text as it is. */
const NO_TEMPLATE = "none";

class KitModel implements ServedModel {
  readonly id: string;
  readonly #model: LoadedModel;
  readonly #directory: string;
  readonly #template: Template;
  readonly #loop: DecodingLoop;
  readonly #release: () => void;

  constructor(model: LoadedModel, directory: string, template: Template, id: string, reading: Reading) {
    this.id = id;
    this.#model = model;
    this.#directory = directory;
    this.#template = template;
    this.#loop = new DecodingLoop(id, reading.slots, reading.limits);
    this.#release = reading.release;
  }

  get template(): string {
    return this.#template.name;
  }

  get templates(): readonly string[] {
    const named = CHAT_TEMPLATE_NAMES.filter((name) => name !== OWN_TEMPLATE && name !== TRAINED_TEMPLATE);
    return [...new Set([this.template, ...named])];
  }

  get contextLength(): number {
    return this.#model.decoder.config.contextLength;
  }

  get load(): ModelLoad {
    return this.#loop.load;
  }

  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionEvent> {
    const { decoder, tokenizer } = this.#model;
    const { ids, eos, stop: templateStop } = this.#prompt(request.prompt);
    const maxNewTokens = this.#longest(ids, request.maxTokens);
    const stop = [...templateStop, ...request.stop];
    const options: AnswerOptions = {
      maxNewTokens,
      eos,
      stopTokens: [tokenizer.special.eos],
      ...(stop.length === 0 ? {} : { stop: { texts: stop, tokenizer } }),
      ...samplingField(request),
      ...penaltiesField(request),
    };
    const answer = new GrowingAnswer(decoder, ids, request.choice, options);
    const written = new WrittenAnswer(answer, tokenizer, {
      stop,
      topLogprobs: request.topLogprobs,
      signal,
    });
    this.#loop.add(written);
    return written.events;
  }

  async scorePrompt(prompt: Prompt, top: number): Promise<readonly PromptToken[]> {
    const { decoder, tokenizer } = this.#model;
    if (!(decoder instanceof Decoder))
      throw badRequest(`${this.id} reads a prompt as a whole and gives its tokens no probabilities`, "echo");
    const { ids } = this.#prompt(prompt);
    if (ids.length > this.contextLength) {
      throw badRequest(
        `a prompt of ${ids.length} tokens does not fit the context of ${this.contextLength} tokens; shorten it`,
        "prompt",
        CONTEXT_EXCEEDED,
      );
    }
    const scored = await promptLogprobs(decoder, ids, top);
    // The BOS of a text is the model's business; the first token that was sent has no probability in OpenAI's form.
    const sent = prompt.kind === "tokens" || ids[0] !== tokenizer.special.bos ? 0 : 1;
    return scored.slice(sent).map(({ id, after }, index): PromptToken => {
      const before = ids.slice(0, sent + index).slice(-1);
      const textOf = (token: number): string => tokenTextAfter(tokenizer, before, token);
      if (index === 0 || after === undefined) return { text: textOf(id), logprob: null, top: null };
      const others = after.top.map((other) => ({ text: textOf(other.id), logprob: other.logprob }));
      return { text: textOf(id), logprob: after.logprob, top: others };
    });
  }

  show(prompt: Prompt): ShownPrompt {
    const { ids, template } = this.#prompt(prompt);
    const { tokenizer } = this.#model;
    const special = new Map([...(tokenizer.addedTokens ?? [])].map(([text, id]) => [id, text]));
    return { text: shownText(ids, special, tokenizer), tokens: ids.length, template };
  }

  async close(): Promise<void> {
    await this.#loop.close();
    this.#release();
    this.#model.decoder.dispose();
  }

  /** Most tokens of an answer. @throws Problem when prompt and answer do not fit into the context */
  #longest(ids: readonly number[], wanted: number | undefined): number {
    const room = roomAfter(this.#model.decoder, ids);
    if (room >= (wanted ?? 1)) return wanted ?? room;
    const asked = wanted === undefined ? "" : ` and an answer of ${wanted}`;
    throw badRequest(
      `a prompt of ${ids.length} tokens${asked} does not fit the context of ${this.contextLength} tokens; ` +
        "shorten the prompt or lower max_tokens",
      wanted === undefined ? "prompt" : "max_tokens",
      CONTEXT_EXCEEDED,
    );
  }

  #prompt(prompt: Prompt): ReadyPrompt {
    const { decoder, tokenizer } = this.#model;
    const plain = { template: NO_TEMPLATE, eos: tokenizer.special.eos, stop: [] };
    switch (prompt.kind) {
      case "text":
        return { ids: encodePromptText(prompt.text, tokenizer, {}), ...plain };
      case "tokens": {
        const unknown = prompt.ids.find((id) => id >= decoder.config.vocabularySize);
        if (unknown === undefined) return { ids: prompt.ids, ...plain };
        throw badRequest(`there is no token ${unknown} in ${this.id}`, "prompt");
      }
      case "chat": {
        const template = this.#templateOf(prompt.template);
        const asked = chatRequest(prompt.messages, template);
        const { ids, dropped } = chatPrompt(this.#model, template, asked, -Infinity);
        if (dropped > 0)
          throw badRequest("the messages do not fit the context; send fewer", "messages", CONTEXT_EXCEEDED);
        return { ids, template: template.name, eos: endToken(template, tokenizer), stop: template.stop };
      }
    }
  }

  /** Files are the business of whoever starts the server, not of those who ask it. */
  #templateOf(name: string | undefined): Template {
    if (name === undefined || name === this.template) return this.#template;
    if (this.templates.includes(name)) return chatTemplateByName(name, this.#directory);
    throw badRequest(
      `${this.id} has no template "${name}"; there are ${this.templates.join(", ")}`,
      "template",
    );
  }
}

/** @throws Problem for messages that the template cannot show: what it is not shown would be dropped without a word */
function chatRequest(
  messages: readonly ChatMessage[],
  template: Template,
): { readonly text: string; readonly system?: string; readonly history: readonly Turn[] } {
  const [first] = messages;
  const system = first?.role === "system" ? first.content : undefined;
  const turns = system === undefined ? messages : messages.slice(1);
  const wrong = turns.findIndex(({ role }, index) => role !== (index % 2 === 0 ? "user" : "assistant"));
  if (wrong >= 0 || turns.length % 2 === 0) {
    throw badRequest(
      "the messages are an optional system message, then user and assistant in turn, and the last is the user's",
      "messages",
    );
  }
  if (messages.length > 1 && !showsHistory(template)) {
    throw badRequest(
      `template "${template.name}" shows single rows: no system message and nothing said before; ` +
        "send one user message (its first line is the instruction) or name a template of chats",
      "messages",
    );
  }
  const history = turns
    .slice(0, -1)
    .map(({ role, content }): Turn => ({ role: role === "user" ? "user" : "assistant", text: content }));
  return { text: turns.at(-1)?.content ?? "", history, ...(system === undefined ? {} : { system }) };
}

/** What the model reads, special tokens included. */
function shownText(
  ids: readonly number[],
  special: ReadonlyMap<number, string>,
  tokenizer: Tokenizer,
): string {
  let text = "";
  let plain: number[] = [];
  for (const id of ids) {
    const token = special.get(id);
    if (token === undefined) {
      plain.push(id);
      continue;
    }
    text += tokenizer.decode(plain) + token;
    plain = [];
  }
  return text + tokenizer.decode(plain);
}
