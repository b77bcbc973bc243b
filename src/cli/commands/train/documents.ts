import { z } from "zod";
import { type ReadLedger, readExamples } from "../../../data/read/index.js";
import { carveValidation } from "../../../data/split/validation.js";
import { KitError } from "../../../support/errors.js";
import type { TrainingRow } from "../../../train/rows.js";

/** Plain text to learn from: a file (.txt) or a folder of them; documents stand between blank lines. */
export interface DocumentData {
  readonly path: string;
  /** The first so many documents of each file. */
  readonly limitPerTask?: number | undefined;
  /** Documents that are set aside to measure the loss on, drawn by `train.seed`; with `train.validation`. */
  readonly validation?: { readonly share: number } | undefined;
}

/** Fields of "data" where it is plain text. */
export const DOCUMENT_FIELDS = {
  path: z.string().min(1),
  limitPerTask: z.int().positive().optional(),
  validation: z.strictObject({ share: z.number().gt(0).lt(1) }).optional(),
};

/** A text to learn from. */
export interface TextDocument {
  readonly id: string;
  readonly text: string;
}

/** The documents of a run. */
export interface Documents {
  readonly train: readonly TextDocument[];
  /** Undefined where none are set aside. */
  readonly validation: readonly TextDocument[] | undefined;
  readonly ledger: ReadLedger;
}

/**
 * Reads plain text, and sets documents aside; equal ones stay together.
 * @throws KitError for a path without plain text
 */
export async function readDocuments(
  { path, limitPerTask, validation }: DocumentData,
  seed: number,
  file: string,
): Promise<Documents> {
  const read = await readExamples(path, limitPerTask === undefined ? {} : { limitPerTask });
  if (read.format !== "text") {
    throw new KitError(
      `this objective learns from plain text, and ${path} has the format ${read.format}`,
      "give a .txt file (blank lines between documents), or an objective for labelled rows",
      { file, field: "data.path" },
    );
  }
  const documentsOf = (rows: typeof read.examples): TextDocument[] =>
    rows.map(({ id, outputs }) => ({ id, text: outputs[0] ?? "" }));
  if (validation === undefined) {
    return { train: documentsOf(read.examples), validation: undefined, ledger: read.ledger };
  }
  const groupOf = ({ outputs }: (typeof read.examples)[number]): string => outputs[0] ?? "";
  const split = carveValidation(read.examples, { by: "row", share: validation.share, seed, groupOf });
  return {
    train: documentsOf(split.train),
    validation: documentsOf(split.validation),
    ledger: read.ledger,
  };
}

/** What became of the documents: goes into ledger.json. */
export function documentLedgers(
  { train, validation, ledger }: Documents,
  rows: readonly TrainingRow[],
  validationRows: readonly TrainingRow[] | undefined,
): Readonly<Record<string, unknown>> {
  return {
    read: ledger,
    rows: {
      documents: train.length,
      setAside: validation?.length ?? 0,
      trained: rows.length,
      validation: validationRows?.length ?? 0,
    },
  };
}

/** The sentences of a document: its lines, cut behind full stops, question and exclamation marks. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n+|(?<=[.!?])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}
