import { badRequest, type Problem } from "./problem.js";
import type { CompletionEvent, CompletionRequest, Prompt, ServedModel, ShownPrompt } from "./served-model.js";

/** What a script says: the text, and whether it is cut off there. */
export type ScriptedReply = string | { readonly text: string; readonly reason: "stop" | "length" };

/**
 * Answers a request; throws a `Problem` for one that gets an error instead.
 * @param call how many requests came before this one
 */
export type Script = (
  request: CompletionRequest,
  call: number,
  signal: AbortSignal,
) => ScriptedReply | Promise<ScriptedReply>;

/**
 * A model that says what a script tells it to: to test what asks models without one. Its tokens are words with the white
 * space before them. Stop texts and the longest answer count; the rest of a request is the script's business.
 *
 *     const server = await startServer({ models: [scriptedModel("teacher", () => "1. Name a plum.")] });
 */
export function scriptedModel(id: string, script: Script): ServedModel {
  let calls = 0;
  let active = 0;
  async function* complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionEvent> {
    if (request.topLogprobs !== undefined) throw withoutProbabilities(id);
    active++;
    try {
      const reply = await script(request, calls++, signal);
      signal.throwIfAborted();
      const { text, reason } = typeof reply === "string" ? { text: reply, reason: "stop" as const } : reply;
      const starts = request.stop.map((stop) => text.indexOf(stop)).filter((start) => start >= 0);
      const words = wordsOf(text.slice(0, Math.min(text.length, ...starts)));
      const said = words.slice(0, request.maxTokens ?? words.length);
      for (const word of said) yield { kind: "piece", text: word, tokens: [] };
      yield {
        kind: "end",
        reason: said.length < words.length ? "length" : reason,
        promptTokens: wordsOf(textOf(request.prompt)).length,
        completionTokens: said.length,
      };
    } finally {
      active--;
    }
  }
  return {
    id,
    template: "scripted",
    templates: ["scripted"],
    contextLength: Number.MAX_SAFE_INTEGER,
    get load() {
      return { waiting: 0, active, room: Number.MAX_SAFE_INTEGER };
    },
    complete,
    scorePrompt: () => Promise.reject(withoutProbabilities(id)),
    show: (prompt): ShownPrompt => {
      const text = textOf(prompt);
      return { text, tokens: wordsOf(text).length, template: "scripted" };
    },
    close: () => Promise.resolve(),
  };
}

function withoutProbabilities(id: string): Problem {
  return badRequest(`${id} is scripted and has no probabilities; leave logprobs out`, "logprobs");
}

function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

function textOf(prompt: Prompt): string {
  switch (prompt.kind) {
    case "text":
      return prompt.text;
    case "tokens":
      throw badRequest("a scripted model has no tokens; send the prompt as text", "prompt");
    case "chat":
      return prompt.messages.map(({ role, content }) => `${role}: ${content}`).join("\n");
  }
}
