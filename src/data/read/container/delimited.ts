import { pipeline } from "node:stream";
import { type CsvError, parse } from "csv-parse";
import { KitError, messageOf } from "../../../support/errors.js";
import { readBytes } from "./bytes.js";
import { LARGEST_RECORD, type RawRecord } from "./record.js";

/** What the parser gives: the cells of a row, and the lines read so far. */
interface ParsedRow {
  readonly record: readonly Uint8Array[];
  readonly info: { readonly lines: number };
}

/**
 * The rows of a table with a header line, as objects of texts; cells are quoted as in RFC 4180. A row with more or fewer
 * cells than the header is a record with a problem; quotes that do not pair are an error, because from there on nobody can
 * tell where rows end. The row number does not count the header.
 * @throws KitError when the file cannot be read, its header is damaged, or its quotes do not pair
 */
export async function* readDelimited(path: string, delimiter: "," | "\t"): AsyncGenerator<RawRecord> {
  const parser = parse({
    delimiter,
    record_delimiter: ["\r\n", "\n"],
    info: true,
    // Bytes, so that bad UTF-8 is seen instead of replaced.
    encoding: null,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LARGEST_RECORD,
  });
  // The callback is there because pipeline wants one: the same error comes out of the loop.
  pipeline(withoutByteOrderMark(readBytes(path)), parser, () => undefined);
  let header: readonly string[] | undefined;
  let row = 0;
  try {
    for await (const item of parser) {
      const { record } = item as ParsedRow;
      const cells = decodeCells(record);
      if (header === undefined) {
        header = checkHeader(path, cells);
        continue;
      }
      row++;
      yield toRecord(header, cells, row);
    }
  } catch (error) {
    throw error instanceof KitError ? error : parserError(path, error, row + 1);
  }
}

/** The parser's own way of leaving the mark out would also turn its bytes into texts. */
async function* withoutByteOrderMark(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const block of blocks) {
    const hasMark = isFirst && block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf;
    yield hasMark ? block.subarray(3) : block;
    isFirst = false;
  }
}

function decodeCells(cells: readonly Uint8Array[]): readonly string[] | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return cells.map((cell) => decoder.decode(cell));
  } catch {
    return undefined;
  }
}

function checkHeader(path: string, cells: readonly string[] | undefined): readonly string[] {
  const place = { file: path, line: 1 };
  if (cells === undefined)
    throw new KitError("the header line is not valid UTF-8", "save the file as UTF-8 text", place);
  const bad = cells.find((name, index) => name.trim() === "" || cells.indexOf(name) !== index);
  if (bad === undefined) return cells;
  throw new KitError(
    bad.trim() === "" ? "a column has no name" : `two columns are named "${bad.slice(0, 80)}"`,
    "give each column a name of its own in the first line",
    place,
  );
}

function toRecord(header: readonly string[], cells: readonly string[] | undefined, row: number): RawRecord {
  const place = { row };
  if (cells === undefined) return { place, problem: "the row is not valid UTF-8" };
  if (cells.length !== header.length)
    return { place, problem: `the row has ${cells.length} cells, the header has ${header.length}` };
  return { place, value: Object.fromEntries(header.map((name, index) => [name, cells[index]])) };
}

function parserError(path: string, error: unknown, row: number): KitError {
  const code = error instanceof Error && "code" in error ? (error as CsvError).code : undefined;
  const large = code === "CSV_MAX_RECORD_SIZE";
  const quotes = String(code).includes("QUOTE");
  return new KitError(
    large
      ? "the row has more than 64 MiB"
      : quotes
        ? "the quotes do not pair, so that rows cannot be told apart from here on"
        : `the row cannot be read (${messageOf(error)})`,
    large
      ? "check that this is a table with one row a line"
      : "put cells with quotes, delimiters or line ends into quotes, and double the quotes in them",
    { file: path, row },
    { cause: error },
  );
}
