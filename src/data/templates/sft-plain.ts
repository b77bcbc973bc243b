import type { Template } from "../template.js";
import { patternTemplate } from "./pattern.js";

/**
 * Plain supervised fine-tuning: the input, an answer cue, the output; what to do is never said. The cue is that of
 * the definition template, so that the two differ by the instruction alone:
 *
 *     Input: Great movie!
 *     Output:Positive
 *
 * A row without input would be an answer to nothing, so it is an error here.
 */
export const sftPlain: Template = patternTemplate({
  name: "sft-plain",
  format: "sft",
  prompt: "Input: {input}\nOutput:",
});
