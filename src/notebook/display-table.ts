import { show, type MimeBundle } from "./display.js";

export interface TableColumn {
  readonly name: string;
  /** Written after the name, in brackets. */
  readonly unit?: string;
  /** Digits after the point for numbers; default: as many as the number needs, at most 4. */
  readonly digits?: number;
}

export interface Table {
  readonly columns: readonly TableColumn[];
  /** One array a row, as long as `columns`. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Shows a table below the running cell. `columns` may be names alone. */
export function showTable(columns: readonly (string | TableColumn)[], rows: Table["rows"]): void {
  show(
    tableBundle({
      columns: columns.map((column) => (typeof column === "string" ? { name: column } : column)),
      rows,
    }),
  );
}

/** A table as HTML and as text. */
export function tableBundle({ columns, rows }: Table): MimeBundle {
  const header = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} [${unit}]`));
  const cells = rows.map((row) => row.map((value, index) => formatCell(value, columns[index]?.digits)));
  const numeric = columns.map((_, index) => rows.every((row) => typeof row[index] === "number"));
  return { "text/html": html(header, cells, numeric), "text/plain": text(header, cells, numeric) };
}

function formatCell(value: string | number, digits: number | undefined): string {
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return String(value);
  if (digits !== undefined) return value.toFixed(digits);
  return Number.isInteger(value) ? value.toString() : String(Number(value.toFixed(4)));
}

function html(
  header: readonly string[],
  cells: readonly (readonly string[])[],
  numeric: readonly boolean[],
): string {
  const row = (values: readonly string[], tag: "th" | "td"): string =>
    `<tr>${values
      .map((value, index) => {
        const align = numeric[index] === true ? "right" : "left";
        return `<${tag} style="text-align: ${align}">${escapeHtml(value)}</${tag}>`;
      })
      .join("")}</tr>`;
  const body = cells.map((values) => row(values, "td")).join("\n");
  return `<table>\n<thead>${row(header, "th")}</thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

function text(
  header: readonly string[],
  cells: readonly (readonly string[])[],
  numeric: readonly boolean[],
): string {
  const lines = [header, ...cells];
  const widths = header.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((value, index) => {
          const width = widths[index] ?? 0;
          return numeric[index] === true ? value.padStart(width) : value.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Text for an HTML fragment. */
export function escapeHtml(value: string): string {
  return value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
