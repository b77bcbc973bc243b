import type { Distribution } from "../../data/compare/lengths.js";
import type { AnyFigure } from "../figure.js";
import { seriesStyle, translucent } from "../theme.js";
import { rightLabel, rowAxis, stripes } from "./rows.js";
import { axisTitle, baseLayout, checkFigure, compactNumber, figureOf, type FigureText } from "./common.js";

export interface LengthBoxesOptions extends FigureText {
  /** With its unit, such as "length of the output (tokens, log scale)". */
  readonly valueTitle: string;
  /** Top to bottom. */
  readonly rows: readonly { readonly label: string; readonly lengths: Distribution }[];
}

/**
 * How long outputs are: a box from the lower to the upper quartile with the median in it, whiskers from the 5th to the 95th
 * percentile; logarithmic.
 * @throws KitError when there are no rows or a number is not finite
 */
export function lengthBoxes(options: LengthBoxesOptions): AnyFigure {
  const { id, rows } = options;
  checkFigure(
    id,
    rows.flatMap(({ lengths }) => [lengths.p5, lengths.p95]),
  );
  const { color } = seriesStyle(0);
  const heights = rows.map((_, index) => rows.length - 1 - index);
  const ofLengths = (pick: (lengths: Distribution) => number): number[] =>
    // A length of 0 has no place on a logarithmic axis.
    rows.map(({ lengths }) => Math.max(0.5, pick(lengths)));
  const low = Math.min(...ofLengths(({ p5 }) => p5));
  const high = Math.max(...ofLengths(({ p95 }) => p95));
  return figureOf(options, {
    description: describe(options),
    data: [
      {
        type: "box" as const,
        orientation: "h" as const,
        name: "output",
        y: heights,
        lowerfence: ofLengths(({ p5 }) => p5),
        q1: ofLengths(({ p25 }) => p25),
        median: ofLengths(({ median }) => median),
        q3: ofLengths(({ p75 }) => p75),
        upperfence: ofLengths(({ p95 }) => p95),
        width: 0.6,
        whiskerwidth: 0.5,
        line: { color, width: 2 },
        fillcolor: translucent(color, 0.25),
        hoverinfo: "x" as const,
      },
    ],
    layout: {
      ...baseLayout(options, {
        plotHeight: Math.max(90, 26 * rows.length),
        legend: false,
        right: 92,
        xaxis: {
          title: axisTitle(options.valueTitle),
          type: "log",
          range: [Math.log10(low / 1.15), Math.log10(high * 1.15)],
          ...decades(low, high),
          showgrid: true,
          zeroline: false,
        },
        yaxis: rowAxis(rows.map(({ label }) => label)),
      }),
      shapes: rows.length > 1 ? stripes(rows.length) : [],
      annotations: rows.map(({ lengths }, index) =>
        rightLabel(
          `median ${Number(lengths.median.toPrecision(3)).toLocaleString("en")}`,
          heights[index] ?? 0,
          8,
        ),
      ),
    },
  });
}

/** Ticks at 1, 2, 5, 10, 20, ... within the range. */
function decades(low: number, high: number): { tickmode: "array"; tickvals: number[]; ticktext: string[] } {
  const candidates = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));
  const inside = candidates.filter((value) => value >= low / 1.15 && value <= high * 1.15);
  const tickvals = inside.length > 9 ? inside.filter((value) => Number.isInteger(Math.log10(value))) : inside;
  return { tickmode: "array", tickvals, ticktext: tickvals.map((value) => value.toLocaleString("en")) };
}

function describe({ title, valueTitle, rows }: LengthBoxesOptions): string {
  const lines = rows.map(
    ({ label, lengths: { p5, p25, median, p75, p95 } }) =>
      `${label}: median ${compactNumber(median)}, quartiles ${compactNumber(p25)} and ${compactNumber(p75)}, 90% between ${compactNumber(p5)} and ${compactNumber(p95)}`,
  );
  return `${title}. ${valueTitle}. ${lines.join(". ")}.`;
}
