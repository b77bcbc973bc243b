import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KitError } from "../support/errors.js";
import { fileError, readJsonFile, writeFileAtomic } from "../support/files.js";
import { hashJson, sha256 } from "../support/hash.js";
import { validate } from "../support/validate.js";
import { type RunResult, runResultSchema, type RunSpecification } from "./result.js";

/** The layers whose code decides what a run computes. */
const DECIDING_LAYERS = [
  "support",
  "data",
  "tokenizer",
  "engine",
  "model",
  "train",
  "evaluate",
  "experiment",
];

/** SHA-256 over the sources that decide a result: a result of other code is not taken for one of this code. */
export function sourceHash(): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = DECIDING_LAYERS.flatMap((layer) => sourceFiles(join(root, layer))).sort();
  return sha256(files.map((file) => `${file.slice(root.length)} ${sha256(readFileSync(file))}`).join("\n"));
}

function sourceFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * The finished runs of one experiment, a JSON file each, written whole or not at all. A run is found again by a hash
 * of its specification and of the code, so that a stopped experiment goes on where it was and stale results are not
 * mixed with new ones.
 */
export class RunStore {
  readonly directory: string;
  readonly #sourceHash = sourceHash();

  /** @throws KitError when the folder cannot be made */
  constructor(directory: string) {
    this.directory = directory;
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw fileError(directory, "written", error);
    }
  }

  key(specification: RunSpecification): string {
    return hashJson({ specification, sources: this.#sourceHash });
  }

  path(specification: RunSpecification): string {
    return join(this.directory, `${specification.id}.json`);
  }

  /** The folder for the run's own files, such as a checkpoint to go on from. */
  workFolder(specification: RunSpecification): string {
    return join(this.directory, `${specification.id}-${this.key(specification).slice(0, 12)}`);
  }

  /** The result of this very run, or undefined when it has not finished, or finished under other settings or code. */
  find(specification: RunSpecification): RunResult | undefined {
    const path = this.path(specification);
    if (!existsSync(path)) return undefined;
    try {
      const result = readRunResult(path);
      return result.key === this.key(specification) ? result : undefined;
    } catch (error) {
      if (error instanceof KitError) return undefined; // damaged: the run is done again and the file replaced
      throw error;
    }
  }

  removeWorkFolder(specification: RunSpecification): void {
    rmSync(this.workFolder(specification), { recursive: true, force: true });
  }

  write(specification: RunSpecification, result: RunResult): void {
    writeFileAtomic(this.path(specification), `${JSON.stringify(result)}\n`);
  }
}

/**
 * A stored result, checked against its schema.
 * @throws KitError that names the file and the field
 */
export function readRunResult(path: string): RunResult {
  return validate(runResultSchema, readJsonFile(path), "the run's result", { file: path });
}
