import { appendFileSync, existsSync } from "node:fs";
import { fileError, readTextFile, writeFileAtomic } from "../../support/files.js";
import type { StepRecord } from "../progress.js";
import type { Tracker } from "./tracker.js";

/**
 * A JSONL file with one line for each step, which can be followed while a run is at work: loss, learning rate, tokens,
 * speed, memory, and the validation and the evaluation where a step was followed by one. A resumed run takes some steps again; their lines
 * are replaced, and those that a crash lost are written.
 */
export class MetricsFile implements Tracker {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws KitError when the file cannot be written */
  start(history: readonly StepRecord[]): void {
    const lines = existsSync(this.#path) ? readTextFile(this.#path).split("\n").filter(Boolean) : [];
    if (history.length === 0 && lines.length === 0) return;
    writeFileAtomic(this.#path, history.map(lineOf).join(""));
  }

  /** @throws KitError when the file cannot be written */
  step(record: StepRecord): void {
    try {
      appendFileSync(this.#path, lineOf(record));
    } catch (error) {
      throw fileError(this.#path, "written", error);
    }
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

function lineOf(record: StepRecord): string {
  return `${JSON.stringify(record)}\n`;
}
