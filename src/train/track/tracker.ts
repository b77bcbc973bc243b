import type { StepRecord } from "../progress.js";

/** How a run ended, for those who follow it. */
export type RunEnd = "finished" | "stopped" | "failed";

/** Follows a run, step by step: a log file, TensorBoard, a tracking server. */
export interface Tracker {
  /**
   * Called once, before the first step.
   * @param history the steps that a resumed run has taken before; the next one is `history.length + 1`. Steps after them
   *   that an earlier process logged will be taken again, with the same numbers.
   */
  start(history: readonly StepRecord[]): void;
  /** Called after each step; returns at once. */
  step(record: StepRecord): void;
  /** Called once, after the last step; sends what is left. */
  end(how: RunEnd): Promise<void>;
}
