import { KitError } from "../support/errors.js";
import type { Example } from "./example.js";

/** The steps of normalisation, in the order of the report. Each is off unless it is asked for. */
export const NORMALISE_STEPS = [
  "unicode-nfc",
  "end-of-text",
  "white-space",
  "placeholder-input",
  "placeholder-output",
] as const;

/** One step: what it does is said at `normaliseExample`. */
export type NormaliseStep = (typeof NORMALISE_STEPS)[number];

/** What a normalisation did. `rowsIn` = `kept` + all of `dropped`. */
export interface NormaliseReport {
  readonly steps: readonly NormaliseStep[];
  readonly rowsIn: number;
  readonly kept: number;
  /** Rows that lost their last reference by a step. */
  readonly dropped: Readonly<Partial<Record<NormaliseStep, number>>>;
  /** Rows that a step changed (or dropped); only steps that were asked for. */
  readonly changed: Readonly<Partial<Record<NormaliseStep, number>>>;
}

/** The steps in their order, without repetitions. @throws KitError for a step that does not exist */
export function normaliseSteps(names: readonly string[]): readonly NormaliseStep[] {
  const unknown = names.find((name) => !NORMALISE_STEPS.some((step) => step === name));
  if (unknown !== undefined)
    throw new KitError(`there is no step "${unknown}"`, `use one of ${NORMALISE_STEPS.join(", ")}`);
  return NORMALISE_STEPS.filter((step) => names.includes(step));
}

/**
 * Normalises rows one after the other and counts what it did. The result does not depend on the order in which steps are
 * named, nor on whether they are applied at once or one after the other, and doing it again changes nothing.
 *
 * - `unicode-nfc`: composed characters in all texts (Unicode normal form C);
 * - `end-of-text`: a literal `<|endoftext|>` at the end of input or reference is cut off, with the white space around it;
 * - `white-space`: white space around instruction, input and references is cut off;
 * - `placeholder-input`: an input that says that there is none ("<noinput>", "No input required.", "N/A", "none") becomes
 *   "" (not for data whose inputs are single words, one of which may be "none");
 * - `placeholder-output`: a reference that says that there is none ("<nooutput>") is left out; a row whose last one it was
 *   is dropped.
 */
export class Normaliser {
  readonly #steps: readonly NormaliseStep[];
  readonly #changed: Partial<Record<NormaliseStep, number>>;
  readonly #dropped: Partial<Record<NormaliseStep, number>> = {};
  #rowsIn = 0;
  #kept = 0;

  /** @param steps in any order */
  constructor(steps: readonly NormaliseStep[]) {
    this.#steps = normaliseSteps(steps);
    this.#changed = Object.fromEntries(this.#steps.map((step) => [step, 0]));
  }

  /** The row as it is after all steps, or undefined where none of its references is left. */
  apply(example: Example): Example | undefined {
    this.#rowsIn++;
    let row = example;
    for (const step of this.#steps) {
      const next = STEPS[step](row);
      if (next === row) continue;
      this.#changed[step] = (this.#changed[step] ?? 0) + 1;
      const isEmptied = next.outputs.length === 0 && row.outputs.length > 0;
      row = next;
      // A row of a benchmark stays: what is left of it still asks something.
      if (!isEmptied || row.evaluationOnly === true) continue;
      this.#dropped[step] = (this.#dropped[step] ?? 0) + 1;
      return undefined;
    }
    this.#kept++;
    return row;
  }

  /** The counts so far. */
  report(): NormaliseReport {
    return {
      steps: this.#steps,
      rowsIn: this.#rowsIn,
      kept: this.#kept,
      dropped: { ...this.#dropped },
      changed: { ...this.#changed },
    };
  }
}

/** Normalises rows; see `Normaliser`. */
export function normaliseExamples(
  examples: Iterable<Example>,
  steps: readonly NormaliseStep[],
): { readonly examples: readonly Example[]; readonly report: NormaliseReport } {
  const normaliser = new Normaliser(steps);
  const kept: Example[] = [];
  for (const example of examples) {
    const row = normaliser.apply(example);
    if (row !== undefined) kept.push(row);
  }
  return { examples: kept, report: normaliser.report() };
}

/** What each step would do to these rows if it were the only one. */
export function normaliseWhatIf(examples: readonly Example[]): readonly NormaliseReport[] {
  return NORMALISE_STEPS.map((step) => normaliseExamples(examples, [step]).report);
}

const STEPS: Readonly<Record<NormaliseStep, (example: Example) => Example>> = {
  "unicode-nfc": (example) => mapTexts(example, (text) => text.normalize("NFC")),
  "end-of-text": (example) => {
    const { input, outputs, options } = example;
    return merge(example, mapFields({ input, outputs, options }, withoutEndOfText));
  },
  "white-space": (example) => mapTexts(example, (text) => text.trim()),
  "placeholder-input": (example) =>
    example.input !== "" && isPlaceholder(example.input, "input") ? { ...example, input: "" } : example,
  "placeholder-output": (example) => {
    const outputs = example.outputs.filter((output) => !isPlaceholder(output, "output"));
    return outputs.length === example.outputs.length ? example : { ...example, outputs };
  },
};

/** The example with all its texts changed; the example itself where that changes nothing. */
function mapTexts(example: Example, change: (text: string) => string): Example {
  const { instruction, input, outputs, options, positive, negative, history, paraphrases, rationale } =
    example;
  const texts = { instruction, input, outputs, options, positive, negative, history, paraphrases, rationale };
  return merge(example, mapFields(texts, change));
}

/** The example with other texts. References that became empty or equal to another are left out. */
function merge(example: Example, changed: Partial<Example> | undefined): Example {
  if (changed === undefined) return example;
  const { outputs = example.outputs } = changed;
  return { ...example, ...changed, outputs: [...new Set(outputs.filter((output) => output.trim() !== ""))] };
}

/** The fields that `change` changes, in texts at any depth; undefined where it changes none. */
function mapFields(fields: Partial<Example>, change: (text: string) => string): Partial<Example> | undefined {
  const seen = { change: false };
  const map = (value: unknown): unknown => {
    if (typeof value === "string") {
      const next = change(value);
      if (next !== value) seen.change = true;
      return next;
    }
    if (Array.isArray(value)) return value.map(map);
    if (typeof value !== "object" || value === null) return value;
    // The role of a turn is no text of the row.
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : [[key, key === "role" ? (item as unknown) : map(item)]],
      ),
    );
  };
  const mapped = map(fields) as Partial<Example>;
  return seen.change ? mapped : undefined;
}

const END_OF_TEXT = "<|endoftext|>";

/** A text without the marks at its end; the white space around them goes with them. */
function withoutEndOfText(text: string): string {
  let rest = text;
  for (let end = rest.trimEnd(); end.endsWith(END_OF_TEXT); end = rest.trimEnd())
    rest = end.slice(0, -END_OF_TEXT.length).trimEnd();
  return rest;
}

/** What is left of a placeholder without the brackets, quotes, marks and white space around it, in small letters. */
const NOTHING: Readonly<Record<"input" | "output", RegExp>> = {
  input:
    /^(no[ _-]?inputs?( (is |was )?(required|needed|necessary|given|provided|available|specified|applicable))?|none|n\/a|not applicable)$/,
  // Not "none" or "n/a": these are right answers to some questions.
  output: /^no[ _-]?outputs?( (is |was )?(required|needed|necessary|given|provided|available|possible))?$/,
};

/** A placeholder in angle brackets may explain itself: "<No output. The task requires a poster, not text.>". */
const EXPLAINED = /^<\s*no[ _-]?output\b[^>]*>$/i;

/** Longer texts are no placeholders. */
const LONGEST_PLACEHOLDER = 200;

/**
 * Whether a text says that there is nothing. It is told from the whole text, normalised, not from a list of spellings: a
 * review that says "no input was needed from me" is no placeholder.
 */
export function isPlaceholder(text: string, what: "input" | "output"): boolean {
  const clean = withoutEndOfText(text.normalize("NFC")).trim();
  if (clean.length > LONGEST_PLACEHOLDER) return false;
  const bare = clean.replace(/^[\s<>[\](){}"'`\\*_]+|[\s<>[\](){}"'`\\*_.,;:!]+$/g, "");
  const words = bare.replace(/\s+/g, " ").toLowerCase();
  return NOTHING[what].test(words) || (what === "output" && EXPLAINED.test(clean));
}
