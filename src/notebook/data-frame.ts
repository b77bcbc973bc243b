import { DataFrame } from "danfojs-node";
import type { FormatComparison, TaskTypeComparison } from "../data/compare/index.js";
import { showTable, type TableColumn } from "./display-table.js";

/**
 * A comparison as a danfojs table for notebooks: a row for each task type and format, and with `total` for all rows
 * together. For small tables: danfojs takes seconds to sort 100,000 rows, and its left joins do not keep the order of the
 * rows. What was not measured is NaN.
 */
export function comparisonFrame(
  comparison: FormatComparison,
  { total = true }: { readonly total?: boolean } = {},
): DataFrame {
  const lines = [...comparison.taskTypes, ...(total ? [comparison.total] : [])];
  return new DataFrame(lines.flatMap(recordsOf));
}

function recordsOf(line: TaskTypeComparison): Record<string, string | number>[] {
  return line.formats.map(({ format, tokensBySource, diversity, budget, ...numbers }) => ({
    "task type": line.taskType,
    format,
    rows: line.rows,
    dropped: numbers.rowsIn - numbers.rendered,
    truncated: numbers.truncated,
    "supervised tokens": numbers.supervisedTokens,
    "total tokens": numbers.totalTokens,
    "supervised share": numbers.supervisedShare ?? NaN,
    "instruction tokens": tokensBySource.instruction ?? 0,
    "template tokens": tokensBySource.scaffold ?? 0,
    "more tokens a row": budget?.extraTokensPerRow ?? NaN,
    "rows at equal total tokens": budget?.rowsAtSameTotalTokens ?? NaN,
    instructions: diversity?.instructions ?? 0,
    "verb-object pairs": diversity?.verbObjects ?? 0,
    "self-BLEU": diversity?.selfBleu ?? NaN,
    "nearest ROUGE-L": diversity?.nearestRougeL ?? NaN,
    "output tokens (median)": line.outputTokens?.median ?? NaN,
    "majority share": line.labels?.majorityShare ?? NaN,
  }));
}

/**
 * Shows a danfojs table below the running cell, which danfojs itself only does as a box of text; NaN is shown as a dash.
 * @param columns which of its columns, with their units and digits; all where it is left out
 */
export function showFrame(frame: DataFrame, columns?: readonly (string | TableColumn)[]): void {
  const shown = columns ?? frame.columns;
  const places = shown.map((column) =>
    frame.columns.indexOf(typeof column === "string" ? column : column.name),
  );
  const rows = frame.values as readonly (readonly (string | number)[])[];
  showTable(
    shown,
    rows.map((row) =>
      places.map((place) => {
        const value = row[place] ?? "";
        return Number.isNaN(value) ? "–" : value;
      }),
    ),
  );
}
