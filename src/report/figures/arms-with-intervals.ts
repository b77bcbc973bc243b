import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { Annotation, Figure, Trace } from "../figure.js";
import { NEUTRAL, seriesStyle } from "../theme.js";
import {
  axisTitle,
  figureOf,
  baseLayout,
  checkFigure,
  errorBars,
  formatNumber,
  plain,
  shareRange,
  type FigureText,
} from "./common.js";
import { rightLabel } from "./rows.js";
import { rowAxis, stripes } from "./rows.js";

/** One dot with its interval. */
export interface RowPoint extends Interval {
  /** The row it stands on: an arm, or a task type. */
  readonly row: string;
}

/** A score that needs no model: one line for all rows, or a tick on each row. */
export type Floor =
  | { readonly name: string; readonly value: number }
  | { readonly name: string; readonly points: readonly { readonly row: string; readonly value: number }[] };

export interface ArmsOptions extends FigureText {
  /** With its unit, such as "exact match (share of rows)". */
  readonly valueTitle: string;
  /** One series for held-out and one for seen, or one for each arm when the rows are task types. */
  readonly series: readonly { readonly name: string; readonly points: readonly RowPoint[] }[];
  readonly floors?: readonly Floor[];
  /** Top to bottom; the order of the first series where it is not given. */
  readonly rows?: readonly string[];
}

const FLOOR_DASHES = ["dot", "dash", "dashdot", "solid"] as const;
const FLOOR_SYMBOLS = ["line-ns", "x-thin", "cross-thin", "asterisk"] as const;

/**
 * Dots on lines: one row for each arm (or task type), one dot with its interval for each series, floors as lines. The
 * number is written beside the dot when there is one series.
 * @throws KitError when nothing is given or a number is not finite
 */
export function armsWithIntervals(options: ArmsOptions): Figure {
  const { id, series, floors = [] } = options;
  const points = series.flatMap((one) => one.points);
  const floorValues = floors.flatMap((floor) =>
    "value" in floor ? [floor.value] : floor.points.map(({ value }) => value),
  );
  checkFigure(id, [...points.flatMap(({ mean, low, high }) => [mean, low, high]), ...floorValues]);
  const rows = options.rows ?? [...new Set(points.map(({ row }) => row))];
  const place = new Map(rows.map((row, index) => [row, rows.length - 1 - index]));
  const band = Math.max(34, 15 * series.length + 14);
  const single = series.length === 1;
  return figureOf(options, {
    description: describe(options, rows),
    data: [
      ...series.map(({ name, points: own }, index) =>
        seriesTrace(
          name,
          own.filter(({ row }) => place.has(row)),
          place,
          index,
          series.length,
        ),
      ),
      ...floors.map((floor, index) => floorTrace(floor, place, index)),
    ],
    layout: {
      ...baseLayout(options, {
        plotHeight: Math.max(90, band * rows.length),
        legend: series.length + floors.length > 1,
        right: single ? 150 : 28,
        xaxis: {
          title: axisTitle(options.valueTitle),
          range: shareRange(points.flatMap(({ low, high }) => [low, high])),
          zeroline: false,
          showgrid: true,
        },
        yaxis: rowAxis(rows),
      }),
      shapes: rows.length > 1 ? stripes(rows.length) : [],
      annotations: single ? valueLabels(points, place) : [],
    },
  });
}

function seriesTrace(
  name: string,
  points: readonly RowPoint[],
  place: ReadonlyMap<string, number>,
  index: number,
  count: number,
): Trace {
  const { color, symbol } = seriesStyle(index);
  const shift = (0.62 * ((count - 1) / 2 - index)) / Math.max(count, 2);
  return {
    type: "scatter",
    mode: "markers",
    name: plain(name),
    x: points.map(({ mean }) => mean),
    y: points.map(({ row }) => (place.get(row) ?? 0) + shift),
    error_x: errorBars(points, { color, width: count > 2 ? 3 : 5 }),
    marker: { color, symbol, size: count > 2 ? 8 : 10 },
    customdata: points.map(({ row, low, high }) => [plain(row), low, high]),
    hovertemplate: `%{customdata[0]}<br>%{x:.3f} [%{customdata[1]:.3f}, %{customdata[2]:.3f}]<extra>${plain(name)}</extra>`,
    cliponaxis: false,
  };
}

function floorTrace(floor: Floor, place: ReadonlyMap<string, number>, index: number): Trace {
  const common = { type: "scatter", name: plain(floor.name) } as const;
  const hover = `%{x:.3f}<extra>${plain(floor.name)}</extra>`;
  if ("value" in floor) {
    return {
      ...common,
      mode: "lines",
      x: [floor.value, floor.value],
      y: [-0.6, place.size - 0.4],
      line: { color: NEUTRAL, width: 2, dash: FLOOR_DASHES[index % FLOOR_DASHES.length] ?? "dot" },
      hovertemplate: hover,
    };
  }
  const shown = floor.points.filter(({ row }) => place.has(row));
  return {
    ...common,
    mode: "markers",
    x: shown.map(({ value }) => value),
    y: shown.map(({ row }) => place.get(row) ?? 0),
    marker: {
      color: NEUTRAL,
      symbol: FLOOR_SYMBOLS[index % FLOOR_SYMBOLS.length] ?? "line-ns",
      size: index === 0 ? 15 : 9,
      line: { color: NEUTRAL, width: 2 },
    },
    customdata: shown.map(({ row }) => [plain(row)]),
    hovertemplate: `%{customdata[0]}<br>${hover}`,
    cliponaxis: false,
  };
}

function valueLabels(points: readonly RowPoint[], place: ReadonlyMap<string, number>): Annotation[] {
  return points
    .filter(({ row }) => place.has(row))
    .map(({ row, mean, low, high }) => ({
      ...rightLabel(
        `${formatNumber(mean)} [${formatNumber(low)}, ${formatNumber(high)}]`,
        place.get(row) ?? 0,
      ),
      align: "left" as const,
    }));
}

function describe({ title, valueTitle, series }: ArmsOptions, rows: readonly string[]): string {
  const lines = rows.map((row) => {
    const values = series.flatMap(({ name, points }) =>
      points
        .filter((point) => point.row === row)
        .map(({ mean, low, high }) => `${name} ${mean.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`),
    );
    return `${row}: ${values.join(", ")}`;
  });
  return `${title}. ${valueTitle}. ${lines.join(". ")}.`;
}
