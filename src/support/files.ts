import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { KitError, messageOf, systemErrorCode } from "./errors.js";
import { jsonErrorOffset } from "./json-error.js";

/**
 * Writes a whole file or nothing: to a temporary name in the same folder, then renamed into place.
 * @param content the whole, or pieces of bytes that are made as they are written
 * @throws KitError when the disk is full or the folder cannot be written
 */
export function writeFileAtomic(path: string, content: string | Uint8Array | Iterable<Uint8Array>): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.part`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string" || content instanceof Uint8Array) {
      writeFileSync(temporary, content, { flush: true });
    } else {
      writePieces(temporary, content);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw fileError(path, "written", error);
  }
}

function writePieces(path: string, pieces: Iterable<Uint8Array>): void {
  const file = openSync(path, "w");
  try {
    for (const piece of pieces) {
      for (let done = 0; done < piece.length;) done += writeSync(file, piece, done);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A part of the path is no folder: then there is nothing to remove, and the first error says so.
  }
}

/**
 * A text file as a string, strictly UTF-8, without a byte order mark.
 * @throws KitError when the file is missing, unreadable or not UTF-8
 */
export function readTextFile(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError) {
      throw new KitError("the file is not valid UTF-8", "save it as UTF-8 text", { file: path });
    }
    throw fileError(path, "read", error);
  }
}

/**
 * A JSON file as an unchecked value; the caller validates it.
 * @throws KitError when the file is missing or is not JSON, with the line of the first bad character
 */
export function readJsonFile(path: string): unknown {
  const text = readTextFile(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    const offset = jsonErrorOffset(text);
    const line = offset === undefined ? undefined : text.slice(0, offset).split("\n").length;
    throw new KitError(
      `not valid JSON (${messageOf(error).replace(/ in JSON at position.*|, ".*" is not valid JSON|, \.\.\.".*/s, "")})`,
      "check the file for a missing bracket, comma or quote, or for a download that was cut off",
      line === undefined ? { file: path } : { file: path, line },
    );
  }
}

/** The error a user sees for a failed file operation, by its system code. */
export function fileError(path: string, done: "read" | "written" | "opened", error: unknown): KitError {
  const cures: Record<string, [string, string]> = {
    ENOENT: ["no such file or folder", "check the path"],
    EACCES: [
      `the file cannot be ${done}: permission denied`,
      "change its permissions or choose another path",
    ],
    EROFS: ["the file system is read-only", "choose a path that can be written"],
    EISDIR: ["this is a folder, a file was expected", "give the path of a file"],
    EEXIST: ["a part of the path is a file, a folder was expected", "check the path"],
    ENOTDIR: ["a part of the path is a file, a folder was expected", "check the path"],
    ENOSPC: ["no space left on the disk", "free some space and run the same command again"],
    EDQUOT: ["the disk quota is used up", "free some space and run the same command again"],
  };
  const [problem, cure] = cures[systemErrorCode(error) ?? ""] ?? [
    `the file cannot be ${done} (${messageOf(error)})`,
    "check the path and the disk",
  ];
  return new KitError(problem, cure, { file: path }, { cause: error });
}
