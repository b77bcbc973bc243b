import type { Trace } from "../figure.js";
import { NEUTRAL } from "../theme.js";
import { plain } from "./common.js";

/** A place on the x axis to compare with, as an upright line. */
export interface UprightReference {
  readonly name: string;
  readonly x: number;
}

/** The line of such a place. @param range from where to where it goes @param x how the mouse shows the place */
export function uprightLine(
  reference: UprightReference | undefined,
  range: readonly [low: number, high: number],
  x = "%{x}",
): Trace[] {
  if (reference === undefined) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      name: plain(reference.name),
      x: [reference.x, reference.x],
      y: [...range],
      line: { color: NEUTRAL, width: 1.5, dash: "dot" },
      hovertemplate: `${x}<extra>${plain(reference.name)}</extra>`,
    },
  ];
}
