import { appendFileSync, existsSync } from "node:fs";
import { fileError, readTextFile, writeFileAtomic } from "../../../support/files.js";
import type { TrainProgress } from "../../../train/progress.js";

/**
 * A JSONL file with one line for each step, which can be followed while a run is at work. A resumed run may go back
 * to a checkpoint; the lines of the steps that it takes again are replaced.
 */
export class MetricsFile {
  readonly #path: string;
  #begun = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws KitError when the file cannot be written */
  add(progress: TrainProgress): void {
    if (!this.#begun) this.#keepBefore(progress.step);
    this.#begun = true;
    try {
      appendFileSync(this.#path, `${JSON.stringify(progress)}\n`);
    } catch (error) {
      throw fileError(this.#path, "written", error);
    }
  }

  /** The steps of a run from the first to the last, whatever the file had. */
  replace(history: readonly TrainProgress[]): void {
    writeFileAtomic(this.#path, history.map((progress) => `${JSON.stringify(progress)}\n`).join(""));
  }

  #keepBefore(step: number): void {
    const lines = existsSync(this.#path) ? readTextFile(this.#path).split("\n") : [];
    const kept = lines.slice(0, step - 1).map((line) => `${line}\n`);
    writeFileAtomic(this.#path, kept.join(""));
  }
}
