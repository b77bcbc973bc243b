import { KitError } from "../../support/errors.js";
import type { Template } from "../template.js";
import { alpaca } from "./alpaca.js";
import { iftDefinition } from "./ift-definition.js";
import { sftPlain } from "./sft-plain.js";

export { alpaca, iftDefinition, sftPlain };
export { patternTemplate, type PatternOptions } from "./pattern.js";

/** The templates that have a name on the command line. */
export const TEMPLATES: readonly Template[] = [sftPlain, iftDefinition, alpaca];

/**
 * A template of the kit by its name.
 * @throws KitError for an unknown name, with the names that exist
 */
export function templateByName(name: string): Template {
  const template = TEMPLATES.find((candidate) => candidate.name === name);
  if (template === undefined) {
    throw new KitError(
      `there is no template "${name}"`,
      `use one of ${TEMPLATES.map((known) => known.name).join(", ")}`,
    );
  }
  return template;
}
