import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import { readPythonJsonFile } from "./json.js";
import { readJsonLines } from "./lines.js";
import type { Sample } from "./format.js";

const HEAD_BYTES = 1 << 20;

/**
 * Looks at a folder's names, or at the beginning of a file: its first row.
 * @throws KitError when the path is missing or empty, or the file holds no JSON
 */
export async function takeSample(path: string): Promise<Sample> {
  if (isFolder(path)) {
    const names = readdirSync(path).sort();
    if (names.length === 0) throw new KitError("the folder is empty", "check the path", { file: path });
    return { kind: "folder", names };
  }
  const { text, whole } = readHead(path);
  const start = text.trimStart();
  if (start === "") throw new KitError("the file is empty", "check the path or the download", { file: path });
  if (start.startsWith("[")) return { kind: "array", first: firstOfArray(path, start, whole) };
  const line = start.startsWith("{") ? await firstLine(path) : undefined;
  if (line !== undefined) return { kind: "lines", first: asRow(path, line) };
  if (start.startsWith("{")) return { kind: "object", first: asRow(path, readPythonJsonFile(path)) };
  throw new KitError(
    "the format is not known: the file is neither a JSON array, nor a JSON object, nor one JSON object a line",
    "give a file of a known format",
    { file: path },
  );
}

/** @throws KitError when there is nothing at the path */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fileError(path, "opened", error);
  }
}

function readHead(path: string): { text: string; whole: boolean } {
  try {
    const file = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(Math.min(HEAD_BYTES, fstatSync(file).size));
      const read = readSync(file, buffer, 0, buffer.length, 0);
      const whole = fstatSync(file).size <= read;
      // Bad UTF-8 is not looked for here: the reader finds it, and knows the line.
      return { text: new TextDecoder().decode(buffer.subarray(0, read)), whole };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(path, "opened", error);
  }
}

/** The first line as a value, where it is a complete JSON object; undefined where it is only the beginning of one. */
async function firstLine(path: string): Promise<unknown> {
  for await (const line of readJsonLines(path)) return "value" in line ? line.value : undefined;
  return undefined;
}

function firstOfArray(path: string, start: string, whole: boolean): Readonly<Record<string, unknown>> {
  const end = endOfFirstObject(start);
  if (end !== undefined) {
    try {
      return asRow(path, JSON.parse(start.slice(start.indexOf("{"), end)));
    } catch (error) {
      if (error instanceof KitError) throw error;
    }
  }
  // No complete object at the beginning: the whole file tells whether it is damaged, or a list of something else.
  const value = whole || end === undefined ? readPythonJsonFile(path) : undefined;
  if (Array.isArray(value) && value.length === 0) {
    throw new KitError("the list of rows is empty", "check the path or the download", { file: path });
  }
  return asRow(path, Array.isArray(value) ? value[0] : value);
}

/** Position behind the first element of an array that is an object, or undefined. */
function endOfFirstObject(text: string): number | undefined {
  const begin = /^\[\s*\{/.exec(text)?.[0].length;
  if (begin === undefined) return undefined;
  let depth = 1;
  let inString = false;
  for (let at = begin; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

function asRow(path: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new KitError("the first row is not an object with named fields", "give a file of a known format", {
    file: path,
    row: 1,
  });
}
