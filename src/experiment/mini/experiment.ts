import { doRuns, type PoolOptions, requireAll } from "../pool.js";
import type { RunResult } from "../result.js";
import { RunStore } from "../store.js";
import { analyseMini, type MiniAnalysis } from "./analysis.js";
import { planMiniRuns } from "./plan.js";
import type { MiniSettings } from "./settings.js";

/** A finished experiment. */
export interface MiniExperiment {
  readonly settings: MiniSettings;
  readonly results: readonly RunResult[];
  readonly analysis: MiniAnalysis;
}

/**
 * Does all runs of the mini-world grid (those that the store lacks) and analyses them.
 * @throws KitError when a run fails or the experiment is stopped; finished runs stay in the store
 */
export async function runMiniExperiment(
  settings: MiniSettings,
  storeDirectory: string,
  options: PoolOptions = {},
): Promise<MiniExperiment> {
  const store = new RunStore(storeDirectory);
  const results = requireAll(await doRuns(planMiniRuns(settings), store, options));
  return { settings, results, analysis: analyseMini(results, settings) };
}
