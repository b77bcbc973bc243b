import type { RecallByRelation } from "../../experiment/pretrain/fact-recall.js";

/** A table in Markdown, its columns filled up to one width, as formatters write it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    Math.max(3, name.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** How many facts of each relation a base model has, beside its floor. */
export function factsTable({ byRelation }: RecallByRelation): string {
  return table(
    ["relation", "facts", "recall", "most frequent answer"],
    Object.entries(byRelation).map(([relation, { facts, recall, floor }]) => [
      relation,
      String(facts),
      percent(recall),
      percent(floor),
    ]),
  );
}

/** "6 minutes" */
export function minutes(seconds: number): string {
  return `${(seconds / 60).toFixed(0)} minutes`;
}

/** "0.85" */
export function millions(count: number): string {
  return (count / 1e6).toFixed(2);
}

/** "3,072" */
export function whole(value: number): string {
  return value.toLocaleString("en");
}

/** "12.3%", of a share from 0 to 1. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
