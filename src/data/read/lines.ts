import { createReadStream } from "node:fs";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";

/** A line of a text file, counted from 1, without its end. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** The longest line that is read, in characters; a longer one is not a row but a file of another kind. */
const LONGEST_LINE = 64 * 1024 * 1024;

/**
 * The lines of a UTF-8 file, read as a stream: memory holds one block and one line. LF and CRLF end a line; a byte
 * order mark is left out.
 * @throws KitError when the file cannot be read, is not UTF-8, or has a line of more than 64 Mi characters
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let parts: string[] = [];
  let length = 0;
  try {
    for await (const block of createReadStream(path, { highWaterMark: 1 << 18 })) {
      const pieces = decoder.decode(block as Buffer, { stream: true }).split("\n");
      const last = pieces.pop() ?? "";
      for (const piece of pieces) {
        parts.push(piece);
        yield { number: ++number, text: withoutReturn(parts.join("")) };
        parts = [];
        length = 0;
      }
      parts.push(last);
      length += last.length;
      if (length > LONGEST_LINE) throw lineTooLong(path, number + 1);
    }
    parts.push(decoder.decode());
  } catch (error) {
    if (error instanceof KitError) throw error;
    if (error instanceof TypeError) {
      throw new KitError("the file is not valid UTF-8", "save it as UTF-8 text", {
        file: path,
        line: number + 1,
      });
    }
    throw fileError(path, "read", error);
  }
  const text = withoutReturn(parts.join(""));
  if (text !== "") yield { number: number + 1, text };
}

/** The lines that hold something, each parsed as JSON; one that is not JSON comes as its problem. */
export async function* readJsonLines(
  path: string,
): AsyncGenerator<{ readonly line: number; readonly value: unknown; readonly problem?: string }> {
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === "") continue;
    let value: unknown;
    let problem: string | undefined;
    try {
      value = JSON.parse(text);
    } catch {
      problem = "the line is not valid JSON";
    }
    yield problem === undefined ? { line: number, value } : { line: number, value: undefined, problem };
  }
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

function lineTooLong(path: string, line: number): KitError {
  return new KitError(
    "the line has more than 64 Mi characters",
    "check that this is a file with one row a line",
    {
      file: path,
      line,
    },
  );
}
