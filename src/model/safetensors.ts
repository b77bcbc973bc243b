import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { KitError } from "../support/errors.js";
import { fileError, writeFileAtomic } from "../support/files.js";
import { canonicalJson } from "../support/hash.js";
import {
  corrupt,
  DTYPE_BYTES,
  type Header,
  type HeaderEntry,
  MAX_HEADER_BYTES,
  parseHeader,
  type StoredType,
} from "./safetensors-header.js";

/** A tensor in a file: little-endian values, row by row. F16 and BF16 are given as their 16 bits. */
export interface StoredTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;
}

/** What a file holds. */
export interface StoredTensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Field of the metadata with a hash of everything else, so that a flipped bit in the weights is an error. */
const HASH = "ift-kit.sha256";

/**
 * Writes tensors in the safetensors format, whole or not at all, one tensor after another: `data` may be a getter that
 * makes the values, and is then asked twice (for the hash, and to write).
 * @throws KitError when the file cannot be written
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const entries: HeaderEntry[] = [];
  let position = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const end = position + shape.reduce((product, length) => product * length, DTYPE_BYTES[dtype]);
    entries.push({ name, dtype, shape, begin: position, end });
    position = end;
  }
  function* pieces(): Generator<Uint8Array> {
    for (const [name, { dtype, shape, data }] of tensors) {
      const size = shape.reduce((product, length) => product * length, 1);
      if (data.length !== size || data.BYTES_PER_ELEMENT !== DTYPE_BYTES[dtype]) {
        throw new Error(`tensor ${name}: ${data.length} values do not fit ${dtype} [${shape.join(", ")}]`);
      }
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    }
  }
  const described = { ...metadata, [HASH]: contentHash(entries, metadata, pieces()) };
  const fields = entries.map(({ name, dtype, shape, begin, end }): [string, unknown] => [
    name,
    { dtype, shape, data_offsets: [begin, end] },
  ]);
  const json = JSON.stringify(Object.fromEntries([["__metadata__", described], ...fields]));
  const header = Buffer.from(json);
  // Spaces up to a multiple of 8, so that the values are aligned in a mapped file.
  const padding = Buffer.alloc((8 - (header.length % 8)) % 8, " ");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length + padding.length));
  function* whole(): Generator<Uint8Array> {
    yield* [length, header, padding];
    yield* pieces();
  }
  writeFileAtomic(path, whole());
}

/**
 * Reads a whole safetensors file. The header is checked against the size of the file before anything is allocated, and
 * the values against the hash in the metadata where the kit wrote the file.
 * @throws KitError when the file is missing, cut off, corrupt or not in this format
 */
export function readSafetensors(path: string): StoredTensors {
  const file = SafetensorsFile.open(path);
  try {
    file.verify();
    const { entries, metadata } = file.header;
    return {
      tensors: new Map(entries.map((entry) => [entry.name, file.read(entry)])),
      metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== HASH)),
    };
  } finally {
    file.close();
  }
}

/** Bytes that are hashed at a time. */
const PIECE_BYTES = 4 * 2 ** 20;

/** An open safetensors file, of which one tensor after another is read. */
export class SafetensorsFile {
  readonly path: string;
  readonly header: Header;
  readonly #file: number;
  readonly #dataStart: number;

  private constructor(path: string, file: number, header: Header, dataStart: number) {
    this.path = path;
    this.header = header;
    this.#file = file;
    this.#dataStart = dataStart;
  }

  /**
   * Opens a file and checks its header against its size; nothing else is read.
   * @throws KitError when the file is missing, cut off, corrupt or not in this format
   */
  static open(path: string): SafetensorsFile {
    const file = openFile(path);
    try {
      const { header, dataStart } = readHeader(path, file);
      return new SafetensorsFile(path, file, header, dataStart);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /**
   * Compares the content with the hash that the kit wrote with it; other programs write none.
   * @throws KitError when the two differ
   */
  verify(): void {
    const { entries, metadata } = this.header;
    const { [HASH]: expected, ...rest } = metadata;
    if (expected === undefined || expected === contentHash(entries, rest, this.#pieces())) return;
    throw corrupt(
      this.path,
      "the content does not have the hash that was written with it: the file is damaged",
    );
  }

  /**
   * Reads one tensor.
   * @param entry of this file's header
   * @throws KitError when the file cannot be read
   */
  read({ dtype, shape, begin, end }: HeaderEntry): StoredTensor {
    const bytes = readBytes(this.path, this.#file, this.#dataStart + begin, end - begin);
    return { dtype, shape, data: valuesOf(dtype, bytes) };
  }

  close(): void {
    closeSync(this.#file);
  }

  *#pieces(): Generator<Uint8Array> {
    const size = this.header.entries.at(-1)?.end ?? 0;
    for (let start = 0; start < size; start += PIECE_BYTES) {
      yield readBytes(this.path, this.#file, this.#dataStart + start, Math.min(PIECE_BYTES, size - start));
    }
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw fileError(path, "opened", error);
  }
}

function readHeader(path: string, file: number): { header: Header; dataStart: number } {
  const size = fileSize(path, file);
  if (size < 8) throw corrupt(path, `a safetensors file has at least 8 bytes, this one has ${size}`);
  const prefix = Buffer.from(readBytes(path, file, 0, 8).buffer);
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(Math.min(size - 8, MAX_HEADER_BYTES))) {
    throw corrupt(path, `the header claims ${length.toString()} bytes in a file of ${size} bytes`);
  }
  const dataStart = 8 + Number(length);
  return { header: parseHeader(path, readBytes(path, file, 8, Number(length)), size - dataStart), dataStart };
}

function fileSize(path: string, file: number): number {
  const stats = fstatSync(file);
  if (stats.isFile()) return stats.size;
  throw new KitError("this is not a file", "give the path of a safetensors file", { file: path });
}

function readBytes(path: string, file: number, start: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    let count: number;
    try {
      count = readSync(file, bytes, done, length - done, start + done);
    } catch (error) {
      throw fileError(path, "read", error);
    }
    if (count === 0) throw corrupt(path, "the file became shorter while it was read");
    done += count;
  }
  return bytes;
}

function valuesOf(dtype: StoredType, { buffer }: Uint8Array<ArrayBuffer>): StoredTensor["data"] {
  switch (dtype) {
    case "F64":
      return new Float64Array(buffer);
    case "F32":
      return new Float32Array(buffer);
    case "F16":
    case "BF16":
      return new Uint16Array(buffer);
    case "I64":
      return new BigInt64Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    case "U8":
    case "BOOL":
      return new Uint8Array(buffer);
  }
}

function contentHash(
  entries: readonly HeaderEntry[],
  metadata: Readonly<Record<string, string>>,
  data: Iterable<Uint8Array>,
): string {
  const hash = createHash("sha256");
  hash.update(canonicalJson({ entries: [...entries].sort((a, b) => a.begin - b.begin), metadata }));
  for (const bytes of data) hash.update(bytes);
  return hash.digest("hex");
}
