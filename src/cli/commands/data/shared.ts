import { type Command, InvalidArgumentError, Option } from "commander";
import { positiveInteger } from "../../options.js";
import {
  NORMALISE_STEPS,
  type NormaliseReport,
  normaliseSteps,
  type NormaliseStep,
} from "../../../data/normalise.js";
import {
  FORMAT_NAMES,
  type FormatName,
  readExamples,
  type ReadLedger,
  type ReadOptions,
  type ReadResult,
} from "../../../data/read/index.js";
import { KitError } from "../../../support/errors.js";

/** The options with which every command reads data. */
export interface ReadFlags {
  readonly format?: FormatName;
  readonly skipMalformed?: true;
  readonly limitPerTask?: number;
  readonly turns?: "each" | "last";
  readonly inputColumn?: string;
  readonly outputColumn?: string;
  readonly normalise?: readonly NormaliseStep[];
}

/** Adds the options of `ReadFlags` to a command. */
export function withReadFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--format <name>", "the format, instead of telling it from the content").choices(
        FORMAT_NAMES,
      ),
    )
    .option("--skip-malformed", "leave malformed rows out and count them, instead of stopping at the first")
    .option("--limit-per-task <rows>", "keep the first rows of each task only", positiveInteger)
    .addOption(
      new Option(
        "--turns <which>",
        "conversations: an example for each trained turn, or for the last",
      ).choices(["each", "last"]),
    )
    .option("--input-column <name>", "plain pairs: the column of inputs (with --output-column)")
    .option("--output-column <name>", "plain pairs: the column of outputs")
    .option("--normalise <steps>", `"all", or some of ${NORMALISE_STEPS.join(",")}`, parseSteps);
}

/** Reads as the flags say. */
export function readWithFlags(path: string, flags: ReadFlags): Promise<ReadResult> {
  return readExamples(path, readOptionsOf(flags));
}

/** What the flags say, for `readExamples` and `streamExamples`. @throws KitError when one column is named without the other */
export function readOptionsOf(flags: ReadFlags): ReadOptions {
  const { format, skipMalformed, limitPerTask, turns, inputColumn, outputColumn, normalise } = flags;
  if ((inputColumn === undefined) !== (outputColumn === undefined))
    throw new KitError("one column of a pair is named", "give both --input-column and --output-column");
  return {
    ...(format === undefined ? {} : { format }),
    ...(limitPerTask === undefined ? {} : { limitPerTask }),
    ...(turns === undefined ? {} : { turns }),
    ...(inputColumn === undefined || outputColumn === undefined
      ? {}
      : { columns: { input: inputColumn, output: outputColumn } }),
    ...(normalise === undefined ? {} : { normalise }),
    onMalformed: skipMalformed === true ? "skip" : "error",
  };
}

function parseSteps(text: string): readonly NormaliseStep[] {
  if (text === "all") return NORMALISE_STEPS;
  try {
    return normaliseSteps(text.split(",").map((name) => name.trim()));
  } catch (error) {
    if (error instanceof KitError)
      throw new InvalidArgumentError(`Use "all" or some of ${NORMALISE_STEPS.join(", ")}.`);
    throw error;
  }
}

/** Parses a similarity: above 0, at most 1. */
export function similarity(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value <= 1)) {
    throw new InvalidArgumentError("Give a number above 0 and at most 1.");
  }
  return value;
}

/** One line on what normalisation did. */
export function describeNormalisation({ steps, rowsIn, kept, changed }: NormaliseReport): string {
  const counts = steps.map((step) => `${step} ${changed[step] ?? 0}`);
  return `normalised: ${rowsIn} examples in, ${kept} kept; changed by ${counts.join(", ")}`;
}

/** One line on what became of the rows. */
export function describeReadLedger({ rowsIn, kept, dropped, examples, untrainedTurns }: ReadLedger): string {
  const reasons = Object.entries(dropped).map(([reason, rows]) => `${rows} ${reason}`);
  const turns = untrainedTurns === 0 ? "" : ` (${untrainedTurns} assistant turns are not trained)`;
  const made = examples === kept && turns === "" ? "" : `; ${examples} examples${turns}`;
  return `${rowsIn} rows in, ${kept} kept, dropped: ${reasons.length === 0 ? "none" : reasons.join(", ")}${made}`;
}

/** A table of text: numbers to the right, text to the left, two blanks between columns. */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  const line = (cells: readonly (string | number)[]): string =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? "";
        return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(header), ...rows.map(line)].join("\n");
}
