import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KitError } from "../../support/errors.js";
import { localPlace } from "../places/local.js";
import type { PlannedRun } from "../plan/expand.js";
import { RunStore } from "../store.js";
import { type RunHistory, suiteHistory } from "../store/overview.js";
import { suiteByName } from "../suites.js";
import { doRuns, requireAll } from "../pool.js";
import { costOf, type RunCost } from "./size.js";

/** What a run of a plan will cost. */
export interface RunEstimate {
  readonly id: string;
  readonly arm: string;
  readonly cost: RunCost;
  /** Nothing is left to do. */
  readonly isFinished: boolean;
  /** On this machine, from start to result. */
  readonly seconds: number;
}

/** What a plan will cost. */
export interface PlanEstimate {
  readonly runs: readonly RunEstimate[];
  /** Of the runs that are not finished, with that many at the same time. */
  readonly minutes: number;
  readonly processes: number;
  /** Where the times come from. */
  readonly basis: string;
}

/** How fast this machine does runs of a suite. */
export interface MachinePace {
  /** Of training, for each process. */
  readonly flopsPerSecond: number;
  /** Of a run, besides training: start and answering. */
  readonly otherSeconds: number;
  readonly basis: string;
}

/** Optimizer steps of the run that is done to find the pace. */
const CALIBRATION_STEPS = 30;

/**
 * The cost of every run, from the lengths of its rows, and the time from the pace of this machine. Seeds of an arm have
 * nearly the same rows: the first one's stand for all.
 */
export async function estimatePlan(
  runs: readonly PlannedRun[],
  store: RunStore,
  processes: number,
  onProgress: (share: number) => void = () => undefined,
): Promise<PlanEstimate> {
  const pace = paceOf(suiteHistory(store, runs[0]?.specification.suite ?? "")) ?? (await calibrate(runs));
  const costs = new Map<string, RunCost>();
  const estimates: RunEstimate[] = [];
  for (const { specification, settings } of runs) {
    const { suite, arm, seed, id } = specification;
    const cost = costs.get(arm) ?? costOf(await suiteByName(suite).size(settings, seed));
    costs.set(arm, cost);
    estimates.push({
      id,
      arm,
      cost,
      isFinished: store.state(store.key(specification)).kind === "finished",
      seconds: pace.otherSeconds + cost.trainingFlops / pace.flopsPerSecond,
    });
    onProgress(estimates.length / runs.length);
  }
  const left = estimates.filter(({ isFinished }) => !isFinished);
  const total = left.reduce((sum, { seconds }) => sum + seconds, 0);
  const longest = Math.max(0, ...left.map(({ seconds }) => seconds));
  const together = Math.max(1, Math.min(processes, left.length));
  return {
    runs: estimates,
    minutes: Math.max(longest, total / together) / 60,
    processes: together,
    basis: pace.basis,
  };
}

/** The medians over finished runs, or undefined where there are none. */
export function paceOf(history: readonly RunHistory[]): MachinePace | undefined {
  if (history.length === 0) return undefined;
  return {
    flopsPerSecond: median(history.map(({ flops, trainingSeconds }) => flops / trainingSeconds)),
    otherSeconds: median(history.map(({ seconds, trainingSeconds }) => seconds - trainingSeconds)),
    basis: `medians of ${history.length} finished runs of the store`,
  };
}

/** Does the first run with a very small budget, outside the store. */
async function calibrate(runs: readonly PlannedRun[]): Promise<MachinePace> {
  const [first] = runs;
  if (first === undefined) throw new KitError("the plan has no runs", "leave fewer combinations out");
  const { specification, settings } = first;
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-calibration-"));
  const place = localPlace({ processes: 1 });
  const store = new RunStore(folder);
  try {
    const budget = { unit: "steps", amount: CALIBRATION_STEPS };
    const fields = await suiteByName(specification.suite).specify({ ...(settings as object), budget });
    requireAll(await doRuns([{ ...specification, ...fields }], store, { place }));
    const pace = paceOf(suiteHistory(store, specification.suite));
    if (pace === undefined) throw new Error("a calibration run leaves a history");
    return {
      ...pace,
      basis: `a calibration run of ${CALIBRATION_STEPS} steps; the store has no finished runs yet`,
    };
  } finally {
    store.close();
    await place.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
