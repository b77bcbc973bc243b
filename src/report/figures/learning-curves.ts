import type { Figure, Trace } from "../figure.js";
import { PALETTE_SIZE, seriesStyle } from "../theme.js";
import {
  axisTitle,
  figureOf,
  baseLayout,
  checkFigure,
  paddedRange,
  plain,
  type FigureText,
} from "./common.js";

/** One training run. */
export interface Curve {
  /** The arm: runs of the same arm (other seeds) share its colour and its one legend entry. */
  readonly name: string;
  /** What tells the runs of an arm apart, such as "seed 2". */
  readonly run?: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LearningCurvesOptions extends FigureText {
  /** With its unit, such as "supervised tokens". */
  readonly xTitle: string;
  /** With its unit, such as "loss (nats per supervised token)". */
  readonly yTitle: string;
  readonly curves: readonly Curve[];
  /** A logarithmic y axis; for losses that fall by orders of magnitude. */
  readonly logY?: boolean;
}

/** More points than a figure can show only make the page heavy. */
const MOST_POINTS = 240;

/**
 * Loss (or any measure) over the training, one line a run. Long runs are drawn as means of equal stretches, at most 240.
 * @throws KitError when there is nothing to draw, a number is not finite, or a logarithmic axis gets 0 or less
 */
export function learningCurves(options: LearningCurvesOptions): Figure {
  const { id, curves, logY = false } = options;
  const thinned = curves.map((curve) => ({ ...curve, points: thin(curve.points, MOST_POINTS) }));
  const heights = thinned.flatMap(({ points }) =>
    points.map(({ y }) => (logY ? (y > 0 ? Math.log10(y) : Number.NaN) : y)),
  );
  checkFigure(id, [...heights, ...thinned.flatMap(({ points }) => points.map(({ x }) => x))]);
  const arms = [...new Set(curves.map(({ name }) => name))];
  const [low, high] = paddedRange(heights, 0.04);
  return figureOf(options, {
    description: describe(options),
    data: thinned.map((curve, index) =>
      curveTrace(curve, arms, curves.findIndex(({ name }) => name === curve.name) === index, options),
    ),
    layout: baseLayout(options, {
      plotHeight: 300,
      legend: true,
      xaxis: {
        title: axisTitle(options.xTitle),
        tickformat: "~s",
        zeroline: false,
        showgrid: false,
        rangemode: "tozero",
      },
      yaxis: {
        title: axisTitle(options.yTitle),
        type: logY ? "log" : "linear",
        range: logY ? [low, high] : [Math.min(low, 0), high],
        zeroline: false,
        showgrid: true,
      },
    }),
  });
}

function curveTrace(
  curve: Curve,
  arms: readonly string[],
  first: boolean,
  options: LearningCurvesOptions,
): Trace {
  const place = arms.indexOf(curve.name);
  const { color, symbol, dash } = seriesStyle(place);
  const label = plain(curve.run === undefined ? curve.name : `${curve.name}, ${curve.run}`);
  return {
    type: "scatter",
    mode: "lines+markers",
    name: plain(curve.name),
    legendgroup: curve.name,
    showlegend: first,
    x: curve.points.map(({ x }) => x),
    y: curve.points.map(({ y }) => y),
    line: { color, width: 1.8, dash: place < PALETTE_SIZE ? "solid" : dash },
    marker: { color, symbol, size: 7, maxdisplayed: 8 },
    opacity: 0.85,
    hovertemplate: `${plain(options.xTitle)}: %{x:,.0f}<br>%{y:.4f}<extra>${label}</extra>`,
  };
}

/** Means of `most` stretches of (nearly) equal numbers of points; short lists stay as they are. */
export function thin(
  points: readonly { readonly x: number; readonly y: number }[],
  most: number,
): { x: number; y: number }[] {
  if (points.length <= most) return points.map(({ x, y }) => ({ x, y }));
  return Array.from({ length: most }, (_, index) => {
    const stretch = points.slice(
      Math.floor((index * points.length) / most),
      Math.floor(((index + 1) * points.length) / most),
    );
    const total = stretch.reduce((sum, { x, y }) => ({ x: sum.x + x, y: sum.y + y }), { x: 0, y: 0 });
    return { x: total.x / stretch.length, y: total.y / stretch.length };
  });
}

function describe({ title, xTitle, yTitle, curves }: LearningCurvesOptions): string {
  const ends = curves.flatMap(({ name, run, points }) => {
    const last = points.at(-1);
    return last === undefined
      ? []
      : [`${name}${run === undefined ? "" : ` (${run})`} ends at ${last.y.toPrecision(3)}`];
  });
  return `${title}. ${yTitle} against ${xTitle}. ${ends.join(". ")}.`;
}
