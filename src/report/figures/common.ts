import { KitError } from "../../support/errors.js";
import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { AnyFigure, AnyLayout, Axis, ErrorBars, FigureLayout } from "../figure.js";
import { LIGHT_TEMPLATE } from "../theme.js";

/** What every figure needs beside its data. */
export interface FigureText {
  /** Lower-case letters, digits and hyphens; also the name of the picture's file. */
  readonly id: string;
  /** The subject of the finding, such as "Exact match on held-out rules". */
  readonly title: string;
  /** A second line, such as what the intervals are. */
  readonly subtitle?: string;
}

/** A constant to compare with, drawn as a line. */
export interface Reference {
  readonly name: string;
  readonly value: number;
}

/** Pixels for the title, and for the legend below it where there is one. */
const TITLE_HEIGHT = 40;
const SUBTITLE_HEIGHT = 22;
export const LEGEND_HEIGHT = 30;
/** Above the plot where there is no legend. */
const BARE_HEIGHT = 8;

interface FrameParts {
  readonly plotHeight: number;
  readonly legend: boolean;
  readonly left?: number;
  readonly right?: number;
  readonly bottom?: number;
}

/** The parts of a layout that all figures with axes share: title at the left, legend below it, light template. */
export function baseLayout(
  text: FigureText,
  parts: FrameParts & { readonly xaxis: Axis; readonly yaxis: Axis },
): FigureLayout {
  return {
    ...frameLayout(text, parts),
    xaxis: { ...parts.xaxis, ticks: "outside", ticklen: 4, showline: true },
    yaxis: { ...parts.yaxis, ticklabelstandoff: 6 },
  };
}

/** The same for figures without axes. */
export function frameLayout({ title, subtitle }: FigureText, parts: FrameParts): AnyLayout {
  const top =
    TITLE_HEIGHT +
    (subtitle === undefined ? 0 : SUBTITLE_HEIGHT) +
    (parts.legend ? LEGEND_HEIGHT : BARE_HEIGHT);
  const bottom = parts.bottom ?? 56;
  const height = top + parts.plotHeight + bottom;
  return {
    title: {
      text: plain(title),
      ...(subtitle === undefined ? {} : { subtitle: { text: plain(subtitle) } }),
      x: 0,
      xref: "container",
      xanchor: "left",
      y: 1,
      yref: "container",
      yanchor: "top",
      pad: { l: 12, t: 14 },
    },
    height,
    margin: { l: parts.left ?? 64, r: parts.right ?? 28, t: top, b: bottom },
    showlegend: parts.legend,
    // plotly's validator fails on the settings of a legend that is not shown.
    ...(parts.legend
      ? {
          legend: {
            orientation: "h",
            x: 0,
            y: 1.005,
            xanchor: "left",
            yanchor: "bottom",
            yref: "paper",
          },
        }
      : {}),
    hovermode: "closest",
    template: LIGHT_TEMPLATE,
  };
}

/** A figure with the names that its options give it. */
export function figureOf<Parts extends Pick<AnyFigure, "description" | "data" | "layout">>(
  { id, title, subtitle }: FigureText,
  parts: Parts,
): FigureText & Parts {
  const { layout, data } = parts;
  const grouped = data.some(({ legendgroup }) => legendgroup !== undefined) && layout.legend !== undefined;
  return {
    id,
    title,
    ...(subtitle === undefined ? {} : { subtitle }),
    ...parts,
    layout: grouped ? { ...layout, legend: { ...layout.legend, tracegroupgap: 0 } } : layout,
  };
}

/** The same layout without its title, for pages that write the title as text, where it can wrap. */
export function withoutTitle(layout: AnyLayout): AnyLayout {
  const top = layout.showlegend === true ? LEGEND_HEIGHT : BARE_HEIGHT;
  return {
    ...layout,
    title: { ...layout.title, text: "", subtitle: { text: "" } },
    height: layout.height - layout.margin.t + top,
    margin: { ...layout.margin, t: top },
  };
}

/** An axis title in the size of the tick labels, with a little room. */
export function axisTitle(text: string): NonNullable<Axis["title"]> {
  return { text: plain(text), standoff: 10, font: { size: 13 } };
}

/** Error bars from intervals around their means. */
export function errorBars(
  intervals: readonly Interval[],
  style: { color: string; width?: number },
): ErrorBars {
  return {
    type: "data",
    symmetric: false,
    array: intervals.map(({ mean, high }) => Math.max(0, high - mean)),
    arrayminus: intervals.map(({ mean, low }) => Math.max(0, mean - low)),
    color: style.color,
    thickness: 2,
    width: style.width ?? 5,
  };
}

/** A range that holds 0 to 1 and all values, with a little room so that dots at the ends are whole. */
export function shareRange(values: readonly number[]): [number, number] {
  return [Math.min(0, ...values) - 0.03, Math.max(1, ...values) + 0.03];
}

/** A range around the values, with room at both ends. */
export function paddedRange(values: readonly number[], room = 0.06): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low > 0 ? high - low : Math.max(Math.abs(high), 1);
  return [low - room * span, high + room * span];
}

/** Text that plotly shows as it is: its titles and labels understand a little HTML. */
export function plain(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** Two decimals with a real minus sign; "+" in front of positive ones where `signed`. */
export function formatNumber(value: number, signed = false, digits = 2): string {
  const text = Math.abs(value).toFixed(digits);
  const zero = Number(text) === 0;
  return `${zero ? "" : value < 0 ? "−" : signed ? "+" : ""}${text}`;
}

/** Three digits with a unit prefix: 999, 1.23k, 45.6M. */
export function compactNumber(value: number): string {
  const steps = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  const [size, prefix] = steps.find(([step]) => Math.abs(value) >= step * 0.9995) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${prefix}`;
}

/** A name as part of a figure's id. */
export function idPart(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "") || "unnamed"
  );
}

/** @throws KitError when a builder gets nothing to draw or a number that is not finite */
export function checkFigure(id: string, values: readonly number[]): void {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) {
    throw new KitError(`the figure id "${id}"`, "use lower-case letters, digits and single hyphens", {
      field: "id",
    });
  }
  if (values.length === 0)
    throw new KitError(`figure "${id}" has nothing to draw`, "give it at least one point");
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) {
    throw new KitError(
      `figure "${id}" has the value ${wrong}`,
      "give finite numbers; leave out what was not measured",
    );
  }
}
