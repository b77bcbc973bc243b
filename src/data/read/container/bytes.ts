import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { KitError, messageOf } from "../../../support/errors.js";
import { fileError } from "../../../support/files.js";

const BLOCK_BYTES = 1 << 18;

/** Files up to this size are read in one piece: a stream costs more than it saves. */
const SMALL_FILE = 1 << 20;

/**
 * The bytes of a file as blocks, unpacked where they are gzip: that is told from the first two bytes, not from the name.
 * Memory holds a few blocks.
 * @throws KitError when the file cannot be read or its gzip data is damaged
 */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  if (isGzip(path)) {
    yield* unpack(path);
    return;
  }
  try {
    if (statSync(path).size <= SMALL_FILE) {
      yield readFileSync(path);
      return;
    }
    for await (const block of createReadStream(path, { highWaterMark: BLOCK_BYTES }))
      yield block as Uint8Array;
  } catch (error) {
    throw error instanceof KitError ? error : fileError(path, "read", error);
  }
}

async function* unpack(path: string): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip({ chunkSize: BLOCK_BYTES });
  // The callback is there because pipeline wants one: the same error comes out of the loop.
  pipeline(createReadStream(path, { highWaterMark: BLOCK_BYTES }), unpacked, () => undefined);
  try {
    for await (const block of unpacked) yield block as Uint8Array;
  } catch (error) {
    throw error instanceof KitError
      ? error
      : new KitError(
          `the gzip data is damaged (${messageOf(error)})`,
          "download the file again",
          { file: path },
          { cause: error },
        );
  }
}

/** The first bytes of a file, at most so many, unpacked where they are gzip. */
export async function readHead(path: string, most: number): Promise<Uint8Array> {
  const blocks: Uint8Array[] = [];
  let length = 0;
  for await (const block of readBytes(path)) {
    blocks.push(block);
    length += block.length;
    if (length >= most) break;
  }
  return Buffer.concat(blocks).subarray(0, most);
}

/** Whether a file begins as gzip data do (RFC 1952). */
export function isGzip(path: string): boolean {
  const [first, second] = readStart(path, 2);
  return first === 0x1f && second === 0x8b;
}

/** The first bytes of a file as they are on the disk. */
export function readStart(path: string, count: number): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(count);
      return bytes.subarray(0, readSync(file, bytes, 0, count, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(path, "opened", error);
  }
}
