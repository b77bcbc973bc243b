import { doRuns, type PoolOptions, requireAll } from "../pool.js";
import type { RunResult } from "../result.js";
import { RunStore } from "../store.js";
import { analyseRewrite, type RewriteAnalysis } from "./analysis.js";
import { planRewriteRuns } from "./plan.js";
import type { RewriteSettings } from "./settings.js";

/** A finished experiment. */
export interface RewriteExperiment {
  readonly settings: RewriteSettings;
  readonly results: readonly RunResult[];
  readonly analysis: RewriteAnalysis;
}

/**
 * Does all runs of the string-rewrite experiment (those that the store lacks) and analyses them.
 * @throws KitError when a run fails or the experiment is stopped; finished runs stay in the store
 */
export async function runRewriteExperiment(
  settings: RewriteSettings,
  storeDirectory: string,
  options: PoolOptions = {},
): Promise<RewriteExperiment> {
  const store = new RunStore(storeDirectory);
  const results = requireAll(await doRuns(planRewriteRuns(settings), store, options));
  return { settings, results, analysis: analyseRewrite(results, settings) };
}
