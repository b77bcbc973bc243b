import { hashJson } from "../../support/hash.js";
import type { Segment, Template } from "../template.js";
import { conversation, missing } from "./pattern.js";

const TEXTS = {
  definition: "Definition: ",
  afterDefinition: "\n\nNow complete the following example -\n",
  input: "Input: ",
  afterInput: "\n",
  cue: "Output:",
} as const;

/**
 * The task's definition and the input, in the words of Tk-Instruct (`src/ni_collator.py` of yizhongw/Tk-Instruct, MIT,
 * with a definition and no examples):
 *
 *     Definition: Say whether the review is positive or negative.
 *
 *     Now complete the following example -
 *     Input: Great movie!
 *     Output:Positive
 *
 * As there, definition and input lose the white space around them and get a full stop where they end in no
 * punctuation. Two differences: the source writes `Output: `, and its T5 tokenizer drops the blank, so the prompt ends in
 * the colon here; and a row without input has no `Input:` line, where the source writes `Input: .`.
 */
export const iftDefinition: Template = {
  name: "ift-definition",
  format: "ift",
  stop: [],
  hash: hashJson({ kind: "tk-instruct-definition", version: 1, texts: TEXTS }),
  render(example) {
    const instruction = example.instruction?.trim() ?? "";
    if (instruction === "") throw missing("ift-definition", example, "instruction");
    const input = example.input.trim();
    const inputLine: Segment[] =
      input === ""
        ? []
        : [
            { text: TEXTS.input, source: "scaffold" },
            { text: input, source: "input" },
            { text: fullStop(input) + TEXTS.afterInput, source: "scaffold" },
          ];
    return conversation(
      [
        { text: TEXTS.definition, source: "scaffold" },
        { text: instruction, source: "instruction" },
        { text: fullStop(instruction) + TEXTS.afterDefinition, source: "scaffold" },
        ...inputLine,
        { text: TEXTS.cue, source: "scaffold" },
      ],
      example,
    );
  },
};

/** "." where the text does not end in ASCII punctuation (Python's `string.punctuation`). */
function fullStop(text: string): string {
  return /[!-/:-@[-`{-~]$/.test(text) ? "" : ".";
}
