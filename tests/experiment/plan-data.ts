import { existsSync } from "node:fs";
import type { CheckedPlan } from "../../src/experiment/plan/plan.js";

/** The data beside the repository that a plan names and that are not there. */
export function missingData(plan: CheckedPlan): string[] {
  const named = [...JSON.stringify(plan).matchAll(/"(\.\.\/shared\/[^"]+)"/g)].map(([, path = ""]) => path);
  return named.filter((path) => !existsSync(path));
}
