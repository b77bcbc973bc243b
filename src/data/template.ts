import type { Example } from "./example.js";

/** Who speaks. Plain (non-chat) templates use "user" for the prompt and "assistant" for the response. */
export type Role = "system" | "user" | "assistant" | "tool";

/**
 * Which part of an example a piece of text came from: "scaffold" is the template's own text, "options" the answers to
 * choose from, "history" what was said before, "special" a token that stands for itself (`<|im_start|>`).
 */
export type Source =
  "scaffold" | "instruction" | "input" | "options" | "demonstration" | "history" | "response" | "special";

/** A piece of a message that comes from one place. */
export interface Segment {
  readonly text: string;
  readonly source: Source;
  /** Which token of the tokenizer a special segment stands for, whatever its text is there; told by `text` without it. */
  readonly token?: "bos" | "eos";
  /** The demonstration that the segment belongs to, counted from 0: what goes as a whole where a row is too long. */
  readonly demonstration?: number;
}

/**
 * A turn of the rendered conversation. The response to learn is the last message, with the role "assistant": white space
 * that the template writes before it (if any), the reference, and the special token that ends the turn (if any).
 */
export interface Message {
  readonly role: Role;
  readonly segments: readonly Segment[];
}

/** How an example becomes text: data with a name and a hash, so that a manifest can name it exactly. */
export interface Template {
  readonly name: string;
  /** "sft" templates never show the instruction, "ift" templates always do. */
  readonly format: "sft" | "ift";
  /** SHA-256 of everything that decides the rendered text. */
  readonly hash: string;
  /** Texts that end a response besides the end-of-sequence token; generation stops at the first of them. */
  readonly stop: readonly string[];
  /**
   * The special token that ends a response (`<|im_end|>`). Where the tokenizer has it, it takes the place of the
   * end-of-sequence token: it is supervised and ends generation (`endToken`). Where not, it is written as text.
   */
  readonly stopToken?: string;
  /**
   * The answer in a response that says more than the answer (a chain of thought); undefined when the response has none.
   * Absent where the response is the answer.
   */
  readonly answerIn?: (response: string) => string | undefined;
  /**
   * @returns the messages; the last is the response, whose text is the first reference exactly (where `answerIn` is
   *   there, reasoning and the first reference)
   * @throws KitError when the example lacks what the template shows (an IFT template and no instruction), or the template
   *   would change the reference
   */
  render(example: Example): readonly Message[];
}
