import { appendFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileError } from "../../../support/files.js";
import type { StepRecord } from "../../progress.js";
import { scalarsOf } from "../scalars.js";
import type { Tracker } from "../tracker.js";
import { encodeEvent, type LogEvent } from "./event.js";
import { frameRecord } from "./record.js";

/** The format of event files since TensorFlow 0.12; with it TensorBoard heeds `session_log`. */
const FILE_VERSION = "brain.Event:2";

/**
 * Writes the curves of a run for TensorBoard (`tensorboard --logdir FOLDER`). Each process of a run has a file of its
 * own; that of a resumed run says from which step on the older files no longer count.
 */
export class TensorBoardFiles implements Tracker {
  readonly #folder: string;
  readonly #now: () => number;
  #path = "";

  /** @param now milliseconds since 1970 */
  constructor(folder: string, now: () => number = Date.now) {
    this.#folder = folder;
    this.#now = now;
  }

  /** @throws KitError when the folder cannot be written */
  start(history: readonly StepRecord[]): void {
    const seconds = Math.floor(this.#now() / 1000);
    const older = existsSync(this.#folder) ? readdirSync(this.#folder).filter(isEventFile) : [];
    // Files of one run are read in the order of their names.
    const name = `events.out.tfevents.${String(seconds).padStart(10, "0")}.${hostname()}.${process.pid}.${older.length}`;
    try {
      mkdirSync(this.#folder, { recursive: true });
    } catch (error) {
      throw fileError(this.#folder, "written", error);
    }
    this.#path = join(this.#folder, name);
    this.#write({ step: 0, file_version: FILE_VERSION });
    if (older.length > 0) this.#write({ step: history.length + 1, session_log: { status: 1 } });
    else for (const record of history) this.step(record);
  }

  /** @throws KitError when the file cannot be written */
  step(record: StepRecord): void {
    const value = scalarsOf(record).map(([tag, simple_value]) => ({ tag, simple_value }));
    this.#write({ step: record.step, summary: { value } });
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  #write(event: Omit<LogEvent, "wall_time">): void {
    const bytes = frameRecord(encodeEvent({ wall_time: this.#now() / 1000, ...event }));
    try {
      appendFileSync(this.#path, bytes);
    } catch (error) {
      throw fileError(this.#path, "written", error);
    }
  }
}

function isEventFile(name: string): boolean {
  return name.includes("tfevents");
}
