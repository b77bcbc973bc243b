import type { Figure, Trace } from "../figure.js";
import { seriesStyle } from "../theme.js";
import {
  axisTitle,
  baseLayout,
  checkFigure,
  figureOf,
  type FigureText,
  paddedRange,
  plain,
  shareRange,
} from "./common.js";
import { uprightLine, type UprightReference } from "./upright-line.js";

export interface PointsOptions extends FigureText {
  /** With its unit. */
  readonly xTitle: string;
  /** A score from 0 to 1, with its unit. */
  readonly yTitle: string;
  /** One series for each arm, one point for each of its runs. */
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number; readonly label: string }[];
  }[];
  /** Begins the x axis at 0: for costs, of which the share matters. Default: it begins at the points. */
  readonly xFromZero?: true;
  readonly reference?: UprightReference;
}

/**
 * Runs as points on two measures, such as what a run cost and what it scored.
 * @throws KitError when there is nothing to draw or a number is not finite
 */
export function points(options: PointsOptions): Figure {
  const { id, series, reference, xFromZero } = options;
  const all = series.flatMap((one) => one.points);
  checkFigure(
    id,
    all.flatMap(({ x, y }) => [x, y]),
  );
  const across = [
    ...all.map(({ x }) => x),
    ...(reference === undefined ? [] : [reference.x]),
    ...(xFromZero ? [0] : []),
  ];
  const [low, high] = shareRange(all.map(({ y }) => y));
  return figureOf(options, {
    description: `${options.title}. ${options.yTitle} against ${options.xTitle}. ${series
      .map(
        ({ name, points: own }) =>
          `${name}: ${own.map(({ x, y }) => `${y.toFixed(2)} at ${x.toPrecision(3)}`).join(", ")}`,
      )
      .join(". ")}.`,
    data: [
      ...series.map(({ name, points: own }, index): Trace => {
        const { color, symbol } = seriesStyle(index);
        return {
          type: "scatter",
          mode: "markers",
          name: plain(name),
          x: own.map(({ x }) => x),
          y: own.map(({ y }) => y),
          marker: { color, symbol, size: 10 },
          customdata: own.map(({ label }) => [plain(label)]),
          hovertemplate: `%{customdata[0]}<br>%{x:.4~s}<br>%{y:.3f}<extra>${plain(name)}</extra>`,
          cliponaxis: false,
        };
      }),
      ...uprightLine(reference, [low, high], "%{x:.3f}"),
    ],
    layout: baseLayout(options, {
      plotHeight: 300,
      legend: true,
      xaxis: {
        title: axisTitle(options.xTitle),
        range: paddedRange(across),
        // Prefixes of units for operations and tokens; a share of a bit is no "300m".
        tickformat: Math.max(...across) >= 1000 ? ".3~s" : ".3~g",
        zeroline: false,
        showgrid: true,
      },
      yaxis: { title: axisTitle(options.yTitle), range: [low, high], zeroline: false, showgrid: true },
    }),
  });
}
