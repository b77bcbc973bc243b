import { analysePlan, type FinishedRun } from "../../experiment/plan/analysis.js";
import type { PlannedRun } from "../../experiment/plan/expand.js";
import type { CheckedPlan } from "../../experiment/plan/plan.js";
import type { FailedRun } from "../../experiment/pool.js";
import type { RunStore } from "../../experiment/store.js";
import type { Report } from "../report.js";
import { planReport } from "./plan.js";

/**
 * The report of a plan from the runs that the store has, in the order of the plan; undefined while it has none.
 * @param failed runs that are not there, and why
 */
export function reportOfPlan(
  plan: CheckedPlan,
  runs: readonly PlannedRun[],
  store: RunStore,
  failed: readonly FailedRun[] = [],
): Report | undefined {
  const finished = runs.flatMap(({ specification, levels }): FinishedRun[] => {
    const result = store.find(specification);
    return result === undefined ? [] : [{ levels, result }];
  });
  if (finished.length === 0) return undefined;
  return planReport(plan, finished, failed, analysePlan(plan, finished));
}
