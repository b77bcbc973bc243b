import { randomUUID } from "node:crypto";
import { type AnswerForm, type Choice, type Usage, usageOf } from "./answer-body.js";
import type { Outcome, ServeMetrics } from "./metrics.js";
import { CLIENT_GONE, problemOf, queueIsFull } from "./problem.js";
import type { Asked } from "./request-body.js";
import type { CompletionEvent, Prompt, PromptToken, ScoredToken, ServedModel } from "./served-model.js";

/** An event of one of the answers to a request. */
type ChoiceEvent = CompletionEvent & { readonly index: number };

/** A choice that is not whole yet. */
interface Growing extends Choice {
  text: string;
  tokens: ScoredToken[];
  reason: Choice["reason"];
}

/** One request at work: its answers are written side by side. */
export class Answering {
  readonly #model: ServedModel;
  readonly #asked: Asked;
  readonly #form: AnswerForm;
  readonly #metrics: ServeMetrics;
  readonly #answers: readonly AsyncIterable<CompletionEvent>[];
  readonly #head: { readonly id: string; readonly created: number; readonly model: string };
  /** What stands before the answers; empty without `echo`. */
  readonly #echoes: readonly string[];
  readonly #began = performance.now();
  #promptTokens = 0;
  #completionTokens = 0;

  /**
   * @param signal ends it: the client went away, or the time is over
   * @throws Problem or KitError for a request that gets no answer
   */
  constructor(
    model: ServedModel,
    asked: Asked,
    form: AnswerForm,
    metrics: ServeMetrics,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#asked = asked;
    this.#form = form;
    this.#metrics = metrics;
    const created = Math.floor(Date.now() / 1000);
    this.#head = { id: `${form.idPrefix}-${randomUUID()}`, created, model: model.id };
    // All or none of the answers to a request wait.
    const { room } = model.load;
    if (asked.requests.length > room) throw queueIsFull(model.id, room);
    this.#echoes = asked.requests.map(({ prompt }) => (asked.echo ? textOf(model, prompt) : ""));
    this.#answers = asked.requests.map((request) =>
      request.maxTokens === 0 ? noAnswer(model, request.prompt) : model.complete(request, signal),
    );
  }

  /** The whole answer as one body. */
  async whole(): Promise<object> {
    const echoed = await this.#scoredEchoes();
    const choices = this.#echoes.map((text, index): Growing => ({
      text,
      echoed: echoed[index] ?? [],
      tokens: [],
      reason: "stop",
    }));
    for await (const event of this.#events()) {
      const choice = choices[event.index];
      if (choice === undefined) continue;
      if (event.kind === "end") {
        choice.reason = event.reason;
        choice.tokens.push(...this.#endTokens(event));
      } else {
        choice.text += event.text;
        choice.tokens.push(...event.tokens);
      }
    }
    const object = this.#form.objects.whole;
    return { ...this.#head, object, ...this.#form.whole(this.#asked, choices), usage: this.#usage() };
  }

  /** The answer as chunks; the first comes when there is something to say, so that until then an error is a status. */
  async *chunks(): AsyncGenerator<object> {
    const echoed = await this.#scoredEchoes();
    const offsets = this.#echoes.map((_, index) => lengthOf(echoed[index] ?? []));
    const chunk = (choices: readonly object[], usage?: Usage): object => ({
      ...this.#head,
      object: this.#form.objects.chunk,
      choices,
      ...(this.#asked.streamUsage ? { usage: usage ?? null } : {}),
    });
    const spoken = new Set<number>();
    for await (const event of this.#events()) {
      const { index } = event;
      if (!spoken.has(index)) {
        spoken.add(index);
        const first = this.#form.first(index);
        if (first !== undefined) yield chunk([first]);
        const echo = this.#echoes[index] ?? "";
        if (echo !== "") yield chunk([this.#form.echo(this.#asked, index, echo, echoed[index] ?? [])]);
      }
      const offset = offsets[index] ?? 0;
      if (event.kind === "end") {
        const last = this.#endTokens(event);
        if (last.length > 0) yield chunk([this.#form.piece(this.#asked, index, "", last, offset)]);
        yield chunk([this.#form.last(index, event.reason)]);
      } else {
        yield chunk([this.#form.piece(this.#asked, index, event.text, event.tokens, offset)]);
        offsets[index] = offset + lengthOf(event.tokens);
      }
    }
    if (this.#asked.streamUsage) yield chunk([], this.#usage());
  }

  /** The tokens of the prompts with their log-probabilities, where both are asked for; each prompt is read once. */
  async #scoredEchoes(): Promise<readonly (readonly PromptToken[])[]> {
    try {
      return this.#asked.echo ? await this.#scorePrompts() : [];
    } catch (error) {
      this.#metrics.ended(this.#model.id, outcomeOf(error));
      throw error;
    }
  }

  async #scorePrompts(): Promise<readonly (readonly PromptToken[])[]> {
    const { requests } = this.#asked;
    const known = new Map<Prompt, readonly PromptToken[]>();
    for (const { prompt, topLogprobs } of requests) {
      if (topLogprobs === undefined || known.has(prompt)) continue;
      known.set(prompt, await this.#model.scorePrompt(prompt, topLogprobs));
      // Other requests are heard between two prompts.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return requests.map(({ prompt }) => known.get(prompt) ?? []);
  }

  /** With `echo`, a list that ends in the end token: whoever scores counts on a token that was generated. */
  #endTokens({ endToken }: Extract<CompletionEvent, { kind: "end" }>): readonly ScoredToken[] {
    return this.#asked.echo && endToken !== undefined ? [endToken] : [];
  }

  #usage(): Usage {
    return usageOf(this.#promptTokens, this.#completionTokens);
  }

  /** Events of all answers as they come; counts the request when it is over. */
  async *#events(): AsyncGenerator<ChoiceEvent> {
    let outcome: Outcome = "cancelled";
    try {
      yield* merged(this.#answers.map((answer, index) => this.#counted(answer, index)));
      outcome = "completed";
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      this.#metrics.ended(this.#model.id, outcome);
    }
  }

  async *#counted(answer: AsyncIterable<CompletionEvent>, index: number): AsyncGenerator<ChoiceEvent> {
    let first: number | undefined;
    const seconds = (): number => (performance.now() - this.#began) / 1000;
    for await (const event of answer) {
      first ??= seconds();
      if (event.kind === "end") {
        // Answers to the same prompt share it.
        const samePrompt = this.#asked.requests.findIndex(
          ({ prompt }) => prompt === this.#asked.requests[index]?.prompt,
        );
        const promptTokens = samePrompt === index ? event.promptTokens : 0;
        this.#promptTokens += promptTokens;
        this.#completionTokens += event.completionTokens;
        const tokens = { prompt: promptTokens, completion: event.completionTokens };
        this.#metrics.answered(this.#model.id, tokens, { first, rest: seconds() - first });
      }
      yield { ...event, index };
    }
  }
}

/** The end of an answer of no tokens. */
async function* noAnswer(model: ServedModel, prompt: Prompt): AsyncGenerator<CompletionEvent> {
  const { tokens: promptTokens } = await Promise.resolve(model.show(prompt));
  yield { kind: "end", reason: "length", promptTokens, completionTokens: 0 };
}

/** Characters of the texts of tokens. */
function lengthOf(tokens: readonly Pick<PromptToken, "text">[]): number {
  return tokens.reduce((sum, { text }) => sum + text.length, 0);
}

/** What `echo` writes of a prompt. */
function textOf(model: ServedModel, prompt: Prompt): string {
  return prompt.kind === "text" ? prompt.text : model.show(prompt).text;
}

/** How a request ended that failed with this. */
export function outcomeOf(error: unknown): Outcome {
  switch (problemOf(error).details.status) {
    case 429:
      return "busy";
    case CLIENT_GONE:
      return "cancelled";
    case 504:
      return "timeout";
    case 500:
    case 503:
      return "failed";
    default:
      return "refused";
  }
}

/** Items of several sources, each as soon as it is there. */
async function* merged<Item>(sources: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  const nextOf = async (source: AsyncGenerator<Item>) => ({ source, result: await source.next() });
  const waiting = new Map(sources.map((source) => [source, nextOf(source)]));
  try {
    while (waiting.size > 0) {
      const { source, result } = await Promise.race(waiting.values());
      if (result.done === true) {
        waiting.delete(source);
      } else {
        waiting.set(source, nextOf(source));
        yield result.value;
      }
    }
  } finally {
    // One that failed ends the others; their own ends are not awaited here, because they may wait for a token.
    for (const [source, promise] of waiting) {
      promise.catch(() => undefined);
      void source.return(undefined).catch(() => undefined);
    }
  }
}
