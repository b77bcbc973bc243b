import type { InstructionDiversity } from "../../data/diversity/index.js";
import type { AnyFigure } from "../figure.js";
import type { FigureText } from "../figures/common.js";
import { verbMap } from "../figures/verb-map.js";

/** Root verbs and objects of instructions, with how many of all are drawn; undefined where none has a verb. */
export function instructionVerbMap(
  { instructions, withVerb, topVerbs, verbs }: InstructionDiversity,
  text: Omit<FigureText, "subtitle">,
): AnyFigure | undefined {
  if (topVerbs.length === 0) return undefined;
  return verbMap({
    ...text,
    subtitle: `the ${topVerbs.length} most frequent of ${verbs} verbs; ${withVerb.toLocaleString("en")} of ${instructions.toLocaleString("en")} distinct instructions have one`,
    verbs: topVerbs,
  });
}
