import { KitError } from "../support/errors.js";
import { followingSuite } from "./instruction-following/suite.js";
import { miniSuite } from "./mini/suite.js";
import { instructionSuite } from "./natural-instructions/suite.js";
import { publicDataSuite } from "./public-data/suite.js";
import { rewriteSuite } from "./rewrite/suite.js";
import type { Suite } from "./suite.js";

/** All suites; what they need to run is loaded when a run is done. */
const SUITES: readonly Suite[] = [miniSuite, rewriteSuite, instructionSuite, followingSuite, publicDataSuite];

/**
 * The suite of a name.
 * @throws KitError that names the suites there are
 */
export function suiteByName(name: string): Suite {
  const suite = SUITES.find((one) => one.name === name);
  if (suite !== undefined) return suite;
  const names = SUITES.map((one) => `"${one.name}"`);
  throw new KitError(`there is no suite "${name}"`, `use one of ${names.join(", ")}`, { field: "suite" });
}
