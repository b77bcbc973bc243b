import type { AnyFigure, BarTrace } from "../figure.js";
import { NEUTRAL, seriesStyle } from "../theme.js";
import { rightLabel, rowAxis } from "./rows.js";
import { inOrderOfParts, stackedPart } from "./stacked-bars.js";
import { axisTitle, baseLayout, checkFigure, figureOf, type FigureText, plain } from "./common.js";

export interface OutcomeBarsOptions extends FigureText {
  /** With its unit, such as "share of the proposed tasks". */
  readonly valueTitle: string;
  /** Name of the first part of each bar, such as "kept". */
  readonly firstName: string;
  /** Top to bottom: how many became the first, and how many each of the others. */
  readonly rows: readonly {
    readonly label: string;
    readonly first: number;
    readonly others: Readonly<Record<string, number>>;
  }[];
}

/** The most frequent others have a part of their own, as many as there are colours beside that of the first. */
const MOST_NAMED = 5;
const REST = "other reasons";
/** A part of a bar that is narrower than this has no room for its number. */
const ROOM_FOR_NUMBER = 0.055;
const PATTERNS = ["", "/", "\\", "x", ".", "-"] as const;

/**
 * What became of what was proposed: one bar for each run, as shares; numbers in the parts, all together at the right.
 * @throws KitError when there are no rows, or one has nothing in it
 */
export function outcomeBars(options: OutcomeBarsOptions): AnyFigure {
  const { id, rows, firstName } = options;
  const totals = rows.map(({ first, others }) => first + sum(Object.values(others)));
  checkFigure(
    id,
    rows.map(({ first }, index) => first / (totals[index] ?? 0)),
  );
  const names = partNames(rows);
  const counts = (name: string): number[] =>
    rows.map(({ first, others }) => {
      if (name === firstName) return first;
      if (name !== REST) return others[name] ?? 0;
      return sum(Object.entries(others).map(([reason, count]) => (names.includes(reason) ? 0 : count)));
    });
  const parts = [firstName, ...names, REST].filter((name) => sum(counts(name)) > 0 || name === firstName);
  const layout = baseLayout(options, {
    plotHeight: Math.max(70, 38 * rows.length),
    legend: true,
    right: 84,
    xaxis: {
      title: axisTitle(options.valueTitle),
      range: [0, 1],
      tickformat: ".0%",
      showgrid: true,
      zeroline: false,
    },
    yaxis: rowAxis(rows.map(({ label }) => label)),
  });
  return figureOf(options, {
    description: describe(
      options,
      parts.map((name) => ({ name, counts: counts(name) })),
    ),
    data: parts.map((name, index) => partBars(name, counts(name), totals, name === REST ? undefined : index)),
    layout: {
      ...layout,
      ...inOrderOfParts(layout.legend),
      barmode: "stack",
      annotations: totals.map((total, index) =>
        rightLabel(`of ${total.toLocaleString("en")}`, rows.length - 1 - index, 8),
      ),
    },
  });
}

/** The most frequent over all rows; all of them where no more than one would be left over. */
function partNames(rows: OutcomeBarsOptions["rows"]): string[] {
  const counts = new Map<string, number>();
  for (const { others } of rows)
    for (const [name, count] of Object.entries(others)) counts.set(name, (counts.get(name) ?? 0) + count);
  const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  return names.slice(0, MOST_NAMED);
}

function partBars(
  name: string,
  counts: readonly number[],
  totals: readonly number[],
  style: number | undefined,
): BarTrace {
  const shares = counts.map((count, index) => count / (totals[index] ?? 1));
  const pattern = style === undefined ? "" : (PATTERNS[style % PATTERNS.length] ?? "");
  return {
    ...stackedPart({
      name: plain(name),
      color: style === undefined ? NEUTRAL : seriesStyle(style).color,
      pattern,
      lengths: shares,
      texts: counts.map((count, index) => ((shares[index] ?? 0) >= ROOM_FOR_NUMBER ? String(count) : "")),
    }),
    customdata: counts.map((count) => [count]),
    hovertemplate: `%{customdata[0]:,} (%{x:.1%})<extra>${plain(name)}</extra>`,
  };
}

function describe(
  { title, rows }: OutcomeBarsOptions,
  parts: readonly { readonly name: string; readonly counts: readonly number[] }[],
): string {
  const lines = rows.map(({ label }, row) => {
    const told = parts.flatMap(({ name, counts }) =>
      (counts[row] ?? 0) > 0 ? [`${name} ${counts[row]}`] : [],
    );
    return `${label}: ${told.join(", ")}`;
  });
  return `${title}. ${lines.join(". ")}.`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
