import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { Normaliser, type NormaliseReport, type NormaliseStep } from "../normalise.js";
import { readContainer } from "./container/index.js";
import {
  type DataFile,
  type DataFiles,
  findDataFiles,
  type SideFile,
  type UnreadableFile,
} from "./folder.js";
import type { FormatName, FormatOptions, PairColumns } from "./format.js";
import { formatByName } from "./formats.js";
import { rowContainer } from "./row-format.js";
import { type ReadLedger, RowCollector } from "./rows.js";

export type { SideFile } from "./folder.js";
export type { FormatName, PairColumns } from "./format.js";
export { FORMAT_NAMES } from "./formats.js";
export type { ReadDropReason, ReadLedger, RowProblem } from "./rows.js";
export {
  hasOfficialSplit,
  type OfficialSide,
  readOfficialSplit,
} from "./super-natural-instructions-folder.js";

export interface ReadOptions extends Partial<Omit<FormatOptions, "columns">> {
  /** The format; told from the content where it is left out. */
  readonly format?: FormatName;
  /** What a malformed row does: stop with its place (the default), or be dropped and counted. */
  readonly onMalformed?: "error" | "skip";
  /** The first so many good rows of each task are kept, in the order of the file. */
  readonly limitPerTask?: number;
  /** Which tasks to read; the others are passed over without a ledger line. */
  readonly wantsTask?: (task: string) => boolean;
  /** Plain pairs: which columns to take; this also names the format. */
  readonly columns?: PairColumns;
  /** Steps of normalisation for the rows that were read; none where it is left out. */
  readonly normalise?: readonly NormaliseStep[];
}

/** A file that was read. */
export interface FileReport {
  readonly path: string;
  readonly format: FormatName;
  /** Why this format was taken. */
  readonly why: string;
  readonly rowsIn: number;
  readonly examples: number;
}

/** What was found at a path. */
export interface ReadReport {
  /** The format, "several" where the files of a folder have different ones. */
  readonly format: FormatName | "several";
  /** Why this format was taken. */
  readonly why: string;
  /** What became of the rows of the files, before normalisation. */
  readonly ledger: ReadLedger;
  /** What normalisation did, where it was asked for: its `rowsIn` are the examples of the ledger. */
  readonly normalisation?: NormaliseReport;
  /** The files that were read so far, in order. */
  readonly files: readonly FileReport[];
  /** Files of a folder that hold no rows. */
  readonly sideFiles: readonly SideFile[];
}

export interface ReadResult extends ReadReport {
  readonly examples: readonly Example[];
}

/** Examples one by one; the report is complete when the last was given. */
export interface ExampleStream extends AsyncIterable<Example> {
  readonly report: () => ReadReport;
}

/**
 * Reads a file of any known format, or a folder of such files.
 * @throws KitError when the path is missing, the format is not known, a row is malformed (unless such rows are to be
 *   skipped), or no row is left
 */
export async function readExamples(path: string, options: ReadOptions = {}): Promise<ReadResult> {
  const stream = await openExamples(path, options, true);
  const examples: Example[] = [];
  for await (const example of stream) examples.push(example);
  return { examples, ...stream.report() };
}

/**
 * As `readExamples`, one example at a time: memory does not grow with the file (it grows with the number of tasks where
 * `limitPerTask` is given, and holds one group of rows of a Parquet file). So that this holds, ids that occur twice are not
 * found. The stream can be gone through once.
 * @throws KitError as `readExamples`; for the rows while they are read
 */
export function streamExamples(path: string, options: ReadOptions = {}): Promise<ExampleStream> {
  return openExamples(path, options, false);
}

/**
 * The format of a path, and why.
 * @throws KitError when nothing is there or no format fits
 */
export async function detectFormat(path: string): Promise<Pick<ReadReport, "format" | "why">> {
  const { files } = await findDataFiles(path, undefined);
  return describeFormats(files);
}

/** A record of a file as its container gives it: the raw row, with its place for messages. */
export interface FileRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly place: { readonly file: string; readonly line?: number; readonly row?: number };
}

/**
 * The raw records of a file of rows (JSON array, JSON lines, CSV, TSV, Parquet; also in gzip), one at a time, whatever they
 * mean: for templates that are written over the fields of a data set.
 * @param onSkip is told of each record that cannot be used; left out, the first of them is an error
 * @throws KitError when the file cannot be read or is damaged
 */
export async function* readRecords(
  path: string,
  onSkip?: (problem: KitError) => void,
): AsyncGenerator<FileRecord> {
  for await (const record of readContainer(path, await rowContainer(path))) {
    const place = { file: path, ...record.place };
    const problem = "problem" in record ? record.problem : objectProblem(record.value);
    if (problem === undefined && "value" in record) {
      yield { fields: record.value as Readonly<Record<string, unknown>>, place };
      continue;
    }
    const error = new KitError(problem ?? "", "correct the row", place);
    if (onSkip === undefined) throw error;
    onSkip(error);
  }
}

function objectProblem(value: unknown): string | undefined {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? undefined : "the row is not an object with named fields";
}

async function openExamples(path: string, options: ReadOptions, checkIds: boolean): Promise<ExampleStream> {
  const { onMalformed = "error", limitPerTask = Infinity, columns } = options;
  if (columns !== undefined && options.format !== undefined && options.format !== "sft-pairs")
    throw new KitError("columns are for the format sft-pairs", `leave out the format "${options.format}"`);
  const found = await findDataFiles(path, columns === undefined ? options.format : "sft-pairs");
  const collector = new RowCollector({ onMalformed, limitPerTask, checkIds });
  const normaliser = options.normalise === undefined ? undefined : new Normaliser(options.normalise);
  const reports: FileReport[] = [];
  const report = (): ReadReport => ({
    ...describeFormats(found.files),
    ledger: collector.ledger(),
    ...(normaliser === undefined ? {} : { normalisation: normaliser.report() }),
    files: [...reports],
    sideFiles: found.sideFiles,
  });
  return {
    report,
    async *[Symbol.asyncIterator]() {
      for await (const example of readFiles(found, collector, options, reports)) {
        const row = normaliser === undefined ? example : normaliser.apply(example);
        if (row !== undefined) yield row;
      }
      if (collector.ledger().kept === 0) throw nothingRead(path, report());
    },
  };
}

async function* readFiles(
  { files }: DataFiles,
  collector: RowCollector,
  options: ReadOptions,
  reports: FileReport[],
): AsyncGenerator<Example> {
  const {
    wantsTask = () => true,
    turns = "each",
    textRows = "paragraph",
    keepFields = false,
    columns,
  } = options;
  const formatOptions = { turns, textRows, keepFields, ...(columns === undefined ? {} : { columns }) };
  for (const file of files) {
    if ("error" in file) {
      collector.dropFile(file.error);
      continue;
    }
    const { path, name, chosen } = file;
    const before = collector.ledger();
    yield* chosen.format.read({ path, name, collector, wantsTask, options: formatOptions });
    const { rowsIn, examples } = collector.ledger();
    reports.push({
      path,
      format: chosen.format.name,
      why: chosen.why,
      rowsIn: rowsIn - before.rowsIn,
      examples: examples - before.examples,
    });
  }
}

function describeFormats(files: readonly (DataFile | UnreadableFile)[]): Pick<ReadReport, "format" | "why"> {
  const known = files.filter((file) => "chosen" in file);
  const counts = new Map<FormatName, number>();
  for (const { chosen } of known) counts.set(chosen.format.name, (counts.get(chosen.format.name) ?? 0) + 1);
  const [first] = known;
  const unknown = files.find((file) => "error" in file);
  if (first === undefined) throw unknown === undefined ? new RangeError("there is no file") : unknown.error;
  const { format, why } = first.chosen;
  if (files.length === 1) return { format: format.name, why };
  const list = [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
  return counts.size === 1
    ? { format: format.name, why: `a folder of ${known.length} such files; the first is ${why}` }
    : { format: "several", why: `a folder of files of several formats: ${list}` };
}

function nothingRead(path: string, { ledger, format }: ReadReport): KitError {
  const dropped = Object.entries(ledger.dropped).map(([reason, rows]) => `${rows} ${reason}`);
  const first = ledger.problems[0];
  const expected = format === "several" ? "a folder of data" : formatByName(format).looksLike;
  return new KitError(
    `no usable row (${dropped.length === 0 ? "there are none" : dropped.join(", ")}${first === undefined ? "" : `; the first problem: ${first.message}`})`,
    `check that this is ${expected}`,
    { file: path },
  );
}
