import type { Example } from "../example.js";
import type { RowCollector } from "./rows.js";

/** The formats that are read. */
export type FormatName = "super-natural-instructions" | "alpaca" | "self-instruct";

/** What is looked at to tell the format of a path. */
export type Sample =
  | {
      readonly kind: "folder";
      /** Names in the folder, sorted. */
      readonly names: readonly string[];
    }
  | {
      /** A JSON array, one JSON object, or one JSON object a line. */
      readonly kind: "array" | "object" | "lines";
      /** The first element of the array, the object, or the object of the first line. */
      readonly first: Readonly<Record<string, unknown>>;
    };

/** What a reader is told besides the path. */
export interface ReadRequest {
  readonly path: string;
  readonly collector: RowCollector;
  /** Tasks for which this is false are passed over, as if they were not there. */
  readonly wantsTask: (task: string) => boolean;
}

/** A data format: how to recognize and how to read it. */
export interface Format {
  readonly name: FormatName;
  /** What a file of this format looks like, for messages. */
  readonly looksLike: string;
  /** Why the sample is of this format, as a clause; undefined where it is not. */
  recognize(sample: Sample): string | undefined;
  /** The rows as examples, in order; what is dropped is booked in `request.collector`. */
  read(request: ReadRequest): AsyncGenerator<Example>;
}
