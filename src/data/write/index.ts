import { AtomicFile } from "../../support/atomic-file.js";
import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { extensionOf } from "../read/sample.js";
import { type ExampleField, RECORD_FORMATS, type RecordFormat, type WriteFormat } from "./record.js";

export type { ExampleField, WriteFormat } from "./record.js";

/** Names of the formats that are written, for the command line. */
export const WRITE_FORMATS = Object.keys(RECORD_FORMATS) as readonly WriteFormat[];

export interface WriteOptions {
  readonly format: WriteFormat;
  /** What a field does that the format cannot hold: stop (the default), or be left out and counted. */
  readonly onLoss?: "error" | "count";
}

/** What was written. `rowsIn` = `written` + all of `leftOut`. */
export interface WriteReport {
  readonly rowsIn: number;
  readonly written: number;
  /** Rows that the format cannot hold at all, by the field that it needs and they lack. */
  readonly leftOut: Readonly<Partial<Record<ExampleField, number>>>;
  /** Written rows that lost a field, by the field; "outputs" means all references but the first. */
  readonly lost: Readonly<Partial<Record<ExampleField, number>>>;
}

type Container = "json-list" | "json-lines" | "csv" | "tsv";

const CONTAINERS: Readonly<Record<string, Container>> = {
  ".json": "json-list",
  ".jsonl": "json-lines",
  ".csv": "csv",
  ".tsv": "tsv",
};

/**
 * Writes examples to a file, one at a time; the file is there as a whole or not at all. The ending of its name says how rows
 * are put into it: .json, .jsonl, .csv or .tsv. Reading the file back gives the same examples.
 * @throws KitError for an example that the format cannot hold (naming the field), unless losses are to be counted; for an
 *   ending that does not fit the format; and when the file cannot be written
 */
export async function writeExamples(
  examples: Iterable<Example> | AsyncIterable<Example>,
  path: string,
  { format, onLoss = "error" }: WriteOptions,
): Promise<WriteReport> {
  const recordFormat = RECORD_FORMATS[format];
  const container = containerFor(path, format, recordFormat);
  const { columns = [] } = recordFormat;
  const isTable = container === "csv" || container === "tsv";
  const leftOut: Partial<Record<ExampleField, number>> = {};
  const lost: Partial<Record<ExampleField, number>> = {};
  let [rowsIn, written] = [0, 0];
  const file = new AtomicFile(path);
  try {
    file.write(opening(container, columns));
    for await (const example of examples) {
      rowsIn++;
      const missing = recordFormat.missing(example);
      if (missing !== undefined) {
        if (onLoss === "error") throw cannotHold(path, format, example, missing, "needs");
        leftOut[missing] = (leftOut[missing] ?? 0) + 1;
        continue;
      }
      const { record, lost: fields } = recordFormat.write(example, isTable);
      for (const field of fields) {
        if (onLoss === "error") throw cannotHold(path, format, example, field, "cannot hold");
        lost[field] = (lost[field] ?? 0) + 1;
      }
      file.write(rowText(container, columns, record, written === 0));
      written++;
    }
    file.write(container === "json-list" ? "\n]\n" : "");
    if (written === 0) throw new KitError("no row can be written", "check the data", { file: path });
    file.commit();
  } catch (error) {
    file.discard();
    throw error;
  }
  return { rowsIn, written, leftOut, lost };
}

function containerFor(path: string, format: WriteFormat, { columns }: RecordFormat): Container {
  const extension = path.endsWith(".gz") ? ".gz" : extensionOf(path);
  const container = CONTAINERS[extension];
  const fits = container === "json-list" || container === "json-lines" || columns !== undefined;
  if (container !== undefined && fits) return container;
  const endings = columns === undefined ? ".json or .jsonl" : Object.keys(CONTAINERS).join(", ");
  throw new KitError(
    `${format} cannot be written to a file that ends in "${extension}"`,
    `use a name that ends in ${endings}`,
    { file: path },
  );
}

function opening(container: Container, columns: readonly string[]): string {
  if (container === "json-list") return "[";
  return container === "json-lines" ? "" : tableLine(container, columns);
}

function rowText(
  container: Container,
  columns: readonly string[],
  record: Readonly<Record<string, unknown>>,
  isFirst: boolean,
): string {
  if (container === "json-list") return `${isFirst ? "" : ","}\n${JSON.stringify(record)}`;
  if (container === "json-lines") return `${JSON.stringify(record)}\n`;
  return tableLine(
    container,
    columns.map((column) => String(record[column])),
  );
}

/** A line of a table, each cell in quotes. */
function tableLine(container: "csv" | "tsv", cells: readonly string[]): string {
  const quoted = cells.map((cell) => `"${cell.replaceAll('"', '""')}"`);
  return `${quoted.join(container === "csv" ? "," : "\t")}\n`;
}

function cannotHold(
  path: string,
  format: WriteFormat,
  { id }: Example,
  field: ExampleField,
  how: "needs" | "cannot hold",
): KitError {
  const what = field === "outputs" && how === "cannot hold" ? "more than one reference" : `"${field}"`;
  return new KitError(
    `${format} ${how} ${what}, which example "${id}" ${how === "needs" ? "lacks" : "has"}`,
    `write another format, or let such losses be counted (--allow-loss, onLoss: "count")`,
    { file: path, field },
  );
}
