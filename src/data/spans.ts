import type { Role, Source } from "./template.js";

/**
 * A rendered and tokenized example: four arrays of the same length `[tokens]`. The mask is known when the text is
 * rendered and travels with the ids to the loss; it is never recovered by searching for marker tokens.
 *
 *     text        <bos> Classify: Great movie! =>  Positive <eos>
 *     supervised    0      0    0   0     0    0      1       1
 *
 * `supervised[i]` says that token `i` is a target: the loss is on predicting token `i` from the tokens before it.
 */
export interface Spans {
  /** The example's id. */
  readonly id: string;
  readonly taskType: string;
  readonly ids: readonly number[];
  readonly supervised: readonly boolean[];
  readonly source: readonly Source[];
  readonly role: readonly Role[];
  /** How many leading tokens are the prompt: what inference is given. */
  readonly promptLength: number;
}

/** What is decided about every row, with no default: each of these changes results (design rule 4.1). */
export interface RenderPolicy {
  /** Longest row in tokens, special tokens included. */
  readonly maxTokens: number;
  /**
   * What becomes of a longer row: it is dropped, or tokens of its *input* are cut at the named side. The instruction,
   * the answer cue and the response are never cut; a row that is still too long is dropped.
   */
  readonly overlong: "drop" | "cut-input-start" | "cut-input-end";
  /** Which tokens are targets: the response and its end, or every token but the first. */
  readonly lossOn: "response" | "all";
  /**
   * What becomes of demonstrations where a row is still too long without its input, or its input must stay: they stay and
   * the row is dropped ("keep", also where the field is left out), or the last go, one by one ("drop-last", as FLAN and
   * Tk-Instruct do).
   */
  readonly demonstrations?: "keep" | "drop-last";
}

/**
 * What became of one example. It is dropped when it is too long under the policy, when the response has no token to
 * supervise, or when the response's tokens do not decode to the response.
 */
export type RenderOutcome =
  | {
      readonly kind: "rendered";
      readonly spans: Spans;
      /** Tokens cut from the input. */
      readonly cut: number;
      /** Demonstrations left out because the row was too long. */
      readonly demonstrationsDropped: number;
      /** Special texts of the template that the tokenizer has no token for, written as plain text. */
      readonly plainSpecials: readonly string[];
    }
  | {
      readonly kind: "dropped";
      readonly reason: "overlong" | "nothing-supervised" | "response-not-restored";
      /** Tokens the row would have had (for a dropped response, the tokens of the response). */
      readonly tokens: number;
    };
