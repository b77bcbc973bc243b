import type { BarTrace } from "../figure.js";

/** One part of each bar: what tells it from the other parts. */
export interface StackedPart {
  readonly name: string;
  readonly color: string;
  /** Says the same without colour. */
  readonly pattern: "" | "/" | "\\" | "x" | "." | "-" | "|" | "+";
  /** Lengths, top to bottom. */
  readonly lengths: readonly number[];
  /** What stands in them, top to bottom; empty where there is no room. */
  readonly texts: readonly string[];
}

/** A part of stacked, horizontal bars, the first row at the top; what the mouse shows is up to the caller. */
export function stackedPart({ name, color, pattern, lengths, texts }: StackedPart): BarTrace {
  return {
    type: "bar",
    orientation: "h",
    name,
    x: lengths,
    y: lengths.map((_, index) => lengths.length - 1 - index),
    width: 0.66,
    text: texts,
    textposition: "inside",
    insidetextanchor: "middle",
    textangle: 0,
    constraintext: "none",
    insidetextfont: { color: "#ffffff", size: 12 },
    marker: {
      color,
      line: { color: "#ffffff", width: 1 },
      ...(pattern === ""
        ? {}
        : {
            pattern: {
              shape: pattern,
              fillmode: "overlay",
              size: 8,
              solidity: 0.15,
              fgcolor: "#ffffff",
              fgopacity: 0.35,
            },
          }),
    },
  };
}

/** The legend of a layout, from left to right as the parts of a bar. */
export function inOrderOfParts<Legend extends object>(
  legend: Legend | undefined,
): { readonly legend?: Legend & { readonly traceorder: "normal" } } {
  return legend === undefined ? {} : { legend: { ...legend, traceorder: "normal" } };
}
