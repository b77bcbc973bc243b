import { closeSync, openSync, readSync, statSync } from "node:fs";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { KitError, messageOf } from "../../../support/errors.js";
import { fileError } from "../../../support/files.js";
import { isGzip } from "./bytes.js";
import { checkPages } from "./parquet-pages.js";
import type { RawRecord } from "./record.js";

/** More rows in one group than any writer makes: a damaged count, for which memory must not be taken. */
const MOST_ROWS_IN_GROUP = 20_000_000;

/** A text that is not UTF-8, until the row is built. */
class BadText extends Error {}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const parsers = {
  stringFromBytes(bytes: Uint8Array): unknown {
    try {
      return decoder.decode(bytes);
    } catch {
      return new BadText();
    }
  },
};

/**
 * The rows of a Parquet file as objects; memory holds one group of rows, as the writer of the file made it. Lists and
 * structs become lists and objects, whole numbers of 64 bits numbers where these are exact and else texts, times ISO texts.
 * @throws KitError when the file cannot be read or is damaged
 */
export async function* readParquet(path: string): AsyncGenerator<RawRecord> {
  if (isGzip(path))
    throw new KitError("Parquet in gzip cannot be read at random", "unpack it (gunzip)", { file: path });
  const file = openFile(path);
  try {
    const metadata = await guard(path, 1, () => parquetMetadataAsync(file.buffer, { geoparquet: false }));
    let row = 0;
    for (const group of checkGroups(path, metadata)) {
      const { num_rows: count } = group;
      const first = row;
      await guard(path, first + 1, () => checkPages(file.buffer, group));
      const rowEnd = first + Number(count);
      const rows = await guard(path, first + 1, () =>
        parquetReadObjects({
          file: file.buffer,
          metadata,
          compressors,
          rowStart: first,
          rowEnd,
          parsers,
        }),
      );
      if (rows.length !== Number(count)) throw damaged(path, first + 1, "rows are missing");
      for (const value of rows) {
        row++;
        yield toRecord(value, row);
      }
    }
  } finally {
    file.close();
  }
}

function checkGroups(path: string, metadata: FileMetaData): FileMetaData["row_groups"] {
  const groups = Array.isArray(metadata.row_groups) ? metadata.row_groups : [];
  const counts = groups.map((group) => Number(group.num_rows));
  const sum = counts.reduce((total, count) => total + count, 0);
  if (
    sum !== Number(metadata.num_rows) ||
    counts.some((count) => !Number.isInteger(count) || count < 0 || count > MOST_ROWS_IN_GROUP)
  )
    throw damaged(path, 1, "its numbers of rows do not agree");
  return groups;
}

function toRecord(value: Record<string, unknown>, row: number): RawRecord {
  const place = { row };
  try {
    return { place, value: plainValue(value) };
  } catch (error) {
    if (error instanceof BadText) return { place, problem: "the row is not valid UTF-8" };
    throw error;
  }
}

/** A value with the types that JSON has. @throws BadText where a text in it is not UTF-8 */
function plainValue(value: unknown): unknown {
  if (value instanceof BadText) throw value;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plainValue(field)]));
}

/** What the Parquet reader throws, as an error with a cure: it meets damage as range and type errors. */
async function guard<Value>(path: string, row: number, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof KitError) throw error;
    throw damaged(path, row, messageOf(error).slice(0, 200), error);
  }
}

function damaged(path: string, row: number, problem: string, cause?: unknown): KitError {
  return new KitError(
    `not a valid Parquet file (${problem})`,
    "download it again",
    { file: path, row },
    { cause },
  );
}

function openFile(path: string): { buffer: AsyncBuffer; close: () => void } {
  let descriptor: number;
  let byteLength: number;
  try {
    descriptor = openSync(path, "r");
    byteLength = statSync(path).size;
  } catch (error) {
    throw fileError(path, "opened", error);
  }
  const slice = (start: number, end = byteLength): ArrayBuffer => {
    const from = start < 0 ? Math.max(0, byteLength + start) : start;
    const length = Math.max(0, Math.min(end, byteLength) - from);
    const bytes = new Uint8Array(length);
    let read = 0;
    while (read < length) {
      const count = readSync(descriptor, bytes, read, length - read, from + read);
      if (count === 0) break;
      read += count;
    }
    return bytes.buffer;
  };
  return { buffer: { byteLength, slice }, close: () => closeSync(descriptor) };
}
