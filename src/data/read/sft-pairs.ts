import { KitError } from "../../support/errors.js";
import type { PairColumns, RowContext, RowReading } from "./format.js";
import { marksOf } from "./marks.js";
import { oneExample, rowFormat } from "./row-format.js";
import { text } from "./rows.js";

/** Usual names of the two columns, the most common first. */
const USUAL_NAMES: readonly (readonly [input: string, output: string])[] = [
  ["input", "output"],
  ["inputs", "targets"],
  ["input", "target"],
  ["source", "target"],
  ["question", "answer"],
  ["prompt", "response"],
  ["query", "response"],
  ["text", "label"],
  ["sentence", "label"],
];

/**
 * Plain pairs for SFT: any rows with an input and an output column, by their usual names or by those that the caller gives.
 * Without columns for task and type the file is one task. Numbers and truth values are taken as texts: labels are often
 * written so.
 */
export const sftPairsFormat = rowFormat({
  name: "sft-pairs",
  looksLike: `two columns such as ${USUAL_NAMES.slice(0, 4)
    .map((names) => names.join(" and "))
    .join(", or ")}`,
  recognize(first) {
    const columns = usualColumns(first);
    return columns === undefined ? undefined : `the first row has ${columns.input} and ${columns.output}`;
  },
  rows: readPair,
});

function usualColumns(record: Readonly<Record<string, unknown>>): PairColumns | undefined {
  const names = USUAL_NAMES.find(([input, output]) => input in record && output in record);
  return names === undefined ? undefined : { input: names[0], output: names[1] };
}

function readPair(record: unknown, { name, number, options, place }: RowContext): readonly RowReading[] {
  const drop = (field: string, problem: string): readonly RowReading[] => [
    {
      kind: "drop",
      reason: "malformed",
      problem,
      cure: `correct the ${place.line === undefined ? "row" : "line"}`,
      field,
    },
  ];
  if (typeof record !== "object" || record === null || Array.isArray(record))
    return drop("", "the row is not an object with named fields");
  const row = record as Readonly<Record<string, unknown>>;
  const columns = options.columns ?? usualColumns(row);
  if (columns === undefined) {
    const names = Object.keys(row).slice(0, 8).join(", ").slice(0, 200);
    return drop("", `no pair of columns has a usual name (there are ${names === "" ? "none" : names})`);
  }
  const cells: Partial<Record<keyof PairColumns, string>> = {};
  for (const key of ["input", "output", "instruction", "task", "taskType"] as const) {
    const column = columns[key];
    if (column === undefined) continue;
    const cell = cellText(row[column]);
    if (cell === undefined) {
      if (!(column in row) && number === 1) throw noColumn(column, row, place.file);
      return drop(column, `"${column}" is ${column in row ? "not a text or number" : "missing"}`);
    }
    cells[key] = cell;
  }
  const task = cells.task ?? name;
  const example = {
    id: `${name}-${number}`,
    task,
    taskType: cells.taskType ?? cells.task ?? name,
    ...(cells.instruction === undefined ? {} : { instruction: cells.instruction }),
    input: cells.input ?? "",
    source: name,
    ...marksOf(record),
  };
  return oneExample(example, [cells.output ?? ""], columns.output);
}

function cellText(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const checked = text.safeParse(value);
  return checked.success ? checked.data : undefined;
}

function noColumn(
  column: string,
  row: Readonly<Record<string, unknown>>,
  file: string | undefined,
): KitError {
  const names = Object.keys(row).slice(0, 20).join(", ");
  return new KitError(
    `there is no column "${column}"`,
    `use one of ${names}`,
    file === undefined ? {} : { file },
  );
}
