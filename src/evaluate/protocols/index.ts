import { KitError } from "../../support/errors.js";
import { ifeval } from "./ifeval.js";
import { flan, mmluLetters, rank, t0 } from "./ranking.js";
import { superNi } from "./super-ni.js";
import type { Protocol } from "./types.js";

export { superNi };
export type { Protocol, ProtocolInput, ProtocolOutcome, ProtocolRun, ProtocolSettings } from "./types.js";

/** The protocols that have a name on the command line. */
export const PROTOCOLS: readonly Protocol[] = [superNi, rank, t0, flan, mmluLetters, ifeval];

/**
 * A protocol by its name.
 * @throws KitError for an unknown name, with the names that exist
 */
export function protocolByName(name: string): Protocol {
  const protocol = PROTOCOLS.find((candidate) => candidate.name === name);
  if (protocol !== undefined) return protocol;
  throw new KitError(
    `there is no protocol "${name}"`,
    `use one of ${PROTOCOLS.map((known) => known.name).join(", ")}`,
    { field: "protocol" },
  );
}
