import { createReadStream } from "node:fs";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";

/** A line of a file, counted from 1, without its end. */
interface Line {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The longest line that is read, in bytes; a longer one is not a row but a file of another kind. */
const LONGEST_LINE = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * The lines of a file, read as a stream: memory holds one block and one line. They are cut as bytes, so that a character
 * on the border of two blocks stays whole.
 */
async function* readLines(path: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const finish = (last: Uint8Array): Line => {
    const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    length = 0;
    return { number: ++number, bytes };
  };
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      const block = chunk as Uint8Array;
      let start = 0;
      for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
        yield finish(block.subarray(start, end));
        start = end + 1;
      }
      parts.push(block.subarray(start));
      length += block.length - start;
      if (length > LONGEST_LINE) throw lineTooLong(path, number + 1);
    }
  } catch (error) {
    throw error instanceof KitError ? error : fileError(path, "read", error);
  }
  if (length > 0) yield finish(new Uint8Array());
}

/** A line of a JSONL file: its value, or why it has none. */
export type JsonLine =
  { readonly line: number; readonly value: unknown } | { readonly line: number; readonly problem: string };

/**
 * The lines that hold something besides white space, each parsed as JSON. LF and CRLF end a line; a byte order mark is
 * left out.
 * @throws KitError when the file cannot be read or has a line of more than 64 MiB
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const { number: line, bytes } of readLines(path)) {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      yield { line, problem: "the line is not valid UTF-8" };
      continue;
    }
    if (text.trim() === "") continue;
    let parsed: JsonLine;
    try {
      parsed = { line, value: JSON.parse(text) };
    } catch {
      parsed = { line, problem: "the line is not valid JSON" };
    }
    yield parsed;
  }
}

function lineTooLong(path: string, line: number): KitError {
  return new KitError("the line has more than 64 MiB", "check that this is a file with one row a line", {
    file: path,
    line,
  });
}
