import type { Example } from "../example.js";

/** An input that stands on both sides: what was trained on is then asked for. */
export interface SharedInput {
  readonly input: string;
  readonly trainId: string;
  readonly trainTask: string;
  readonly heldOutId: string;
  readonly heldOutTask: string;
}

/** Rows that are on neither side. */
export interface Exclusion {
  /** What was excluded as a whole: all rows of a task type, a task, a source data set, or single rows of a task. */
  readonly what: "task type" | "task" | "source" | "rows";
  /** Its name; for single rows that of their task. */
  readonly name: string;
  readonly rows: number;
  /** A clause, such as `it is related to "entailment", which is held out: ...`. */
  readonly why: string;
}

/** Rows to train on and rows of task types that training never sees. */
export interface TaskSplit {
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
  readonly trainTaskTypes: readonly string[];
  readonly heldOutTaskTypes: readonly string[];
  /** What is on neither side, and why. Every row given is on one side or counted here. */
  readonly excluded: readonly Exclusion[];
  /** Held-out rows whose input, character by character, is also that of a training row. */
  readonly sharedInputs: readonly SharedInput[];
}

/** What may be checked to be on one side only. */
export type OneSided = "task type" | "task" | "source";

export interface SplitOptions {
  /**
   * A source data set with rows on both sides: "refuse" (the default) is an error; "exclude" leaves its rows out of training, in
   * whatever spelling, as the official Super-NaturalInstructions split means to; "allow" lets it be, as for data that has one source only.
   */
  readonly sharedSources?: "refuse" | "exclude" | "allow";
}
