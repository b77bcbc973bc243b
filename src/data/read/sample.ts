import { readdirSync, statSync } from "node:fs";
import { extname } from "node:path";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import { readHead, readStart } from "./container/bytes.js";
import { type ContainerName, readContainer } from "./container/index.js";
import { readMemberNames } from "./container/json-file.js";
import { JsonSplitter } from "./container/json-splitter.js";
import type { Sample } from "./format.js";

const HEAD_BYTES = 1 << 20;

/** How many records are looked at for one that is an object: the first may be damaged. */
const RECORDS_TRIED = 100;

/**
 * Looks at a folder's names, or at the beginning of a file: how its rows are put into it, and its first row.
 * @throws KitError when the path is missing or empty, or the file has no row
 */
export async function takeSample(path: string): Promise<Sample> {
  if (isFolder(path)) {
    const names = readdirSync(path).sort();
    if (names.length === 0) throw new KitError("the folder is empty", "check the path", { file: path });
    return { kind: "folder", names };
  }
  const container = await containerOf(path);
  if (container === "json-object") return { kind: "object", names: await readMemberNames(path) };
  if (container === "text") return { kind: "text", extension: extensionOf(path) };
  const lines = (await textHead(path)).split(/\r?\n/).slice(0, -1);
  try {
    return { kind: "records", container, first: await firstRecord(path, container), lines };
  } catch (error) {
    if (container !== "tsv" || !(error instanceof KitError)) throw error;
    return { kind: "records", container, first: {}, lines, problem: error };
  }
}

/**
 * How the rows of a file are put into it. Parquet, JSON and gzip are told from the content, tables and plain text also
 * from the ending of the name (".gz" left out).
 * @throws KitError when the file is missing or empty
 */
export async function containerOf(path: string): Promise<ContainerName | "json-object" | "text"> {
  if (Buffer.from(readStart(path, 4)).toString("latin1") === "PAR1") return "parquet";
  const text = await textHead(path);
  const start = text.trimStart();
  if (start === "") throw new KitError("the file is empty", "check the path or the download", { file: path });
  const extension = extensionOf(path);
  if (extension === ".parquet")
    throw new KitError("not a valid Parquet file (it does not begin with PAR1)", "download it again", {
      file: path,
    });
  if (extension === ".csv") return "csv";
  if (extension === ".tsv") return "tsv";
  if (extension === ".txt" || extension === ".md") return "text";
  if (extension === ".jsonl" || extension === ".ndjson") return "json-lines";
  if (start.startsWith("[")) return "json-list";
  if (start.startsWith("{")) return isOneLineObject(start) ? "json-lines" : "json-object";
  const [firstLine = ""] = start.split(/\r?\n/, 1);
  return firstLine.includes("\t") ? "tsv" : "text";
}

/** The ending of a file's name, without that of gzip, in small letters: ".jsonl" for "rows.JSONL.gz". */
export function extensionOf(path: string): string {
  return extname(path.replace(/\.gz$/i, "")).toLowerCase();
}

/** @throws KitError when there is nothing at the path */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fileError(path, "opened", error);
  }
}

async function textHead(path: string): Promise<string> {
  // Bad UTF-8 is not looked for here: the reader finds it, and knows the line.
  return new TextDecoder().decode(await readHead(path, HEAD_BYTES));
}

/**
 * Whether the first line is an object of its own; one that breaks off opens an object that goes on in the next lines, and
 * one that is wrong before its end is a damaged line.
 */
function isOneLineObject(start: string): boolean {
  const [line = ""] = start.split("\n", 1);
  const splitter = new JsonSplitter("", { within: "", members: false });
  try {
    splitter.push(Buffer.from(line));
    return splitter.isComplete;
  } catch (error) {
    if (error instanceof KitError) return true;
    throw error;
  }
}

async function firstRecord(
  path: string,
  container: ContainerName,
): Promise<Readonly<Record<string, unknown>>> {
  let tried = 0;
  let problem: string | undefined;
  for await (const record of readContainer(path, container)) {
    if ("value" in record && isRecord(record.value)) return record.value;
    problem ??= "value" in record ? "it is not an object with named fields" : record.problem;
    if (++tried === RECORDS_TRIED) break;
  }
  if (problem === undefined)
    throw new KitError("the list of rows is empty", "check the path or the download", { file: path });
  throw new KitError(`the first row cannot be used: ${problem}`, "give a file of a known format", {
    file: path,
    row: 1,
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
