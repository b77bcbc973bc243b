import type { Example } from "./example.js";

/** Who speaks. Plain (non-chat) templates use "user" for the prompt and "assistant" for the response. */
export type Role = "system" | "user" | "assistant";

/** Which part of an example a piece of text came from; "scaffold" is the template's own text. */
export type Source = "scaffold" | "instruction" | "input" | "demonstration" | "response" | "special";

/** A piece of a message that comes from one place. */
export interface Segment {
  readonly text: string;
  readonly source: Source;
}

/** A turn of the rendered conversation. The response to learn is the last message, with the role "assistant". */
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
   * @returns the messages; the last is the response, whose text is the first reference exactly
   * @throws KitError when the example lacks what the template shows (an IFT template and no instruction)
   */
  render(example: Example): readonly Message[];
}
