import type { RenderPolicy } from "../../../data/spans.js";
import { templateByName } from "../../../data/templates/index.js";
import type { Template } from "../../../data/template.js";
import type { Match } from "../../../evaluate/metrics/exact-match.js";
import { KitError } from "../../../support/errors.js";
import type { ReadFlags } from "../data/shared.js";

/** The options of `ift-kit evaluate`. */
export interface EvaluateFlags extends ReadFlags {
  readonly model: string;
  readonly data: string;
  readonly template: readonly string[];
  readonly protocol?: string;
  readonly shots?: number;
  readonly scoreEnd: boolean;
  readonly batchTokens: number;
  readonly result?: string;
  readonly lmEval?: string;
  readonly taskTypes?: readonly string[];
  readonly match: Match;
  readonly stem: boolean;
  readonly overlong: RenderPolicy["overlong"];
  readonly maxNewTokens: number;
  readonly batchSize: number;
  readonly resamples: number;
  readonly out?: string;
  readonly eager?: true;
  readonly json?: true;
}

/** Level and seed of every interval; the number of resamples is an option. */
export const BOOTSTRAP = { level: 0.95, seed: 1 } as const;

/** The templates that were asked for, with the number of demonstrations. */
export function templatesOf({ template, shots }: EvaluateFlags): Template[] {
  return template.map((name) => templateByName(name, shots === undefined ? {} : { shots }));
}

/**
 * The one template of an evaluation that takes no more.
 * @throws KitError when there are several
 */
export function onlyTemplate(flags: EvaluateFlags, what: string): Template {
  const [template, ...others] = templatesOf(flags);
  if (template === undefined || others.length > 0) {
    throw new KitError(`${others.length + 1} templates`, `give one template: ${what} takes no more`, {
      field: "template",
    });
  }
  return template;
}
