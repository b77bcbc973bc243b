import type { Template } from "../template.js";
import { patternTemplate } from "./pattern.js";

/**
 * The task's name before the input, as T5 writes `cola sentence: ...` (Raffel et al. 2020, appendix D): an opaque tag where
 * an instruction would be. The answer cue is that of `sft-plain`, because a decoder has no border of its own.
 *
 *     sentiment: Great movie!
 *     Output:Positive
 */
export const taskPrefix: Template = patternTemplate({
  name: "task-prefix",
  format: "sft",
  prompt: "{task}: {input}\nOutput:",
});
