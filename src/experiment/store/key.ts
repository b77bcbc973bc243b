import { hashJson } from "../../support/hash.js";
import type { RunSpecification } from "../result.js";
import { engineIdentity } from "./engine-identity.js";
import type { DecidingSources } from "./sources.js";

/**
 * The content address of a run: a hash of what is asked for (without its names), of the code that decides the result,
 * and of the engine of this machine.
 */
export function runKey(specification: RunSpecification, sources: DecidingSources): string {
  return hashJson({
    specification: { ...specification, id: undefined, arm: undefined },
    sources: sources.hash,
    engine: engineIdentity(),
  });
}
