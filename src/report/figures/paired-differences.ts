import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { Figure } from "../figure.js";
import { NEUTRAL, seriesStyle } from "../theme.js";
import { rightLabel, rowAxis, stripes } from "./rows.js";
import {
  axisTitle,
  figureOf,
  baseLayout,
  checkFigure,
  errorBars,
  formatNumber,
  paddedRange,
  plain,
  type FigureText,
} from "./common.js";

export interface PairedDifferencesOptions extends FigureText {
  /** With its direction and unit, such as "difference in exact match (first arm minus second)". */
  readonly valueTitle: string;
  /** Top to bottom, such as "IFT − SFT". */
  readonly rows: readonly (Interval & { readonly label: string })[];
}

/**
 * A forest plot: one difference with its interval a row, and the line of no difference. An interval that holds 0 is grey
 * and its dot hollow; one that does not is coloured and its dot full.
 * @throws KitError when there are no rows or a number is not finite
 */
export function pairedDifferences(options: PairedDifferencesOptions): Figure {
  const { id, rows } = options;
  checkFigure(
    id,
    rows.flatMap(({ mean, low, high }) => [mean, low, high]),
  );
  const color = seriesStyle(0).color;
  const heights = rows.map((_, index) => rows.length - 1 - index);
  const groups = [
    { name: "interval excludes 0", symbol: "circle", color, member: (row: Interval) => !holdsZero(row) },
    { name: "interval includes 0", symbol: "circle-open", color: NEUTRAL, member: holdsZero },
  ].map((group) => ({ ...group, indices: rows.flatMap((row, index) => (group.member(row) ? [index] : [])) }));
  return figureOf(options, {
    description: describe(options),
    data: groups
      .filter(({ indices }) => indices.length > 0)
      .map((group) => {
        const own = group.indices.flatMap((index) => rows[index] ?? []);
        return {
          type: "scatter" as const,
          mode: "markers" as const,
          name: group.name,
          x: own.map(({ mean }) => mean),
          y: group.indices.map((index) => heights[index] ?? 0),
          error_x: errorBars(own, { color: group.color }),
          marker: {
            color: group.color,
            symbol: group.symbol,
            size: 10,
            line: { color: group.color, width: 2 },
          },
          customdata: own.map(({ label, low, high }) => [plain(label), low, high]),
          hovertemplate:
            "%{customdata[0]}<br>%{x:+.3f} [%{customdata[1]:+.3f}, %{customdata[2]:+.3f}]<extra></extra>",
          cliponaxis: false,
        };
      }),
    layout: {
      ...baseLayout(options, {
        plotHeight: Math.max(90, 36 * rows.length),
        legend: groups.every(({ indices }) => indices.length > 0),
        right: 168,
        xaxis: {
          title: axisTitle(options.valueTitle),
          range: paddedRange([0, ...rows.flatMap(({ low, high }) => [low, high])]),
          tickformat: ".3~g",
          zeroline: true,
          zerolinecolor: NEUTRAL,
          zerolinewidth: 2,
          showgrid: true,
        },
        yaxis: rowAxis(rows.map(({ label }) => label)),
      }),
      shapes: rows.length > 1 ? stripes(rows.length) : [],
      annotations: rows.map(({ mean, low, high }, index) =>
        rightLabel(
          `${formatNumber(mean, true)} [${formatNumber(low, true)}, ${formatNumber(high, true)}]`,
          heights[index] ?? 0,
        ),
      ),
    },
  });
}

/** Whether the interval allows no difference; an end at 0 counts as holding it. */
export function holdsZero({ low, high }: Interval): boolean {
  return low <= 0 && high >= 0;
}

function describe({ title, valueTitle, rows }: PairedDifferencesOptions): string {
  const lines = rows.map(
    ({ label, mean, low, high }) => `${label}: ${mean.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
  );
  return `${title}. ${valueTitle}. ${lines.join(". ")}.`;
}
