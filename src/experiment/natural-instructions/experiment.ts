import { floors, type Floors } from "../../evaluate/floors.js";
import { doRuns, type PoolOptions, requireAll } from "../pool.js";
import type { RunResult } from "../result.js";
import { RunStore } from "../store.js";
import { analyseInstructions, answeredByAll, type InstructionAnalysis } from "./analysis.js";
import { planInstructionRuns } from "./plan.js";
import { type InstructionRows, readInstructionRows } from "./rows.js";
import { type InstructionSettings, runSettingsOf } from "./settings.js";

/** A finished experiment. */
export interface InstructionExperiment {
  readonly settings: InstructionSettings;
  readonly rows: InstructionRows;
  readonly results: readonly RunResult[];
  readonly analysis: InstructionAnalysis;
  /** What can be scored without a model, for each held-out task type, on the rows that all runs answered. */
  readonly floors: readonly Floors[];
}

/**
 * Reads and checks the rows, does all runs that the store lacks, and analyses them.
 * @throws KitError for bad data (before any training), when a run fails, or when the experiment is stopped
 */
export async function runInstructionExperiment(
  settings: InstructionSettings,
  storeDirectory: string,
  options: PoolOptions = {},
): Promise<InstructionExperiment> {
  const rows = await readInstructionRows(runSettingsOf(settings, "ift"));
  const store = new RunStore(storeDirectory);
  const results = requireAll(await doRuns(planInstructionRuns(settings), store, options));
  const answered = new Set(answeredByAll(results).flatMap((result) => result.rows.map(({ id }) => id)));
  return {
    settings,
    rows,
    results,
    analysis: analyseInstructions(results),
    floors: floors(
      rows.train,
      rows.heldOutTest.filter(({ id }) => answered.has(id)),
      { match: "normalized", stem: true },
    ),
  };
}
