import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { fileError } from "./files.js";

const BUFFER_CHARACTERS = 1 << 20;

/**
 * A file that is written piece by piece and is there as a whole or not at all: the pieces go to a temporary name in the same
 * folder, which `commit` renames. Call `discard` where something went wrong.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #waiting: string[] = [];
  #characters = 0;
  #isOpen = true;

  /** @throws KitError when the folder cannot be written */
  constructor(path: string) {
    this.path = path;
    this.#temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.part`;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#descriptor = openSync(this.#temporary, "wx");
    } catch (error) {
      throw fileError(path, "written", error);
    }
  }

  /** @throws KitError when the disk is full */
  write(text: string): void {
    this.#waiting.push(text);
    this.#characters += text.length;
    if (this.#characters >= BUFFER_CHARACTERS) this.#flush();
  }

  /** @throws KitError when the disk is full or something else stands at the path */
  commit(): void {
    this.#flush();
    try {
      fsyncSync(this.#descriptor);
      this.#close();
      renameSync(this.#temporary, this.path);
    } catch (error) {
      this.discard();
      throw fileError(this.path, "written", error);
    }
  }

  /** Removes what was written; does nothing after `commit`. */
  discard(): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#characters = 0;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      this.discard();
      throw fileError(this.path, "written", error);
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }
}
