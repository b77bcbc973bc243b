import type { Source } from "../../data/template.js";
import type { AnyFigure, BarTrace } from "../figure.js";
import { NEUTRAL, seriesStyle } from "../theme.js";
import { rowAxis } from "./rows.js";
import { inOrderOfParts, type StackedPart, stackedPart } from "./stacked-bars.js";
import { axisTitle, baseLayout, checkFigure, compactNumber, figureOf, type FigureText } from "./common.js";

/** The tokens of one format, or of one task type. */
export interface TokenRow {
  readonly label: string;
  readonly tokens: Readonly<Partial<Record<Source, number>>>;
}

export interface TokenBarsOptions extends FigureText {
  /** With its unit, such as "tokens (number)" or "tokens of a row (mean)". */
  readonly valueTitle: string;
  /** Top to bottom. */
  readonly rows: readonly TokenRow[];
}

/** How the tokens of a source are drawn: a colour, and a pattern that says the same without colour. */
interface SourceStyle {
  readonly source: Source;
  readonly name: string;
  readonly color: string;
  readonly pattern: StackedPart["pattern"];
}

/** From left to right in a bar: what the template adds, what the row brings, what is learned. */
const STYLES: readonly SourceStyle[] = [
  { source: "special", name: "special", color: NEUTRAL, pattern: "x" },
  { source: "scaffold", name: "template", color: NEUTRAL, pattern: "" },
  { source: "instruction", name: "instruction", color: seriesStyle(2).color, pattern: "/" },
  { source: "demonstration", name: "demonstrations", color: seriesStyle(3).color, pattern: "\\" },
  { source: "history", name: "earlier turns", color: seriesStyle(5).color, pattern: "-" },
  { source: "options", name: "options", color: seriesStyle(4).color, pattern: "." },
  { source: "input", name: "input", color: seriesStyle(0).color, pattern: "" },
  { source: "response", name: "response", color: seriesStyle(1).color, pattern: "" },
];

/** A part of a bar that is narrower than this share of the longest bar has no room for its number. */
const ROOM_FOR_NUMBER = 0.09;

/**
 * Stacked bars: one row for each format, its tokens by where they come from. The number of all stands at the end of a bar.
 * @throws KitError when there are no rows or a number is not finite
 */
export function tokenBars(options: TokenBarsOptions): AnyFigure {
  const { id, rows } = options;
  const totals = rows.map(({ tokens }) => Object.values(tokens).reduce((sum, count) => sum + count, 0));
  checkFigure(id, totals);
  const longest = Math.max(...totals);
  const heights = rows.map((_, index) => rows.length - 1 - index);
  const shown = STYLES.filter(({ source }) => rows.some(({ tokens }) => (tokens[source] ?? 0) > 0));
  const layout = baseLayout(options, {
    plotHeight: Math.max(70, 38 * rows.length),
    legend: true,
    right: 84,
    xaxis: {
      title: axisTitle(options.valueTitle),
      range: [0, longest * 1.01],
      tickformat: "~s",
      showgrid: true,
      zeroline: false,
    },
    yaxis: rowAxis(rows.map(({ label }) => label)),
  });
  return figureOf(options, {
    description: describe(options, totals),
    data: shown.map((style) => sourceBars(style, rows, longest)),
    layout: {
      ...layout,
      ...inOrderOfParts(layout.legend),
      barmode: "stack",
      annotations: rows.map((_, index) => ({
        text: compactNumber(totals[index] ?? 0),
        x: totals[index] ?? 0,
        y: heights[index] ?? 0,
        xanchor: "left" as const,
        yanchor: "middle" as const,
        xshift: 6,
        showarrow: false as const,
      })),
    },
  });
}

function sourceBars(
  { source, name, color, pattern }: SourceStyle,
  rows: readonly TokenRow[],
  longest: number,
): BarTrace {
  const counts = rows.map(({ tokens }) => tokens[source] ?? 0);
  return {
    ...stackedPart({
      ...{ name, color, pattern, lengths: counts },
      texts: counts.map((count) => (count >= ROOM_FOR_NUMBER * longest ? compactNumber(count) : "")),
    }),
    hovertemplate: `%{x:,.4~f}<extra>${name}</extra>`,
  };
}

function describe({ title, valueTitle, rows }: TokenBarsOptions, totals: readonly number[]): string {
  const lines = rows.map(({ label, tokens }, index) => {
    const parts = STYLES.flatMap(({ source, name }) => {
      const count = tokens[source] ?? 0;
      return count > 0 ? [`${name} ${compactNumber(count)}`] : [];
    });
    return `${label}: ${compactNumber(totals[index] ?? 0)}, of which ${parts.join(", ")}`;
  });
  return `${title}. ${valueTitle}. ${lines.join(". ")}.`;
}
