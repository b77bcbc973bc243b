import type { Annotation, Axis, Line } from "../figure.js";
import { plain } from "./common.js";

/** The vertical axis of a figure whose rows have names, the first on top: row `i` of `n` stands at `n - 1 - i`. */
export function rowAxis(labels: readonly string[]): Axis {
  return {
    tickmode: "array",
    tickvals: labels.map((_, index) => labels.length - 1 - index),
    ticktext: labels.map(rowLabel),
    range: [-0.6, labels.length - 0.4],
    showgrid: false,
    zeroline: false,
    automargin: true,
    fixedrange: true,
  };
}

/** Every second row has a faint ground, so that the eye can follow it across. */
export function stripes(rows: number): Line[] {
  return Array.from({ length: rows }, (_, index) => index)
    .filter((index) => (rows - 1 - index) % 2 === 1)
    .map((index) => ({
      type: "rect" as const,
      xref: "paper",
      yref: "y",
      x0: 0,
      x1: 1,
      y0: index - 0.5,
      y1: index + 0.5,
      layer: "below" as const,
      fillcolor: "rgba(127,127,127,0.07)",
      line: { width: 0 },
    }));
}

/** A row's name, cut where it would leave no room for the data. */
export function rowLabel(row: string): string {
  return plain(row.length > 44 ? `${row.slice(0, 43)}…` : row);
}

/** A text at the right edge of the plot, beside the row at height `y`. @param shift pixels from the edge */
export function rightLabel(text: string, y: number, shift = 10): Annotation {
  return {
    text,
    x: 1,
    y,
    xref: "paper",
    yref: "y",
    xanchor: "left",
    yanchor: "middle",
    xshift: shift,
    showarrow: false,
  };
}
