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
 * Writes tensors in the safetensors format, whole or not at all.
 * @throws KitError when the file cannot be written
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const entries: HeaderEntry[] = [];
  const data: Uint8Array[] = [];
  let position = 0;
  for (const [name, { dtype, shape, data: values }] of tensors) {
    const size = shape.reduce((product, length) => product * length, 1);
    if (values.length !== size || values.BYTES_PER_ELEMENT !== DTYPE_BYTES[dtype]) {
      throw new Error(`tensor ${name}: ${values.length} values do not fit ${dtype} [${shape.join(", ")}]`);
    }
    entries.push({ name, dtype, shape, begin: position, end: position + values.byteLength });
    data.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    position += values.byteLength;
  }
  const described = { ...metadata, [HASH]: contentHash(entries, metadata, data) };
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
  writeFileAtomic(path, Buffer.concat([length, header, padding, ...data]));
}

/**
 * Reads a safetensors file. The header is checked against the size of the file before anything is allocated, and the
 * values against the hash in the metadata where the kit wrote the file.
 * @param accept may refuse the header, by throwing, before the values are read
 * @throws KitError when the file is missing, cut off, corrupt or not in this format
 */
export function readSafetensors(path: string, accept?: (header: Header) => void): StoredTensors {
  const file = openFile(path);
  try {
    const { header, dataStart } = readHeader(path, file);
    accept?.(header);
    const data: Uint8Array[] = [];
    const tensors = new Map<string, StoredTensor>();
    for (const { name, dtype, shape, begin, end } of header.entries) {
      const bytes = readBytes(path, file, dataStart + begin, end - begin);
      data.push(bytes);
      tensors.set(name, { dtype, shape, data: valuesOf(dtype, bytes) });
    }
    const { [HASH]: expected, ...metadata } = header.metadata;
    if (expected !== undefined && expected !== contentHash(header.entries, metadata, data)) {
      throw corrupt(path, "the content does not have the hash that was written with it: the file is damaged");
    }
    return { tensors, metadata };
  } finally {
    closeSync(file);
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
  data: readonly Uint8Array[],
): string {
  const hash = createHash("sha256");
  hash.update(canonicalJson({ entries: [...entries].sort((a, b) => a.begin - b.begin), metadata }));
  for (const bytes of data) hash.update(bytes);
  return hash.digest("hex");
}
