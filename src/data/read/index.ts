import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { alpacaFormat } from "./alpaca.js";
import type { Format, FormatName, Sample } from "./format.js";
import { type ReadLedger, RowCollector } from "./rows.js";
import { takeSample } from "./sample.js";
import { selfInstructFormat } from "./self-instruct.js";
import { superNaturalInstructionsFormat } from "./super-natural-instructions.js";

export type { FormatName } from "./format.js";
export type { ReadDropReason, ReadLedger, RowProblem } from "./rows.js";
export {
  hasOfficialSplit,
  type OfficialSide,
  readOfficialSplit,
} from "./super-natural-instructions-folder.js";

/** All formats, the most particular first: the first that recognizes a sample reads it. */
const FORMATS: readonly Format[] = [superNaturalInstructionsFormat, selfInstructFormat, alpacaFormat];

/** Names of the formats, for the command line. */
export const FORMAT_NAMES: readonly FormatName[] = FORMATS.map(({ name }) => name);

export interface ReadOptions {
  /** The format; told from the content where it is left out. */
  readonly format?: FormatName;
  /** What a malformed row does: stop with its place (the default), or be dropped and counted. */
  readonly onMalformed?: "error" | "skip";
  /** The first so many good rows of each task are kept, in the order of the file. */
  readonly limitPerTask?: number;
  /** Which tasks to read; the others are passed over without a ledger line. */
  readonly wantsTask?: (task: string) => boolean;
}

export interface ReadResult {
  readonly examples: readonly Example[];
  readonly format: FormatName;
  /** Why this format was taken. */
  readonly why: string;
  readonly ledger: ReadLedger;
}

/**
 * Reads a file or folder of any known format.
 * @throws KitError when the path is missing, the format is not known, a row is malformed (unless such rows are to be
 *   skipped), or no row is left
 */
export async function readExamples(path: string, options: ReadOptions = {}): Promise<ReadResult> {
  const { onMalformed = "error", limitPerTask = Infinity, wantsTask = () => true } = options;
  const { format, why } = await chooseFormat(path, options.format);
  const collector = new RowCollector({ onMalformed, limitPerTask });
  const examples: Example[] = [];
  for await (const example of format.read({ path, collector, wantsTask })) examples.push(example);
  const ledger = collector.ledger();
  if (examples.length === 0) throw nothingRead(path, format, ledger);
  return { examples, format: format.name, why, ledger };
}

/**
 * The format of a path, and why.
 * @throws KitError when nothing is there or no format fits
 */
export async function detectFormat(
  path: string,
): Promise<{ readonly format: FormatName; readonly why: string }> {
  const { format, why } = await chooseFormat(path, undefined);
  return { format: format.name, why };
}

async function chooseFormat(
  path: string,
  asked: string | undefined,
): Promise<{ format: Format; why: string }> {
  if (asked !== undefined) {
    const format = FORMATS.find(({ name }) => name === asked);
    if (format !== undefined) return { format, why: "the caller named it" };
    throw new KitError(`there is no format "${asked}"`, `use one of ${FORMAT_NAMES.join(", ")}`);
  }
  const sample = await takeSample(path);
  for (const format of FORMATS) {
    const why = format.recognize(sample);
    if (why !== undefined) return { format, why };
  }
  throw new KitError(
    `the format is not known: it has ${describeSample(sample)}`,
    `give ${FORMATS.map(({ looksLike, name }) => `${looksLike} (${name})`).join(", or ")}, or name the format`,
    { file: path },
  );
}

function describeSample(sample: Sample): string {
  const names = sample.kind === "folder" ? sample.names : Object.keys(sample.first);
  const shown = names.slice(0, 8).map((name) => (name.length > 40 ? `${name.slice(0, 40)}...` : name));
  const list = `${shown.join(", ")}${names.length > shown.length ? ", ..." : ""}`;
  return sample.kind === "folder" ? `the entries ${list}` : `the fields ${list === "" ? "none" : list}`;
}

function nothingRead(path: string, format: Format, ledger: ReadLedger): KitError {
  const dropped = Object.entries(ledger.dropped).map(([reason, rows]) => `${rows} ${reason}`);
  const first = ledger.problems[0];
  return new KitError(
    `no usable row (${dropped.length === 0 ? "there are none" : dropped.join(", ")}${first === undefined ? "" : `; the first problem: ${first.message}`})`,
    `check that this is ${format.looksLike}`,
    { file: path },
  );
}
