import { analysePlan, type FinishedRun } from "../../experiment/plan/analysis.js";
import type { PlannedRun } from "../../experiment/plan/expand.js";
import { type CheckedPlan, parsePlan } from "../../experiment/plan/plan.js";
import type { FailedRun } from "../../experiment/pool.js";
import type { RunStore } from "../../experiment/store.js";
import type { PlanStatus } from "../../experiment/store/overview.js";
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

/**
 * The report of a plan as a store has it, whatever the code is now; undefined while none of its runs is finished. Results
 * are found by the keys that were written down when the plan was run.
 * @throws KitError when the stored plan is not of this version
 */
export function reportOfStoredPlan({ plan: stored, runs }: PlanStatus, store: RunStore): Report | undefined {
  const plan = parsePlan(stored);
  const found = runs.map(({ key, id, arm, levels, state }) => {
    const result = store.resultOf(key);
    const message = state.kind === "failed" ? state.reason : `it is ${state.kind}`;
    return result === undefined
      ? { missing: { id, message } }
      : { run: { levels, result: { ...result, arm } } };
  });
  const finished = found.flatMap(({ run }) => run ?? []);
  if (finished.length === 0) return undefined;
  const missing = found.flatMap((one) => one.missing ?? []);
  return planReport(plan, finished, missing, analysePlan(plan, finished));
}
