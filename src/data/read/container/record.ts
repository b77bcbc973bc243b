/** Where a record stands in its file: the line where a record is a line, else the row; both from 1. */
export interface Place {
  readonly line?: number;
  readonly row?: number;
}

/** A record as its container gives it, or why it gives none. */
export type RawRecord =
  { readonly place: Place; readonly value: unknown } | { readonly place: Place; readonly problem: string };

/** The largest record that is read, in bytes; a larger one is not a row but a file of another kind. */
export const LARGEST_RECORD = 64 * 1024 * 1024;

/** How deep lists and objects may be nested in a record; deeper ones are no data and overflow the stack of what reads them. */
export const DEEPEST_NESTING = 200;
