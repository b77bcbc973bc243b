import type { Example } from "../data/example.js";

/** Any text of a row. */
export type TextOf = (example: Example) => string;

/**
 * Parts of a row that can be compared:
 * - `input`: the input, or the instruction where there is none (as in Alpaca rows without input)
 * - `instruction`: the instruction alone; "" where there is none
 * - `prompt`: instruction and input
 * - `row`: instruction, input and first reference
 */
export type TextPart = "input" | "instruction" | "prompt" | "row";

/** Names of the parts, for the command line. */
export const TEXT_PARTS: readonly TextPart[] = ["input", "instruction", "prompt", "row"];

const TEXTS: Readonly<Record<TextPart, TextOf>> = {
  input: ({ instruction, input }) => (input.trim() === "" ? (instruction ?? "") : input),
  instruction: ({ instruction }) => instruction ?? "",
  prompt: promptOf,
  row: (example) => `${promptOf(example)}\n${example.outputs[0] ?? ""}`,
};

/** The function that takes a part out of a row. */
export function textOf(part: TextPart | TextOf): TextOf {
  return typeof part === "function" ? part : TEXTS[part];
}

function promptOf({ instruction, input }: Example): string {
  return [instruction ?? "", input].filter((text) => text.trim() !== "").join("\n");
}
