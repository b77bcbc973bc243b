import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { Figure, Trace } from "../figure.js";
import { NEUTRAL, seriesStyle, translucent } from "../theme.js";
import {
  axisTitle,
  figureOf,
  baseLayout,
  checkFigure,
  errorBars,
  plain,
  shareRange,
  type FigureText,
  type Reference,
} from "./common.js";

/** A score at one dose. */
export interface DosePoint extends Interval {
  /** The dose, such as the number of training instructions; above 0. */
  readonly x: number;
}

export interface DoseCurveOptions extends FigureText {
  /** With its unit, such as "training instructions (number, log scale)". */
  readonly xTitle: string;
  /** With its unit, such as "exact match (share of rows)". */
  readonly yTitle: string;
  /** For example held-out rules and training rules. */
  readonly series: readonly { readonly name: string; readonly points: readonly DosePoint[] }[];
  /** Floors or other arms, as horizontal lines. */
  readonly references?: readonly Reference[];
}

/**
 * A score over a dose on a logarithmic axis: for each series the means, joined, with interval bars and a band.
 * @throws KitError for a series without points, a dose of 0 or less, or a number that is not finite
 */
export function doseCurve(options: DoseCurveOptions): Figure {
  const { id, series, references = [] } = options;
  const points = series.flatMap((one) => one.points);
  checkFigure(id, [
    ...points.flatMap(({ x, mean, low, high }) => [x > 0 ? Math.log10(x) : Number.NaN, mean, low, high]),
    ...references.map(({ value }) => value),
  ]);
  const doses = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const logs = doses.map(Math.log10);
  const room = Math.max(0.12, 0.04 * ((logs.at(-1) ?? 0) - (logs[0] ?? 0)));
  return figureOf(options, {
    description: describe(options),
    data: [
      ...series.flatMap(({ name, points: own }, index) => seriesTraces(name, own, index, options)),
      ...references.map((reference, index) => referenceTrace(reference, doses, index)),
    ],
    layout: baseLayout(options, {
      plotHeight: 300,
      legend: true,
      xaxis: {
        title: axisTitle(options.xTitle),
        type: "log",
        range: [(logs[0] ?? 0) - room, (logs.at(-1) ?? 0) + room],
        tickmode: "array",
        tickvals: doses,
        ticktext: doses.map((dose) => dose.toLocaleString("en")),
        showgrid: false,
        zeroline: false,
      },
      yaxis: {
        title: axisTitle(options.yTitle),
        range: shareRange(points.flatMap(({ low, high }) => [low, high])),
        zeroline: false,
        showgrid: true,
      },
    }),
  });
}

function seriesTraces(
  name: string,
  points: readonly DosePoint[],
  index: number,
  options: DoseCurveOptions,
): Trace[] {
  const { color, dash, symbol } = seriesStyle(index);
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const x = sorted.map((point) => point.x);
  const band: Trace = {
    type: "scatter",
    mode: "lines",
    x: [...x, ...x.toReversed()],
    y: [...sorted.map(({ high }) => high), ...sorted.map(({ low }) => low).reverse()],
    fill: "toself",
    fillcolor: translucent(color, 0.14),
    line: { width: 0 },
    hoverinfo: "skip",
    showlegend: false,
    legendgroup: name,
  };
  const line: Trace = {
    type: "scatter",
    mode: "lines+markers",
    name: plain(name),
    legendgroup: name,
    x,
    y: sorted.map(({ mean }) => mean),
    error_y: errorBars(sorted, { color }),
    line: { color, width: 2.5, dash },
    marker: { color, symbol, size: 9 },
    customdata: sorted.map(({ low, high }) => [low, high]),
    hovertemplate: `${plain(options.xTitle)}: %{x:,}<br>%{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}]<extra>${plain(name)}</extra>`,
    cliponaxis: false,
  };
  return sorted.length > 1 ? [band, line] : [line];
}

function referenceTrace({ name, value }: Reference, doses: readonly number[], index: number): Trace {
  const first = doses[0] ?? 1;
  const last = doses.at(-1) ?? 1;
  return {
    type: "scatter",
    mode: "lines",
    name: plain(name),
    x: [first / 1.3, last * 1.3],
    y: [value, value],
    line: {
      color: NEUTRAL,
      width: 1.5,
      dash: (["dot", "dash", "dashdot", "solid"] as const)[index % 4] ?? "dot",
    },
    hovertemplate: `%{y:.3f}<extra>${plain(name)}</extra>`,
  };
}

function describe({ title, xTitle, yTitle, series }: DoseCurveOptions): string {
  const lines = series.map(({ name, points }) => {
    const values = [...points].sort((a, b) => a.x - b.x).map(({ x, mean }) => `${mean.toFixed(2)} at ${x}`);
    return `${name}: ${values.join(", ")}`;
  });
  return `${title}. ${yTitle} against ${xTitle}. ${lines.join(". ")}.`;
}
