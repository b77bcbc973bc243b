import { KitError } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import type { Example } from "../example.js";
import { ownShots, requireShots, type Shot, type ShotChooser } from "../few-shot.js";
import type { Segment, Source, Template } from "../template.js";
import {
  ANSWER_PATTERN,
  CHAIN_PATTERNS,
  FEW_SHOT_PATTERNS,
  type FewShotPattern,
  ZERO_SHOT_PATTERNS,
} from "./flan-patterns.js";
import { conversation, missing } from "./pattern.js";

/** What FLAN's templates decide. */
export interface FlanOptions {
  readonly name: string;
  /** Index of the pattern in FLAN's list, from 0. */
  readonly pattern: number;
  /** Whether the answers to choose from are shown. */
  readonly options: boolean;
}

/**
 * FLAN's zero-shot form. Answers to choose from stand behind the input, in the form of `format_options` in
 * `flan/v2/preprocessors.py`:
 *
 *     Definition: Classify the review.
 *     Input: Great movie!
 *
 *     OPTIONS:
 *     - Positive
 *     - Negative
 *     Output:
 * @throws KitError for a pattern that is not there
 */
export function flanZeroShot({ name, pattern, options }: FlanOptions): Template {
  const text = at(ZERO_SHOT_PATTERNS, pattern);
  return {
    name,
    format: "ift",
    stop: [],
    hash: hashJson({ kind: "flan-zero-shot", version: 1, text, options }),
    render: (example) => conversation(fill(text, valuesOf(name, example, options, "\n\n")), example),
  };
}

/**
 * FLAN's few-shot form (`flan/v2/few_shot.py`, and `fewshot_preprocessor` of google/seqio): the definition, the
 * demonstrations, the input, and the beginning of an answer without the blank behind it.
 * @throws KitError for a pattern that is not there
 */
export function flanFewShot(
  { name, pattern, options }: FlanOptions,
  shots: ShotChooser = ownShots(5),
): Template {
  const parts = at(FEW_SHOT_PATTERNS, pattern);
  return {
    name,
    format: "ift",
    stop: [],
    hash: hashJson({ kind: "flan-few-shot", version: 1, parts, options, shots: shots.key }),
    render(example) {
      const values = valuesOf(name, example, options, "\n");
      const asked = fill(parts.inputsPrefix + parts.inputs + parts.delimiter, values);
      const cue = parts.targetsPrefix.trimEnd();
      return conversation(
        [
          ...fill(parts.head, values),
          ...requireShots(name, shots, example).flatMap((shot, index) =>
            demonstration(parts, shot, index, options),
          ),
          ...(cue === "" ? withoutTrailingBlanks(asked) : [...asked, scaffold(cue)]),
        ],
        example,
      );
    },
  };
}

/**
 * FLAN's chain of thought: the response is the reasoning, then the answer (`"rationale"`), or the answer alone
 * (`"answer"`).
 * @throws KitError for a pattern that is not there
 */
export function flanChainOfThought({
  name,
  pattern,
  response,
}: {
  readonly name: string;
  readonly pattern: number;
  readonly response: "rationale" | "answer";
}): Template {
  const chain = at(CHAIN_PATTERNS, pattern);
  const prompt = response === "rationale" ? chain.prompt : ANSWER_PATTERN;
  const base = {
    name,
    format: "ift" as const,
    stop: [],
    hash: hashJson({ kind: "flan-chain-of-thought", version: 1, chain, prompt, response }),
  };
  const asked = (example: Example): Segment[] => fill(prompt, { question: questionOf(name, example) });
  if (response === "answer") return { ...base, render: (example) => conversation(asked(example), example) };
  return {
    ...base,
    answerIn: (text) => answerBehind(text, chain.beforeAnswer, chain.afterAnswer),
    render(example) {
      const { rationale = "", outputs } = example;
      if (rationale === "") throw missing(name, example, "rationale");
      const [user, assistant] = conversation(asked(example), example);
      if (user === undefined || assistant === undefined) throw missing(name, example, "outputs");
      return [
        user,
        {
          role: "assistant",
          segments: [
            { text: rationale, source: "response" },
            scaffold(chain.beforeAnswer),
            { text: outputs[0] ?? "", source: "response" },
            scaffold(chain.afterAnswer),
          ],
        },
      ];
    },
  };
}

/** What stands behind the last cue of an answer; undefined without a cue. */
function answerBehind(text: string, before: string, after: string): string | undefined {
  const cue = text.lastIndexOf(before.trim());
  if (cue < 0) return undefined;
  const answer = text.slice(cue + before.trim().length).trim();
  return answer.endsWith(after) ? answer.slice(0, -after.length) : answer;
}

function questionOf(name: string, example: Example): Segment[] {
  const { instruction = "", input } = example;
  if (instruction === "" && input === "") throw missing(name, example, "input");
  const lines: Segment[] = [
    { text: instruction, source: "instruction" },
    { text: instruction === "" || input === "" ? "" : "\n", source: "scaffold" },
    { text: input, source: "input" },
  ];
  return lines.filter(({ text }) => text !== "");
}

type Values = Readonly<Record<string, readonly Segment[]>>;

function valuesOf(name: string, example: Example, withOptions: boolean, before: string): Values {
  const { instruction = "", input } = example;
  if (instruction === "") throw missing(name, example, "instruction");
  return {
    Definition: [{ text: instruction, source: "instruction" }],
    input: [
      { text: input, source: "input" },
      ...(withOptions ? optionsBlock(optionsOf(name, example), before) : []),
    ],
  };
}

function demonstration(parts: FewShotPattern, shot: Shot, index: number, withOptions: boolean): Segment[] {
  const shown = (text: string): Segment => ({ text, source: "demonstration" });
  const options = withOptions && shot.options !== undefined ? optionsBlock(shot.options, "\n") : [];
  const segments = fill(
    parts.inputsPrefix +
      parts.inputs +
      parts.delimiter +
      parts.targetsPrefix +
      parts.targets +
      parts.separator,
    { input: [shown(shot.input), ...options], output: [shown(shot.output)] },
  );
  return segments.map(({ text, source }) => ({
    text,
    source: source === "options" ? "demonstration" : source,
    demonstration: index,
  }));
}

function optionsOf(name: string, example: Example): readonly string[] {
  const { options = [] } = example;
  if (options.length === 0) throw missing(name, example, "options");
  return options;
}

function optionsBlock(options: readonly string[], before: string): Segment[] {
  return [
    scaffold(`${before}OPTIONS:`),
    ...options.flatMap((option): Segment[] => [scaffold("\n- "), { text: option, source: "options" }]),
  ];
}

/** Fills `{names}` of a pattern; text of a row is never taken for a name. */
function fill(pattern: string, values: Values): Segment[] {
  return pattern.split(/(\{\w+\})/).flatMap((part): readonly Segment[] => {
    const value = /^\{\w+\}$/.test(part) ? values[part.slice(1, -1)] : undefined;
    return value ?? (part === "" ? [] : [scaffold(part)]);
  });
}

/** FLAN takes the blanks (not the line ends) from the end of a prompt. */
function withoutTrailingBlanks(segments: readonly Segment[]): Segment[] {
  const last = segments.at(-1);
  if (last === undefined) return [];
  return [...segments.slice(0, -1), { ...last, text: last.text.replace(/ *$/, "") }];
}

function scaffold(text: string): Segment & { readonly source: Source } {
  return { text, source: "scaffold" };
}

function at<Item>(patterns: readonly Item[], index: number): Item {
  const pattern = patterns[index];
  if (pattern === undefined) {
    throw new KitError(
      `FLAN has no pattern ${index} here`,
      `give a whole number from 0 to ${patterns.length - 1}`,
      { field: "pattern" },
    );
  }
  return pattern;
}
