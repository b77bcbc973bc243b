import type { RunProgress, RunResult, RunSpecification } from "./result.js";

/** What a run is given besides its specification. */
export interface RunContext {
  readonly key: string;
  /** Hash of the code that decides the result, for the manifest. */
  readonly sourceHash: string;
  /** A folder of the run's own, for its checkpoint. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
}

/** Does one run; undefined when it was stopped (it has left a checkpoint and goes on when asked again). */
export type RunSuite = (
  specification: RunSpecification,
  context: RunContext,
) => Promise<RunResult | undefined>;
