import type { Figure, Trace } from "../figure.js";
import { seriesStyle } from "../theme.js";
import { axisTitle, baseLayout, checkFigure, figureOf, type FigureText, plain } from "./common.js";
import { uprightLine, type UprightReference } from "./upright-line.js";

export interface ShareLinesOptions extends FigureText {
  /** With its unit; the axis is from 0 to 1. */
  readonly xTitle: string;
  readonly yTitle: string;
  /** Shares of each set in equal parts of 0 to 1; they add up to 1. */
  readonly series: readonly { readonly name: string; readonly shares: readonly number[] }[];
  readonly reference?: UprightReference;
}

/**
 * How values from 0 to 1 are spread in several sets: a line for each, through the middles of equal parts.
 * @throws KitError when there is nothing to draw or a number is not finite
 */
export function shareLines(options: ShareLinesOptions): Figure {
  const { id, series, reference } = options;
  const all = series.flatMap(({ shares }) => shares);
  checkFigure(id, all);
  const top = Math.max(...all) * 1.08;
  return figureOf(options, {
    description: describe(options),
    data: [
      ...series.map(({ name, shares }, index): Trace => {
        const { color, dash, symbol } = seriesStyle(index);
        return {
          type: "scatter",
          mode: "lines+markers",
          name: plain(name),
          x: shares.map((_, bin) => (bin + 0.5) / shares.length),
          y: shares,
          line: { color, width: 2, dash },
          marker: { color, symbol, size: 7 },
          customdata: shares.map((_, bin) => [bin / shares.length, (bin + 1) / shares.length]),
          hovertemplate: `%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:.1%}<extra>${plain(name)}</extra>`,
        };
      }),
      ...uprightLine(reference, [0, top]),
    ],
    layout: baseLayout(options, {
      plotHeight: 280,
      legend: series.length + (reference === undefined ? 0 : 1) > 1,
      xaxis: { title: axisTitle(options.xTitle), range: [0, 1], showgrid: true, zeroline: false },
      yaxis: {
        title: axisTitle(options.yTitle),
        range: [0, top],
        tickformat: ".0%",
        showgrid: true,
        zeroline: false,
      },
    }),
  });
}

function describe({ title, xTitle, series }: ShareLinesOptions): string {
  const lines = series.map(({ name, shares }) => {
    const most = shares.indexOf(Math.max(...shares));
    return `${name}: most often ${(most / shares.length).toFixed(2)} to ${((most + 1) / shares.length).toFixed(2)} (${(100 * (shares[most] ?? 0)).toFixed(0)}%)`;
  });
  return `${title}. ${xTitle}. ${lines.join(". ")}.`;
}
