import type { ErrorLocation, KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import type { ContainerName } from "./container/index.js";
import type { ExampleDraft, ReadDropReason, RowCollector } from "./rows.js";

/** The formats that are read. */
export type FormatName =
  | "examples"
  | "super-natural-instructions"
  | "natural-instructions-v1"
  | "tk-instruct"
  | "instruction-induction"
  | "big-bench-hard"
  | "unnatural-instructions"
  | "self-instruct"
  | "dolly"
  | "alpaca-eval"
  | "alpaca"
  | "ifeval"
  | "mt-bench"
  | "sharegpt"
  | "messages"
  | "flan"
  | "flan-cot"
  | "p3"
  | "prompt-completion"
  | "sft-pairs"
  | "text";

/** What is looked at to tell the format of a path. */
export type Sample =
  | {
      readonly kind: "folder";
      /** Names in the folder, sorted. */
      readonly names: readonly string[];
    }
  | {
      /** Rows in a container: the first one that is an object, and the first complete lines of the file as text. */
      readonly kind: "records";
      readonly container: ContainerName;
      readonly first: Readonly<Record<string, unknown>>;
      readonly lines: readonly string[];
      /** Why `first` is empty: tab-separated lines that are no table with a header. */
      readonly problem?: KitError;
    }
  | {
      /** One JSON object that is the whole file, by the names of its members. */
      readonly kind: "object";
      readonly names: readonly string[];
    }
  | {
      readonly kind: "text";
      /** Ending of the file's name, without that of gzip. */
      readonly extension: string;
    };

/** Names of the columns of plain pairs; those left out are found by their usual names. */
export interface PairColumns {
  readonly input: string;
  readonly output: string;
  readonly instruction?: string;
  readonly task?: string;
  readonly taskType?: string;
}

/** Options of particular formats. */
export interface FormatOptions {
  /** Conversations: an example for each assistant turn that is trained (the default), or for the last of them only. */
  readonly turns: "each" | "last";
  /** Plain pairs: which columns to take. */
  readonly columns?: PairColumns;
  /** Plain text: a row is a paragraph (the default), or so many characters, cut at white space. */
  readonly textRows: "paragraph" | { readonly characters: number };
  /** Put the raw record into `fields` of each example, for templates that are written over it. */
  readonly keepFields: boolean;
}

/** What a reader is told besides the path. */
export interface ReadRequest {
  readonly path: string;
  /** The file's name for ids, tasks and sources: its base name, or its path in the folder where two files have the same. */
  readonly name: string;
  readonly collector: RowCollector;
  /** Tasks for which this is false are passed over, as if they were not there. */
  readonly wantsTask: (task: string) => boolean;
  readonly options: FormatOptions;
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

/** What a record holds: one row, with the example or (a conversation) the examples that it makes, or a row that is lost. */
export type RowReading =
  | {
      readonly kind: "row";
      readonly drafts: readonly ExampleDraft[];
      /** Where the references stand, for messages. */
      readonly field: string;
      /** Assistant turns that make no example: they are not to be trained, or answer nothing. */
      readonly untrainedTurns?: number;
    }
  | {
      readonly kind: "drop";
      readonly reason: ReadDropReason;
      readonly problem: string;
      readonly cure: string;
      readonly field: string;
    };

/** What a row schema is told besides the record. */
export interface RowContext {
  /** As in `ReadRequest`. */
  readonly name: string;
  /** Number of the record in its file, from 1. */
  readonly number: number;
  readonly options: FormatOptions;
  readonly place: ErrorLocation;
}

/** What a record means, whatever container it comes from. */
export interface RowSchema<Table = undefined> {
  readonly name: FormatName;
  /** What a record looks like, for messages: "{instruction, input, output}". */
  readonly looksLike: string;
  /** Why a file with this first record is of this format, as a clause; undefined where it is not. */
  recognize(first: Readonly<Record<string, unknown>>): string | undefined;
  /** What stands beside the file and is needed for its rows, such as a table of task types. */
  readonly table?: (path: string) => Promise<Table | undefined>;
  readonly rows: (record: unknown, context: RowContext, table: Table | undefined) => readonly RowReading[];
}

/** The names of the members of a file that is, or (written in one line) may be, one JSON object. */
export function memberNames(sample: Sample): readonly string[] {
  if (sample.kind === "object") return sample.names;
  return sample.kind === "records" && sample.container === "json-lines" ? Object.keys(sample.first) : [];
}
