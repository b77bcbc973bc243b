import type { Figure } from "../figure.js";
import { NEUTRAL, seriesStyle } from "../theme.js";
import {
  axisTitle,
  baseLayout,
  checkFigure,
  figureOf,
  type FigureText,
  formatNumber,
  plain,
  shareRange,
} from "./common.js";
import { rightLabel, rowAxis, stripes } from "./rows.js";

export interface ScoreStripsOptions extends FigureText {
  /** With its unit, such as "exact match (share of rows)". */
  readonly valueTitle: string;
  /** Top to bottom; one dot for each value. */
  readonly rows: readonly {
    readonly label: string;
    readonly values: readonly { readonly name: string; readonly value: number }[];
  }[];
}

/**
 * A score as a distribution: one row for each arm, one dot for each template (or other condition), and a bar at the median,
 * which stands beside the row with the least and the largest.
 * @throws KitError when there is nothing to draw or a number is not finite
 */
export function scoreStrips(options: ScoreStripsOptions): Figure {
  const { id, rows } = options;
  const numbers = rows.map(({ values }) => values.map(({ value }) => value).sort((a, b) => a - b));
  checkFigure(id, numbers.flat());
  const heights = rows.map((_, index) => rows.length - 1 - index);
  const { color } = seriesStyle(0);
  const spreads = numbers.map((values) => ({
    median: medianOf(values),
    text: `${formatNumber(medianOf(values))} (${formatNumber(values[0] ?? 0)} to ${formatNumber(values.at(-1) ?? 0)})`,
  }));
  return figureOf(options, {
    description: `${options.title}. ${options.valueTitle}, median and range. ${rows
      .map(({ label }, index) => `${label}: ${spreads[index]?.text ?? ""}`)
      .join(". ")}.`,
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "one template",
        x: rows.flatMap(({ values }) => values.map(({ value }) => value)),
        // A little up and down, so that equal scores do not hide each other.
        y: rows.flatMap(({ values }, row) =>
          values.map((_, index) => (heights[row] ?? 0) + 0.24 * ((index % 5) / 2 - 1)),
        ),
        marker: { color, symbol: "circle-open", size: 9, line: { color, width: 2 } },
        customdata: rows.flatMap(({ values }) => values.map(({ name }) => [plain(name)])),
        hovertemplate: "%{customdata[0]}<br>%{x:.3f}<extra></extra>",
        cliponaxis: false,
      },
      {
        type: "scatter",
        mode: "markers",
        name: "median",
        x: spreads.map(({ median }) => median),
        y: heights,
        marker: { color: NEUTRAL, symbol: "line-ns", size: 26, line: { color: NEUTRAL, width: 3 } },
        hovertemplate: "median %{x:.3f}<extra></extra>",
        cliponaxis: false,
      },
    ],
    layout: {
      ...baseLayout(options, {
        plotHeight: Math.max(90, 44 * rows.length),
        legend: true,
        right: 168,
        xaxis: {
          title: axisTitle(options.valueTitle),
          range: shareRange(numbers.flat()),
          zeroline: false,
          showgrid: true,
        },
        yaxis: rowAxis(rows.map(({ label }) => label)),
      }),
      shapes: rows.length > 1 ? stripes(rows.length) : [],
      annotations: spreads.map(({ text }, index) => ({
        ...rightLabel(text, heights[index] ?? 0),
        align: "left" as const,
      })),
    },
  });
}

function medianOf(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
