import { contaminationFilter } from "../pipeline/filters.js";
import type { Step } from "../pipeline/pipeline.js";
import type { MethodOptions } from "./common.js";
import { judgeStep } from "./judge.js";

/** The steps that any method may end with: held-out rows, then the judge. */
export function lastSteps({ heldOut, leastScore }: Pick<MethodOptions, "heldOut" | "leastScore">): Step[] {
  return [
    ...(heldOut === undefined ? [] : [contaminationFilter(heldOut)]),
    ...(leastScore === undefined ? [] : [judgeStep(leastScore)]),
  ];
}
