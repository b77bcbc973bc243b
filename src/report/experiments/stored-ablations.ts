import { existsSync, readdirSync } from "node:fs";
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

/**
 * The reports of the ablations that ship with the kit, in the order of their names.
 * @throws KitError when a file is no report of this version
 */
export function storedAblations(): StoredAblation[] {
  return storedReports("ablations");
}

/**
 * The reports of the plans on real data that ship with the kit, in the order of their names.
 * @throws KitError when a file is no report of this version
 */
export function storedRealRuns(): StoredAblation[] {
  return storedReports("real");
}

/** What `datasets/FOLDER` has; a folder that is not there has nothing. */
function storedReports(name: string): StoredAblation[] {
  const folder = fileURLToPath(new URL(`../../../datasets/${name}`, import.meta.url));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => ({ name: basename(file, ".json"), report: readReport(join(folder, file)) }));
}
