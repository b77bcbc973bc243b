import { patternTemplate } from "../templates/pattern.js";

/**
 * How rows of the mini world are shown to its models: instruction, input and answer, a line each. Every line begins with a
 * blank, as every word inside a text has one before it: the answer's first word is then the same token as in the text that
 * it is copied from (`datasets/mini/JOURNAL.md` has what it does to the scores).
 *
 *      Write the fruit twice.
 *      On Monday at noon Nora quickly found a red plum ...
 *      plum plum
 */
export const MINI_IFT = patternTemplate({
  name: "mini-ift",
  format: "ift",
  prompt: " {instruction}\n {input}\n",
  promptWithoutInput: " {instruction}\n",
  response: " {output}",
});

/** The same without the instruction. */
export const MINI_SFT = patternTemplate({
  name: "mini-sft",
  format: "sft",
  prompt: " {input}\n",
  response: " {output}",
});
