/** One message of a chat. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What is to be answered: a text that goes on, its token ids, or a chat in a template. */
export type Prompt =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tokens"; readonly ids: readonly number[] }
  | {
      readonly kind: "chat";
      readonly messages: readonly ChatMessage[];
      /** Name of a template; by default that of the model. */
      readonly template?: string;
    };

/** One answer that is asked for. */
export interface CompletionRequest {
  readonly prompt: Prompt;
  /** Longest answer, in tokens; by default as long as the context allows. */
  readonly maxTokens?: number;
  /** 0 takes the most probable token each time. */
  readonly temperature: number;
  /** As in `Sampling`. */
  readonly topP?: number;
  /** As in `CountPenalties`. */
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly seed: number;
  /** Which of several answers to one request this is: each draws from numbers of its own. */
  readonly choice: number;
  /** Texts that end the answer and are not in it, besides those of the template. */
  readonly stop: readonly string[];
  /** Log-probabilities are wanted, and of so many of the most probable tokens beside the chosen one. */
  readonly topLogprobs?: number;
}

/** A token and its log-probability: natural, of the model as it is, before temperature and top-p. */
export interface TokenLogprob {
  readonly text: string;
  readonly logprob: number;
}

/** A token of an answer, with those that were the most probable in its place, best first. */
export interface ScoredToken extends TokenLogprob {
  readonly top: readonly TokenLogprob[];
}

/** A token of a prompt; nothing comes before the first, so that it has no probability. */
export interface PromptToken {
  readonly text: string;
  readonly logprob: number | null;
  readonly top: readonly TokenLogprob[] | null;
}

/** What happens while an answer is written: pieces of its text, then its end. */
export type CompletionEvent =
  | { readonly kind: "piece"; readonly text: string; readonly tokens: readonly ScoredToken[] }
  | {
      readonly kind: "end";
      /** The model ended it or a stop text did; or it is as long as it may be. */
      readonly reason: "stop" | "length";
      readonly promptTokens: number;
      readonly completionTokens: number;
      /** The end token, where the model ended it and log-probabilities are wanted; it is not in the text. */
      readonly endToken?: ScoredToken;
    };

/** A prompt as the model is given it. */
export interface ShownPrompt {
  readonly text: string;
  readonly tokens: number;
  readonly template: string;
}

/** What a model is at work on. */
export interface ModelLoad {
  /** Requests that wait. */
  readonly waiting: number;
  /** Requests that are answered now. */
  readonly active: number;
  /** Requests that could still wait. */
  readonly room: number;
}

/** Something that answers under a name. */
export interface ServedModel {
  readonly id: string;
  /** Template of its chats, unless a request names another of `templates`. */
  readonly template: string;
  readonly templates: readonly string[];
  /** Tokens of prompt and answer together. */
  readonly contextLength: number;
  readonly load: ModelLoad;
  /**
   * Begins to answer.
   * @param signal ends it; the iteration then throws the signal's reason
   * @throws Problem or KitError, here or when it is iterated, for a request that gets no answer
   */
  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionEvent>;
  /**
   * The tokens of a prompt, without a BOS that the model puts before a text.
   * @param top how many of the most probable tokens are told in each place
   * @throws Problem or KitError for a model without such probabilities, and for a prompt that does not fit the context
   */
  scorePrompt(prompt: Prompt, top: number): Promise<readonly PromptToken[]>;
  /** @throws Problem or KitError for a prompt that cannot be shown */
  show(prompt: Prompt): ShownPrompt;
  /** Frees what it holds, when nothing is asked any more. */
  close(): Promise<void>;
}
