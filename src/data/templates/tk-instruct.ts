import { hashJson } from "../../support/hash.js";
import type { Demonstration, Example } from "../example.js";
import { ownShots, requireShots, type ShotChooser, withoutItself } from "../few-shot.js";
import type { Segment, Template } from "../template.js";
import { conversation, missing } from "./pattern.js";

/** Which parts of a task Tk-Instruct shows. */
export interface TkInstructOptions {
  readonly name: string;
  /** Examples with right answers, at most; the task's own, unless a chooser is given. */
  readonly positive: number;
  /** Examples with wrong answers, at most. */
  readonly negative: number;
  /** Whether examples say why their answer is right or wrong, where the source says it. */
  readonly explanation: boolean;
}

const TEXTS = {
  definition: "Definition: ",
  afterDefinition: "\n\n",
  task: "Now complete the following example -\n",
  input: "Input: ",
  cue: "Output:",
  positive: " Positive Example ",
  negative: " Negative Example ",
  afterNumber: " -\n",
  output: " Output: ",
  explanation: " Explanation: ",
} as const;

/**
 * The definition and the input of a task in the words of Tk-Instruct (`src/ni_collator.py` of yizhongw/Tk-Instruct, MIT),
 * with some of its examples:
 *
 *     Definition: Say whether the review is positive or negative.
 *
 *      Positive Example 1 -
 *     Input: What a waste of time.
 *      Output: Negative.
 *
 *     Now complete the following example -
 *     Input: Great movie!
 *     Output:Positive
 *
 * As there, texts lose the white space around them and get a full stop where they end in no punctuation, and examples begin
 * with a blank. Differences: the source writes `Output: `, and its T5 tokenizer drops the blank, so the prompt ends in the
 * colon here; a row without input has no `Input:` line, where the source writes `Input: .`; an example that is the row
 * itself is left out; and where the row is too long the last examples go (`RenderPolicy.demonstrations`).
 */
export function tkInstruct(
  { name, positive, negative, explanation }: TkInstructOptions,
  shots: ShotChooser = ownShots(positive),
): Template {
  return {
    name,
    format: "ift",
    stop: [],
    hash: hashJson({
      kind: "tk-instruct",
      version: 1,
      texts: TEXTS,
      negative,
      explanation,
      shots: shots.key,
    }),
    render(example) {
      const right = positive === 0 ? [] : requireShots(name, shots, example);
      const wrong = withoutItself(example.negative ?? [], example).slice(0, negative);
      return conversation(
        [
          ...definitionSegments(name, example),
          ...right.flatMap((shot, index) => exampleSegments(TEXTS.positive, shot, index, index, explanation)),
          ...wrong.flatMap((shot, index) =>
            exampleSegments(TEXTS.negative, shot, index, right.length + index, explanation),
          ),
          ...taskSegments(example),
        ],
        example,
      );
    },
  };
}

/**
 * The definition and its line ends.
 * @throws KitError for a row without instruction
 */
export function definitionSegments(name: string, example: Example): Segment[] {
  const instruction = example.instruction?.trim() ?? "";
  if (instruction === "") throw missing(name, example, "instruction");
  return [
    { text: TEXTS.definition, source: "scaffold" },
    { text: instruction, source: "instruction" },
    { text: fullStop(instruction) + TEXTS.afterDefinition, source: "scaffold" },
  ];
}

/** The input, where there is one, and the answer cue. */
export function taskSegments(example: Example): Segment[] {
  const input = example.input.trim();
  const inputLine: Segment[] =
    input === ""
      ? []
      : [
          { text: TEXTS.input, source: "scaffold" },
          { text: input, source: "input" },
          { text: `${fullStop(input)}\n`, source: "scaffold" },
        ];
  return [{ text: TEXTS.task, source: "scaffold" }, ...inputLine, { text: TEXTS.cue, source: "scaffold" }];
}

function exampleSegments(
  title: string,
  { input, output, explanation }: Demonstration,
  index: number,
  demonstration: number,
  withExplanation: boolean,
): Segment[] {
  const line = (before: string, text: string): Segment[] => [
    { text: before, source: "scaffold", demonstration },
    { text: text.trim(), source: "demonstration", demonstration },
    { text: `${fullStop(before + text.trim())}\n`, source: "scaffold", demonstration },
  ];
  return [
    ...line(`${title}${index + 1}${TEXTS.afterNumber}${TEXTS.input}`, input),
    ...line(TEXTS.output, output),
    ...(withExplanation && explanation !== undefined ? line(TEXTS.explanation, explanation) : []),
    { text: "\n", source: "scaffold", demonstration },
  ];
}

/** "." where the text does not end in ASCII punctuation (Python's `string.punctuation`). */
function fullStop(text: string): string {
  return /[!-/:-@[-`{-~]$/.test(text) ? "" : ".";
}
