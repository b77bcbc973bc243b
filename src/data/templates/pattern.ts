import { KitError } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import type { Example } from "../example.js";
import type { Message, Segment, Source, Template } from "../template.js";

/** What a pattern template is made of. `{instruction}`, `{input}`, `{task}` and `{taskType}` are filled from the example. */
export interface PatternOptions {
  readonly name: string;
  readonly format: "sft" | "ift";
  /** Text of the prompt, such as `"{instruction}\nInput: {input}\nOutput:"`. */
  readonly prompt: string;
  /** Text of the prompt of a row whose input is empty; without it such a row is an error. */
  readonly promptWithoutInput?: string;
  /**
   * `"{output}"`: what is trained on and scored is the reference itself, character by character. `" {output}"` has the
   * blank in front that a word has inside a text, so that a byte-level tokenizer writes it with the same token; the blank
   * is no part of the answer.
   */
  readonly response?: "{output}" | " {output}";
  /** Texts that end a response besides the end-of-sequence token. */
  readonly stop?: readonly string[];
}

const FIELDS = ["instruction", "input", "output", "task", "taskType"] as const;
type Field = (typeof FIELDS)[number];
type Part = { readonly text: string } | { readonly field: Field };

const SOURCE_OF: Readonly<Record<Field, Source>> = {
  instruction: "instruction",
  input: "input",
  output: "response",
  task: "scaffold",
  taskType: "scaffold",
};

/**
 * A template from text with placeholders. Braces around anything that is not a plain word stay as they are.
 * @throws KitError for an unknown placeholder, for an "sft" pattern that shows the instruction, for an "ift" pattern
 * that does not, and for a response that is more than `{output}`
 */
export function patternTemplate(options: PatternOptions): Template {
  const { name, format, prompt, promptWithoutInput, stop = [] } = options;
  const response: string = options.response ?? "{output}";
  const parts = parsePrompt(name, format, prompt);
  const partsWithoutInput =
    promptWithoutInput === undefined ? undefined : parsePrompt(name, format, promptWithoutInput);
  const blank = response === " {output}";
  if (!blank && response !== "{output}") {
    throw new KitError(
      `the response of template "${name}" is ${JSON.stringify(response)}`,
      'make it "{output}", or " {output}" with one blank, and move its other text to the end of the prompt',
    );
  }
  if (partsWithoutInput !== undefined && shows(partsWithoutInput, "input")) {
    throw new KitError(
      `template "${name}" shows {input} in its prompt for rows without input`,
      "remove {input} from promptWithoutInput",
    );
  }
  return {
    name,
    format,
    stop,
    hash: hashJson({ kind: "pattern", format, prompt, promptWithoutInput, response, stop }),
    ...(blank ? { answerIn: withoutBlank } : {}),
    render(example) {
      const empty = example.input === "" && shows(parts, "input");
      if (empty && partsWithoutInput === undefined) throw missing(name, example, "input");
      const shown = fill(name, (empty ? partsWithoutInput : undefined) ?? parts, example);
      return conversation(shown, example, blank ? " " : "");
    },
  };
}

function withoutBlank(response: string): string {
  return response.replace(/^ /, "");
}

/**
 * The two messages of a plain template: the prompt's segments, then the first reference as the response.
 * @param before white space in front of the reference
 */
export function conversation(
  prompt: readonly Segment[],
  example: Example,
  before: "" | " " = "",
): readonly Message[] {
  const output = example.outputs[0];
  if (output === undefined) throw missing("any", example, "outputs");
  return [
    { role: "user", segments: prompt.filter(({ text }) => text !== "") },
    {
      role: "assistant",
      segments: [
        ...(before === "" ? [] : [{ text: before, source: "scaffold" as const }]),
        { text: output, source: "response" },
      ],
    },
  ];
}

/** The error for an example that lacks what a template shows. */
export function missing(
  template: string,
  example: Example,
  field: "instruction" | "input" | "outputs" | "options" | "rationale" | "fields",
): KitError {
  const cures = {
    instruction: "use an SFT template for data without instructions",
    input:
      'use a template that can do without an input, such as alpaca, or drop such rows (--skip-unrenderable, onUnrenderable: "drop")',
    outputs: "give the row at least one output",
    options: "use the template without options for rows that have no answers to choose from",
    fields: "use rows that keep their raw fields, from the data set that the template was written for",
    rationale: "use data with chains of thought, or the template that trains the answer alone",
  };
  return new KitError(
    `example "${example.id}" has no ${field}, which template "${template}" needs`,
    cures[field],
    { field },
  );
}

function parsePrompt(name: string, format: "sft" | "ift", pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (const text of pattern.split(/(\{[A-Za-z_]\w*\})/)) {
    if (!/^\{[A-Za-z_]\w*\}$/.test(text)) {
      if (text !== "") parts.push({ text });
      continue;
    }
    const field = FIELDS.find((known) => `{${known}}` === text);
    if (field === undefined || field === "output") {
      throw new KitError(
        field === "output"
          ? `the prompt of template "${name}" shows {output}, the answer itself`
          : `template "${name}" has the unknown placeholder ${text}`,
        "use {instruction}, {input}, {task} or {taskType}",
      );
    }
    parts.push({ field });
  }
  if (format === "sft" && shows(parts, "instruction")) {
    throw new KitError(
      `the SFT template "${name}" shows {instruction}`,
      'declare it as format "ift", or remove {instruction}',
    );
  }
  if (format === "ift" && !shows(parts, "instruction")) {
    throw new KitError(
      `the IFT template "${name}" does not show {instruction}`,
      'put {instruction} into its prompt, or declare it as format "sft"',
    );
  }
  return parts;
}

function shows(parts: readonly Part[], field: Field): boolean {
  return parts.some((part) => "field" in part && part.field === field);
}

function fill(name: string, parts: readonly Part[], example: Example): Segment[] {
  return parts.map((part): Segment => {
    if ("text" in part) return { text: part.text, source: "scaffold" };
    return { text: valueOf(name, part.field, example), source: SOURCE_OF[part.field] };
  });
}

function valueOf(name: string, field: Field, example: Example): string {
  if (field === "output") return example.outputs[0] ?? "";
  if (field !== "instruction") return example[field];
  if (example.instruction === undefined || example.instruction === "")
    throw missing(name, example, "instruction");
  return example.instruction;
}
