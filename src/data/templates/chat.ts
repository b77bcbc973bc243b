import { KitError } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import type { Example } from "../example.js";
import type { Message, Role, Segment, Template } from "../template.js";
import { align, type AlignedPiece, hasMark, markOf, type Slot } from "./align.js";
import { JinjaTemplate } from "./jinja/template.js";
import { missing } from "./pattern.js";

/** What a chat template is made of. */
export interface ChatTemplateOptions {
  readonly name: string;
  /**
   * "ift" shows instruction and input in the user's turn, a blank line between them, or the one that the row has; "sft" shows
   * the input alone.
   */
  readonly format: "sft" | "ift";
  /** The Jinja text, as in the `chat_template` of a tokenizer_config.json. */
  readonly chatTemplate: string;
  /** Texts of the tokens that the template writes: they become tokens where the tokenizer has them. */
  readonly specialTokens: readonly string[];
  /** What `bos_token` and `eos_token` are in the template; empty where the model has none. */
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** System prompt of conversations that have none. */
  readonly system?: string;
  /** Further variables of the template, such as `date_string` or `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** A turn as the template is given it: its content is the texts of some slots. */
interface ChatTurn {
  readonly role: Role;
  readonly slots: readonly number[];
}

/** A conversation, and the texts in it. */
interface Conversation {
  /** The row's, for messages. */
  readonly id: string;
  readonly turns: readonly ChatTurn[];
  readonly slots: readonly Slot[];
  readonly tools: unknown;
}

/** A slot for each of the two tokens that a template may write by variable. */
const BOS = 0;
const EOS = 1;

/**
 * A template from a `chat_template` of Hugging Face `transformers`. The prompt is what inference is given
 * (`add_generation_prompt`), the response is the last turn and its end: the two are rendered by the template itself, and
 * the first must be the beginning of the second. Turns of `history` are prompt.
 *
 *     <|im_start|>user\nClassify.\n\nGreat movie!<|im_end|>\n<|im_start|>assistant\n | Positive<|im_end|>
 *
 * Differences to `apply_chat_template`: a row has the one BOS that the tokenizer wants, whether the template writes it or
 * not; what the template writes behind the token that ends the last turn is left out, because generation stops there.
 * @throws KitError for a text that is not Jinja, or that does not render one question and one answer
 */
export function chatTemplate(options: ChatTemplateOptions): Template {
  const { name, format, specialTokens, bosToken = "", eosToken = "", variables = {} } = options;
  const what = `chat template "${name}"`;
  const jinja = new JinjaTemplate(what, options.chatTemplate, "chat");
  const writer = new ChatWriter(what, jinja, options);
  const probe = writer.write(conversationOf(PROBE, options));
  const stop = probe.at(-1)?.segments.at(-1);
  const stopToken = stop?.source === "special" && stop.token === undefined ? stop.text : undefined;
  return {
    name,
    format,
    stop: stopToken === undefined ? [] : [stopToken],
    ...(stopToken === undefined ? {} : { stopToken }),
    hash: hashJson({
      kind: "chat",
      version: 1,
      format,
      chatTemplate: options.chatTemplate,
      specialTokens,
      bosToken,
      eosToken,
      system: options.system,
      variables,
    }),
    render: (example) => writer.write(conversationOf(example, options)),
  };
}

const PROBE: Example = {
  id: "probe",
  task: "probe",
  taskType: "probe",
  instruction: "question",
  input: "question",
  outputs: ["answer"],
  source: "probe",
};

/** Renders conversations and finds the segments of the text. */
class ChatWriter {
  readonly #what: string;
  readonly #jinja: JinjaTemplate;
  readonly #options: ChatTemplateOptions;
  readonly #special: RegExp | undefined;
  readonly #readsTools: boolean;
  /** The template rendered with marks, by what decides it: roles, slots and tools. */
  readonly #marked = new Map<string, string>();

  constructor(what: string, jinja: JinjaTemplate, options: ChatTemplateOptions) {
    this.#what = what;
    this.#jinja = jinja;
    this.#options = options;
    this.#readsTools = jinja.variables().has("tools");
    const texts = [...options.specialTokens]
      .filter((text) => text !== "")
      .sort((a, b) => b.length - a.length);
    this.#special =
      texts.length === 0 ? undefined : new RegExp(`(${texts.map(escapeRegExp).join("|")})`, "u");
  }

  write(conversation: Conversation): Message[] {
    this.#refuse(conversation);
    const { turns, slots } = conversation;
    const textOf = (slot: number): string => slots[slot]?.text ?? "";
    const full = this.#render(turns, textOf, conversation.tools, false);
    const prompt = this.#render(turns.slice(0, -1), textOf, conversation.tools, true);
    if (!full.startsWith(prompt)) {
      throw new KitError(
        `${this.#what} writes the conversation before an answer in another way once the answer is there`,
        "use a template whose generation prompt is the beginning of the answered conversation",
      );
    }
    const pieces = align(this.#markedText(conversation), full, slots);
    if (pieces === undefined) {
      throw new KitError(
        `${this.#what} changes the texts of example "${conversation.id}", or decides by what they say`,
        "use a template that shows the texts as they are, or leave the row out",
      );
    }
    return this.#toMessages(pieces, prompt.length, conversation);
  }

  #render(
    turns: readonly ChatTurn[],
    textOf: (slot: number) => string,
    tools: unknown,
    addGenerationPrompt: boolean,
  ): string {
    return this.#jinja.render({
      ...this.#options.variables,
      messages: turns.map(({ role, slots }) => ({ role, content: slots.map(textOf).join("") })),
      bos_token: textOf(BOS),
      eos_token: textOf(EOS),
      ...(tools === undefined ? {} : { tools }),
      add_generation_prompt: addGenerationPrompt,
    });
  }

  #markedText({ turns, tools }: Conversation): string {
    const key = JSON.stringify([turns, tools]);
    const known = this.#marked.get(key);
    if (known !== undefined) return known;
    const text = this.#render(turns, markOf, tools, false);
    if (this.#marked.size >= 1000) this.#marked.clear();
    this.#marked.set(key, text);
    return text;
  }

  #refuse({ id, slots, tools }: Conversation): void {
    if (slots.some(({ text }) => hasMark(text))) {
      throw new KitError(
        `a text of example "${id}" holds a private-use character (U+E000 or U+E001)`,
        "remove it from the data",
      );
    }
    if (tools === undefined) return;
    if (!this.#readsTools) {
      throw new KitError(
        `${this.#what} has no place for the tools of example "${id}"`,
        "use a template that shows tools",
      );
    }
    const special = this.#special?.exec(JSON.stringify(tools))?.[0];
    if (special !== undefined) {
      throw new KitError(
        `a tool of example "${id}" says ${special}, a token of ${this.#what}`,
        "leave the row out",
      );
    }
  }

  /** Prompt and response, cut where the generation prompt ends. */
  #toMessages(pieces: readonly AlignedPiece[], promptLength: number, conversation: Conversation): Message[] {
    const { slots, turns } = conversation;
    const response = slots.length - 1;
    const prompt: Tagged[] = [];
    const answer: Segment[] = [];
    let at = 0;
    for (const { text, slot } of pieces) {
      const given = slot === undefined ? undefined : slots[slot];
      if (slot === response && given !== undefined && text !== given.text)
        throw this.#changed(conversation.id);
      const inPrompt = Math.min(Math.max(promptLength - at, 0), text.length);
      if (inPrompt > 0) prompt.push(...this.#tagged(text.slice(0, inPrompt), given, roleOfSlot(turns, slot)));
      if (inPrompt < text.length || slot === response)
        answer.push(...this.#segments(text.slice(inPrompt), given));
      at += text.length;
    }
    return [...grouped(prompt), { role: "assistant", segments: this.#endOfTurn(answer) }];
  }

  #segments(text: string, slot: Slot | undefined): Segment[] {
    if (slot !== undefined) {
      const { source, token } = slot;
      return [{ text, source, ...(token === undefined ? {} : { token }) }];
    }
    const parts = this.#special === undefined ? [text] : text.split(this.#special);
    return parts.flatMap((part, index) =>
      part === ""
        ? []
        : [{ text: part, source: index % 2 === 1 ? ("special" as const) : ("scaffold" as const) }],
    );
  }

  #tagged(text: string, slot: Slot | undefined, role: Role | undefined): Tagged[] {
    return this.#segments(text, slot).map((segment) => ({ segment, role }));
  }

  /** White space, the reference, and the token that ends the turn, if there is one; what follows is left out. */
  #endOfTurn(segments: readonly Segment[]): Segment[] {
    const at = segments.findIndex(({ source }) => source === "response");
    const lead = segments.slice(0, at);
    const tail = segments.slice(at + 1);
    const end = tail.findIndex(({ source }) => source === "special");
    const between = end < 0 ? tail : tail.slice(0, end);
    const other = [...lead, ...between].find(({ text }) => text.trim() !== "");
    if (at < 0 || other !== undefined) {
      throw new KitError(
        `${this.#what} writes ${JSON.stringify(other?.text ?? "no answer")} into the answer itself`,
        "use a template whose answers are the reference, white space and a token that ends the turn",
      );
    }
    return end < 0 ? segments.slice(0, at + 1) : segments.slice(0, at + end + 2);
  }

  #changed(id: string): KitError {
    return new KitError(
      `${this.#what} would take the white space from the ends of the answer of example "${id}"`,
      "trim the references first, or drop such rows",
      { field: "output" },
    );
  }
}

/** A piece of the prompt, and who says it; undefined for the template's own text. */
interface Tagged {
  readonly segment: Segment;
  readonly role: Role | undefined;
}

/**
 * The prompt's segments as messages. The template's own text belongs to the turn that follows; up to a special token that
 * stands right behind a turn, to that turn.
 */
function grouped(tagged: readonly Tagged[]): Message[] {
  const messages: { role: Role; segments: Segment[] }[] = [];
  tagged.forEach(({ segment, role }, index) => {
    const next = tagged.slice(index).find((other) => other.role !== undefined)?.role ?? "assistant";
    const before = tagged[index - 1]?.role;
    const own = role ?? (before !== undefined && segment.source === "special" ? before : next);
    const last = messages.at(-1);
    if (last?.role === own) last.segments.push(segment);
    else messages.push({ role: own, segments: [segment] });
  });
  return messages;
}

function roleOfSlot(turns: readonly ChatTurn[], slot: number | undefined): Role | undefined {
  return slot === undefined ? undefined : turns.find(({ slots }) => slots.includes(slot))?.role;
}

/** The conversation of a row: system prompt, history, the request, the reference. */
function conversationOf(example: Example, options: ChatTemplateOptions): Conversation {
  const { name, format, system, bosToken = "", eosToken = "" } = options;
  const slots: Slot[] = [
    { text: bosToken, source: "special", token: "bos", trimmable: false },
    { text: eosToken, source: "special", token: "eos", trimmable: false },
  ];
  const turns: ChatTurn[] = [];
  const say = (role: Role, segments: readonly Segment[]): void => {
    const first = slots.length;
    for (const segment of segments) slots.push({ ...segment, trimmable: true });
    turns.push({ role, slots: segments.map((_, index) => first + index) });
  };
  const history = example.history ?? [];
  if (system !== undefined && !history.some(({ role }) => role === "system"))
    say("system", [{ text: system, source: "scaffold" }]);
  for (const { role, text } of history) say(role, [{ text, source: "history" }]);
  const answersTool =
    history.at(-1)?.role === "tool" && example.input === "" && example.instruction === undefined;
  if (!answersTool) say("user", requestOf(name, format, example));
  const output = example.outputs[0];
  if (output === undefined) throw missing(name, example, "outputs");
  say("assistant", [{ text: output, source: "response" }]);
  return {
    id: example.id,
    turns,
    slots,
    tools: example.tools === undefined ? undefined : toolsOf(example.tools),
  };
}

function requestOf(name: string, format: "sft" | "ift", example: Example): Segment[] {
  const { instruction = "", input } = example;
  if (format === "sft") {
    if (input === "") throw missing(name, example, "input");
    return [{ text: input, source: "input" }];
  }
  // A turn of a conversation is a request as it is: its reader has no instruction to tell apart from the input.
  if (instruction === "" && input === "") throw missing(name, example, "instruction");
  const parts: Segment[] = [
    { text: instruction, source: "instruction" },
    { text: instruction === "" || input === "" ? "" : "\n\n", source: "scaffold" },
    { text: input, source: "input" },
  ];
  return parts.filter(({ text }) => text !== "");
}

function toolsOf(text: string): unknown {
  try {
    const tools: unknown = JSON.parse(text);
    if (Array.isArray(tools)) return tools;
  } catch {
    // Told below, as for JSON that is no list.
  }
  throw new KitError("the tools of this row are not a JSON list", "correct the row or leave it out", {
    field: "tools",
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
