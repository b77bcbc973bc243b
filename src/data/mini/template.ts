import { hashJson } from "../../support/hash.js";
import type { Segment, Template } from "../template.js";
import { missing, patternTemplate } from "../templates/pattern.js";

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

/** `MINI_IFT` with the demonstrations that a row carries (`positive`) between instruction and input. */
export const MINI_FEW_SHOT: Template = {
  name: "mini-few-shot",
  format: "ift",
  stop: [],
  hash: hashJson({ kind: "mini-few-shot", version: 1, zeroShot: MINI_IFT.hash }),
  ...(MINI_IFT.answerIn === undefined ? {} : { answerIn: MINI_IFT.answerIn }),
  render(example) {
    const [prompt, response] = MINI_IFT.render(example);
    if (prompt === undefined || response === undefined) throw new RangeError("a row has two messages");
    const shown = (example.positive ?? []).map(({ input, output }, demonstration): Segment => ({
      text: `${input}\n ${output}\n `,
      source: "demonstration",
      demonstration,
    }));
    // Each begins behind the blank that the template has before the input, and leaves one.
    const at = prompt.segments.findIndex(({ source }) => source === "input");
    const [before, after] = [prompt.segments.slice(0, at), prompt.segments.slice(at)];
    return [{ ...prompt, segments: [...before, ...shown, ...after] }, response];
  },
};

/** What stands between a chain of thought and the answer. */
const ANSWER_LINE = "\n ";

/** `MINI_IFT` whose response says first what was found (`rationale`), and then the answer on a line of its own. */
export const MINI_CHAIN_OF_THOUGHT: Template = {
  name: "mini-chain-of-thought",
  format: "ift",
  stop: [],
  hash: hashJson({ kind: "mini-chain-of-thought", version: 1, zeroShot: MINI_IFT.hash }),
  answerIn: (response) => {
    const at = response.indexOf(ANSWER_LINE);
    return at < 0 ? undefined : response.slice(at + ANSWER_LINE.length);
  },
  render(example) {
    const [prompt] = MINI_IFT.render(example);
    const { rationale = "", outputs } = example;
    if (prompt === undefined || rationale === "")
      throw missing("mini-chain-of-thought", example, "rationale");
    return [
      prompt,
      {
        role: "assistant",
        segments: [
          { text: " ", source: "scaffold" },
          { text: rationale, source: "response" },
          { text: ANSWER_LINE, source: "scaffold" },
          { text: outputs[0] ?? "", source: "response" },
        ],
      },
    ];
  },
};
