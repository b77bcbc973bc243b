import { type Command, Option } from "commander";
import { positiveInteger } from "../../options.js";
import {
  FORMAT_NAMES,
  type FormatName,
  readExamples,
  type ReadLedger,
  type ReadResult,
} from "../../../data/read/index.js";

/** The options with which every command reads data. */
export interface ReadFlags {
  readonly format?: FormatName;
  readonly skipMalformed?: true;
  readonly limitPerTask?: number;
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
    .option("--limit-per-task <rows>", "keep the first rows of each task only", positiveInteger);
}

/** Reads as the flags say. */
export function readWithFlags(path: string, flags: ReadFlags): Promise<ReadResult> {
  const { format, skipMalformed, limitPerTask } = flags;
  return readExamples(path, {
    ...(format === undefined ? {} : { format }),
    ...(limitPerTask === undefined ? {} : { limitPerTask }),
    onMalformed: skipMalformed === true ? "skip" : "error",
  });
}

/** One line on what became of the rows. */
export function describeReadLedger({ rowsIn, kept, dropped }: ReadLedger): string {
  const reasons = Object.entries(dropped).map(([reason, rows]) => `${rows} ${reason}`);
  return `${rowsIn} rows in, ${kept} kept, dropped: ${reasons.length === 0 ? "none" : reasons.join(", ")}`;
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
