import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "../report.js";
import { readReport } from "../read-report.js";

/** A report that ships: what `ift-kit experiment run NAME` wrote. */
export interface StoredAblation {
  /** Of the plan. */
  readonly name: string;
  readonly report: Report;
}

/** Where they are. */
const STORED_ABLATIONS = fileURLToPath(new URL("../../../datasets/ablations", import.meta.url));

/**
 * The reports of the ablations that ship with the kit, in the order of their names.
 * @throws KitError when a file is no report of this version
 */
export function storedAblations(): StoredAblation[] {
  return readdirSync(STORED_ABLATIONS)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => ({ name: basename(file, ".json"), report: readReport(join(STORED_ABLATIONS, file)) }));
}
