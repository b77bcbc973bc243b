import type { Dash, FigureTemplate } from "./figure.js";

/**
 * The palette of Okabe and Ito (2008), readable with each common kind of colour blindness. Black and yellow are left
 * out: the one vanishes in dark mode, the other on white paper. Dash and marker say the same as the colour.
 */
export const SERIES_STYLES: readonly SeriesStyle[] = [
  { color: "#0072b2", dash: "solid", symbol: "circle" },
  { color: "#d55e00", dash: "dash", symbol: "square" },
  { color: "#009e73", dash: "dashdot", symbol: "diamond" },
  { color: "#cc79a7", dash: "dot", symbol: "triangle-up" },
  { color: "#e69f00", dash: "solid", symbol: "x" },
  { color: "#56b4e9", dash: "dash", symbol: "star" },
];

/** How one series looks in every figure of a report. */
export interface SeriesStyle {
  readonly color: string;
  readonly dash: Dash;
  readonly symbol: string;
}

/** Series colours that are too dim on a dark page, in both spellings, and what stands for them there. */
export const LIGHTER_COLORS: readonly (readonly [string, string])[] = [
  ["#0072b2", "#2e9be6"],
  ["rgba(0,114,178,", "rgba(46,155,230,"],
  ["#d55e00", "#ef7a1f"],
  ["rgba(213,94,0,", "rgba(239,122,31,"],
];

/** For floors and for differences that may be zero; 3:1 or more on white and on the dark page. */
export const NEUTRAL = "#7f7f7f";

export const FONT_FAMILY = "Open Sans, system-ui, Segoe UI, Helvetica, Arial, sans-serif";

const LIGHT = { ink: "#1f2328", faint: "#57606a", grid: "#e3e6ea", line: "#8c959f", page: "#ffffff" };
const DARK = { ink: "#e6e8eb", faint: "#a8b0b9", grid: "#30363d", line: "#7d8590", page: "#15181c" };

/** For paper, pictures and light pages. */
export const LIGHT_TEMPLATE: FigureTemplate = template(LIGHT, LIGHT.page);
/** For dark pages; the page itself is the background. */
export const DARK_TEMPLATE: FigureTemplate = template(DARK, "rgba(0,0,0,0)");

/** Marks and dashes of later rounds through the palette, so that no two of 24 series look the same. */
const LATER_SYMBOLS = ["pentagon", "triangle-down", "hexagon", "star-diamond", "hourglass", "bowtie"];
const LATER_DASHES: readonly Dash[] = ["dash", "dot", "dashdot"];

/** The style of the series at an index; from the seventh on the colours come round again with other marks and dashes. */
export function seriesStyle(index: number): SeriesStyle {
  const place = index % SERIES_STYLES.length;
  const round = Math.floor(index / SERIES_STYLES.length);
  const style = SERIES_STYLES[place] ?? { color: NEUTRAL, dash: "solid", symbol: "circle" };
  if (round === 0) return style;
  const symbol = LATER_SYMBOLS[place] ?? style.symbol;
  const dash = LATER_DASHES[(place + round) % LATER_DASHES.length] ?? style.dash;
  return { color: style.color, symbol: round % 2 === 1 ? symbol : `${symbol}-open`, dash };
}

/** How many series have a colour of their own. */
export const PALETTE_SIZE = SERIES_STYLES.length;

/** A "#rrggbb" colour with an opacity between 0 and 1. */
export function translucent(color: string, opacity: number): string {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return `rgba(${parts.join(",")},${opacity})`;
}

function template(colors: typeof LIGHT, background: string): FigureTemplate {
  const axis = {
    gridcolor: colors.grid,
    linecolor: colors.line,
    zerolinecolor: colors.line,
    tickcolor: colors.line,
  };
  return {
    layout: {
      font: { family: FONT_FAMILY, size: 13, color: colors.ink },
      paper_bgcolor: background,
      plot_bgcolor: background,
      xaxis: axis,
      yaxis: axis,
      title: { font: { size: 17, weight: 600 }, subtitle: { font: { size: 13, color: colors.faint } } },
      hoverlabel: { bgcolor: colors.page, bordercolor: colors.line, font: { color: colors.ink } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colors.line, activecolor: colors.ink },
    },
  };
}
