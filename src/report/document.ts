import type { AnyFigure } from "./figure.js";

/** What a set of runs showed, ready to be read. */
export interface Report {
  readonly title: string;
  /** One sentence each; they say no more than the intervals allow. */
  readonly summary: readonly string[];
  readonly sections: readonly Section[];
  /** Where the numbers come from: versions, seeds, hashes, configurations. Any JSON value. */
  readonly manifest: unknown;
}

export interface Section {
  readonly heading: string;
  /** Paragraphs. */
  readonly text?: readonly string[];
  readonly figure?: AnyFigure;
  readonly table?: Table;
}

export interface Table {
  readonly columns: readonly { readonly name: string; readonly unit?: string }[];
  /** As many cells in each row as there are columns. */
  readonly rows: readonly (readonly (string | number)[])[];
}
