import type { Example, Turn } from "../../data/example.js";
import { renderPrompt } from "../../data/render.js";
import type { Template } from "../../data/template.js";
import type { LanguageModel } from "../../model/load.js";
import { T5 } from "../../model/t5/t5.js";
import { KitError } from "../../support/errors.js";
import type { LoadedModel } from "../model-folder.js";

/** A prompt for the next answer, and what of the conversation had to go. */
export interface ChatPrompt {
  readonly ids: readonly number[];
  /** Earlier turns that do not fit into the context any more, the oldest ones; question and answer are two. */
  readonly dropped: number;
}

/** What is said in a conversation. */
export interface Request {
  readonly text: string;
  readonly system?: string;
  /** Questions and answers in turn, oldest first. */
  readonly history: readonly Turn[];
}

/**
 * The prompt of the next answer, through the renderer that training uses: what a user says never becomes a special token.
 * Where the conversation does not fit, its oldest question and answer go first; the system prompt and the question stay.
 * @param room tokens of the context that are kept free for the answer
 * @throws KitError when the question alone does not fit, or the template cannot show it
 */
export function chatPrompt(
  { decoder, tokenizer }: LoadedModel,
  template: Template,
  { text, system, history }: Request,
  room: number,
): ChatPrompt {
  const maxTokens = promptTokens(decoder, room);
  const policy = { maxTokens: Infinity, overlong: "drop", lossOn: "response" } as const;
  const begin: readonly Turn[] = system === undefined ? [] : [{ role: "system", text: system }];
  const shown = showsHistory(template) ? history : [];
  for (let dropped = 0; dropped <= shown.length; dropped += 2) {
    const example = requestExample(template, text, [...begin, ...shown.slice(dropped)]);
    const rendered = renderPrompt(example, template, tokenizer, policy);
    // The encoder of a T5 has seen an end token behind every text.
    const ids = decoder instanceof T5 ? [...rendered, tokenizer.special.eos] : rendered;
    if (ids.length <= maxTokens) return { ids, dropped };
    if (dropped + 2 > shown.length) {
      throw new KitError(
        `what was said has ${ids.length} tokens, and ${maxTokens} fit beside an answer`,
        "say it in fewer words, or ask for shorter answers",
      );
    }
  }
  throw new RangeError("a conversation has whole turns");
}

/** Whether a template shows what was said before: those of chats do, those of single rows do not. */
export function showsHistory(template: Template): boolean {
  const known = SHOWS_HISTORY.get(template);
  if (known !== undefined) return known;
  const messages = template.render({
    ...rowOf(template),
    instruction: "question",
    input: "question",
    history: [
      { role: "user", text: "earlier" },
      { role: "assistant", text: "answered" },
    ],
  });
  const shows = messages.some(({ segments }) => segments.some(({ source }) => source === "history"));
  SHOWS_HISTORY.set(template, shows);
  return shows;
}

const SHOWS_HISTORY = new WeakMap<Template, boolean>();

/** Most tokens of a prompt: an encoder-decoder reads it in one stack and writes in another. */
function promptTokens(model: LanguageModel, room: number): number {
  const { contextLength } = model.config;
  return model instanceof T5 ? contextLength : contextLength - room;
}

/**
 * What is said as a row. A template of conversations shows it as it is. In one of single rows the first line is the
 * instruction and the others are the input; without instructions, all of it is the input.
 */
function requestExample(template: Template, text: string, history: readonly Turn[]): Example {
  if (template.format === "sft") return { ...rowOf(template), input: text, history };
  if (showsHistory(template)) return { ...rowOf(template), instruction: text, history };
  const [instruction = "", ...input] = text.split("\n");
  return { ...rowOf(template), instruction, input: input.join("\n") };
}

/** Answer and rationale are there for the template's sake, which shows where they go; the prompt ends before them. */
function rowOf({ name }: Template): Example {
  const answer = { outputs: ["answer"], rationale: "thoughts" };
  return { id: "what was said", task: name, taskType: name, input: "", ...answer, source: "chat" };
}
