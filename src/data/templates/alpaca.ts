import type { Template } from "../template.js";
import { patternTemplate } from "./pattern.js";

/**
 * Stanford Alpaca's prompt, exactly: `PROMPT_DICT` in `train.py` of tatsu-lab/stanford_alpaca@761dc5b (Apache-2.0).
 * The prompt ends in `### Response:` and the output follows at once; other tools add a newline there.
 */
export const alpaca: Template = patternTemplate({
  name: "alpaca",
  format: "ift",
  prompt:
    "Below is an instruction that describes a task, paired with an input that provides further context. " +
    "Write a response that appropriately completes the request.\n\n" +
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
  promptWithoutInput:
    "Below is an instruction that describes a task. " +
    "Write a response that appropriately completes the request.\n\n" +
    "### Instruction:\n{instruction}\n\n### Response:",
});
