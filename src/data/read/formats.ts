import { KitError } from "../../support/errors.js";
import { alpacaFormat } from "./alpaca.js";
import { alpacaEvalFormat } from "./alpaca-eval.js";
import { bigBenchHardFormat } from "./big-bench-hard.js";
import { dollyFormat } from "./dolly.js";
import { examplesFormat } from "./examples.js";
import { flanFormat } from "./flan.js";
import { flanCotFormat } from "./flan-cot.js";
import type { Format, FormatName, Sample } from "./format.js";
import { ifevalFormat } from "./ifeval.js";
import { instructionInductionFormat } from "./instruction-induction.js";
import { messagesFormat } from "./messages.js";
import { mtBenchFormat } from "./mt-bench.js";
import { naturalInstructionsV1Format } from "./natural-instructions-v1.js";
import { p3Format } from "./p3.js";
import { promptCompletionFormat } from "./prompt-completion.js";
import { selfInstructFormat } from "./self-instruct.js";
import { sftPairsFormat } from "./sft-pairs.js";
import { shareGptFormat } from "./sharegpt.js";
import { superNaturalInstructionsFormat } from "./super-natural-instructions.js";
import { textFormat } from "./text.js";
import { tkInstructFormat } from "./tk-instruct.js";
import { unnaturalInstructionsFormat } from "./unnatural-instructions.js";

/** All formats, the most particular first: the first that recognizes a sample reads it. */
const FORMATS: readonly Format[] = [
  examplesFormat,
  superNaturalInstructionsFormat,
  naturalInstructionsV1Format,
  tkInstructFormat,
  instructionInductionFormat,
  bigBenchHardFormat,
  flanCotFormat,
  unnaturalInstructionsFormat,
  selfInstructFormat,
  dollyFormat,
  alpacaEvalFormat,
  alpacaFormat,
  ifevalFormat,
  mtBenchFormat,
  shareGptFormat,
  messagesFormat,
  flanFormat,
  p3Format,
  promptCompletionFormat,
  sftPairsFormat,
  textFormat,
];

/** Names of the formats, for the command line. */
export const FORMAT_NAMES: readonly FormatName[] = FORMATS.map(({ name }) => name);

/** A format, and why it was taken. */
export interface ChosenFormat {
  readonly format: Format;
  readonly why: string;
}

/** @throws KitError when there is no format of this name */
export function formatByName(asked: string): Format {
  const format = FORMATS.find(({ name }) => name === asked);
  if (format !== undefined) return format;
  throw new KitError(`there is no format "${asked}"`, `use one of ${FORMAT_NAMES.join(", ")}`);
}

/** The first format that recognizes a sample, or undefined. */
export function recognizeFormat(sample: Sample): ChosenFormat | undefined {
  for (const format of FORMATS) {
    const why = format.recognize(sample);
    if (why !== undefined) return { format, why };
  }
  return undefined;
}

/** The error for a sample that no format recognizes. */
export function unknownFormat(path: string, sample: Sample): KitError {
  if (sample.kind === "records" && sample.problem !== undefined) return sample.problem;
  return new KitError(
    `the format is not known: it has ${describeSample(sample)}`,
    `name the format (${FORMAT_NAMES.join(", ")}) or, for pairs, the columns`,
    { file: path },
  );
}

function describeSample(sample: Sample): string {
  if (sample.kind === "text") return "plain text";
  const names = sample.kind === "records" ? Object.keys(sample.first) : sample.names;
  const shown = names.slice(0, 8).map((name) => (name.length > 40 ? `${name.slice(0, 40)}...` : name));
  const list = `${shown.join(", ")}${names.length > shown.length ? ", ..." : ""}`;
  return sample.kind === "folder" ? `the entries ${list}` : `the fields ${list === "" ? "none" : list}`;
}
