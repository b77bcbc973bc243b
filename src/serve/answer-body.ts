import type { Asked } from "./request-body.js";
import type { PromptToken, ScoredToken, TokenLogprob } from "./served-model.js";

/** One answer, whole. */
export interface Choice {
  readonly text: string;
  /** With `echo` and log-probabilities: the tokens of the prompt, which come first in the text. */
  readonly echoed: readonly PromptToken[];
  readonly tokens: readonly ScoredToken[];
  readonly reason: "stop" | "length";
}

/** Numbers of tokens, in OpenAI's form. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** How answers of one of the two forms look, whole and in pieces. */
export interface AnswerForm {
  readonly idPrefix: string;
  whole(asked: Asked, choices: readonly Choice[]): object;
  /** @param offset characters of the answer before the piece */
  piece(asked: Asked, index: number, text: string, tokens: readonly ScoredToken[], offset: number): object;
  /** The prompt, before the answer. */
  echo(asked: Asked, index: number, text: string, tokens: readonly PromptToken[]): object;
  /** What comes first in a stream of chunks, for each choice. */
  first(index: number): object | undefined;
  last(index: number, reason: Choice["reason"]): object;
  readonly objects: { readonly whole: string; readonly chunk: string };
}

const wantsLogprobs = ({ requests }: Asked): boolean => requests[0]?.topLogprobs !== undefined;

/** `/v1/completions` */
export const COMPLETION_FORM: AnswerForm = {
  idPrefix: "cmpl",
  objects: { whole: "text_completion", chunk: "text_completion" },
  whole: (asked, choices) => ({
    choices: choices.map(({ text, echoed, tokens, reason }, index) => ({
      index,
      text,
      logprobs: wantsLogprobs(asked) ? completionLogprobs([...echoed, ...tokens], 0) : null,
      finish_reason: reason,
    })),
  }),
  piece: (asked, index, text, tokens, offset) => ({
    index,
    text,
    logprobs: wantsLogprobs(asked) ? completionLogprobs(tokens, offset) : null,
    finish_reason: null,
  }),
  echo: (asked, index, text, tokens) => ({
    index,
    text,
    logprobs: wantsLogprobs(asked) ? completionLogprobs(tokens, 0) : null,
    finish_reason: null,
  }),
  first: () => undefined,
  last: (index, reason) => ({ index, text: "", logprobs: null, finish_reason: reason }),
};

/** `/v1/chat/completions` */
export const CHAT_FORM: AnswerForm = {
  idPrefix: "chatcmpl",
  objects: { whole: "chat.completion", chunk: "chat.completion.chunk" },
  whole: (asked, choices) => ({
    choices: choices.map(({ text, tokens, reason }, index) => ({
      index,
      message: { role: "assistant", content: text, refusal: null },
      logprobs: wantsLogprobs(asked) ? chatLogprobs(tokens) : null,
      finish_reason: reason,
    })),
  }),
  piece: (asked, index, text, tokens) => ({
    index,
    delta: { content: text },
    logprobs: wantsLogprobs(asked) ? chatLogprobs(tokens) : null,
    finish_reason: null,
  }),
  echo: () => {
    throw new RangeError("a chat has no echo");
  },
  first: (index) => ({
    index,
    delta: { role: "assistant", content: "" },
    logprobs: null,
    finish_reason: null,
  }),
  last: (index, reason) => ({ index, delta: {}, logprobs: null, finish_reason: reason }),
};

/** Numbers of tokens of a request: a prompt counts once, however many answers it gets. */
export function usageOf(promptTokens: number, completionTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function completionLogprobs(tokens: readonly PromptToken[], offset: number): object {
  let at = offset;
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(topByText),
    text_offset: tokens.map(({ text }) => (at += text.length) - text.length),
  };
}

/** The most probable tokens and, as OpenAI has it, the chosen one. Of tokens with one text the most probable is told. */
function topByText({ text, logprob, top }: PromptToken): Readonly<Record<string, number>> | null {
  if (top === null || logprob === null) return null;
  const all = top.length === 0 ? [] : [{ text, logprob }, ...[...top].reverse()];
  return Object.fromEntries(all.map((each) => [each.text, each.logprob]));
}

function chatLogprobs(tokens: readonly ScoredToken[]): object {
  return {
    content: tokens.map((token) => ({ ...chatToken(token), top_logprobs: token.top.map(chatToken) })),
    refusal: null,
  };
}

function chatToken({ text, logprob }: TokenLogprob): object {
  // A token that is part of a character only has no text of its own, so its bytes are not known from it.
  return { token: text, logprob, bytes: text.includes("\uFFFD") ? null : [...Buffer.from(text)] };
}
