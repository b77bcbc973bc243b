import { KitError } from "../../support/errors.js";
import type { Method } from "../pipeline/pipeline.js";
import { alpacaVariant } from "./alpaca.js";
import { backTranslation } from "./back-translation.js";
import type { MethodOptions } from "./common.js";
import { evolInstruct } from "./evol-instruct.js";
import { personaSeeds } from "./personas.js";
import { selfInstruct } from "./self-instruct.js";
import { templateSynthesis } from "./template-synthesis.js";
import { unnaturalInstructions } from "./unnatural-instructions.js";

export type { MethodOptions } from "./common.js";

/** The methods that have a name on the command line, and what their seeds are. */
export const METHODS = {
  "self-instruct": { make: selfInstruct, seeds: "at least 8 rows with an instruction" },
  alpaca: { make: alpacaVariant, seeds: "at least 3 rows with an instruction" },
  "evol-instruct": { make: evolInstruct, seeds: "rows with an instruction" },
  "back-translation": { make: backTranslation, seeds: "texts (a .txt file), or rows with an output" },
  "unnatural-instructions": {
    make: unnaturalInstructions,
    seeds: "rows of at least 3 tasks with an instruction and an input",
  },
  "template-synthesis": { make: templateSynthesis, seeds: "labelled rows, with or without an instruction" },
  personas: { make: personaSeeds, seeds: "none, or rows that new instructions must not be like" },
} as const satisfies Record<string, { make: (options: MethodOptions) => Method; seeds: string }>;

export type MethodName = keyof typeof METHODS;

/** Names of the methods, for the command line. */
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[];

/** A method by its name. @throws KitError for an unknown name, and when the seeds do not suit it */
export function methodByName(name: string, options: MethodOptions): Method {
  const known = METHOD_NAMES.find((candidate) => candidate === name);
  if (known === undefined)
    throw new KitError(`there is no method "${name}"`, `use one of ${METHOD_NAMES.join(", ")}`);
  return METHODS[known].make(options);
}
