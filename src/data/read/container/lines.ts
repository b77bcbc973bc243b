import { KitError } from "../../../support/errors.js";
import { readBytes } from "./bytes.js";
import { jsonProblem, parseJsonBytes } from "./json.js";
import { LARGEST_RECORD } from "./record.js";

/** A line of a file, counted from 1, without its end. */
export interface Line {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const NEWLINE = 0x0a;

/**
 * The lines of a file, read as a stream: memory holds one block and one line. They are cut as bytes, so that a character
 * on the border of two blocks stays whole. A last line without an end is a line; nothing behind the last end is none.
 * @throws KitError when the file cannot be read or has a line of more than 64 MiB
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const finish = (last: Uint8Array): Line => {
    const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    length = 0;
    return { number: ++number, bytes };
  };
  for await (const block of readBytes(path)) {
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      yield finish(block.subarray(start, end));
      start = end + 1;
    }
    parts.push(block.subarray(start));
    length += block.length - start;
    if (length > LARGEST_RECORD) throw lineTooLong(path, number + 1);
  }
  if (length > 0) yield finish(new Uint8Array());
}

/** A line of text: the text, or why it has none. */
export type TextLine =
  { readonly line: number; readonly text: string } | { readonly line: number; readonly problem: string };

/**
 * The lines of a file as text, without LF or CRLF and without a byte order mark.
 * @throws KitError as `readLines`
 */
export async function* readTextLines(path: string): AsyncGenerator<TextLine> {
  // A decoder swallows a byte order mark at the beginning of every text it is given; only the first line has one.
  const [first, others] = [false, true].map(
    (ignoreBOM) => new TextDecoder("utf-8", { fatal: true, ignoreBOM }),
  );
  for await (const { number: line, bytes } of readLines(path)) {
    let text: TextLine;
    try {
      text = { line, text: (line === 1 ? first : others)?.decode(bytes).replace(/\r$/, "") ?? "" };
    } catch {
      text = { line, problem: "the line is not valid UTF-8" };
    }
    yield text;
  }
}

/** A line of a JSONL file: its value, or why it has none. */
export type JsonLine =
  { readonly line: number; readonly value: unknown } | { readonly line: number; readonly problem: string };

/**
 * The lines that hold something besides white space, each parsed as JSON. LF and CRLF end a line; a byte order mark is
 * left out.
 * @throws KitError as `readLines`
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  for await (const { number: line, bytes } of readLines(path)) {
    const parsed = parseJsonBytes(bytes);
    if ("empty" in parsed) continue;
    yield "value" in parsed
      ? { line, value: parsed.value }
      : { line, problem: jsonProblem("line", parsed.problem) };
  }
}

function lineTooLong(path: string, line: number): KitError {
  return new KitError("the line has more than 64 MiB", "check that this is a file with one row a line", {
    file: path,
    line,
  });
}
