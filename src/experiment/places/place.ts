import { z } from "zod";
import type { RunProgress, RunSpecification } from "../result.js";

/** What is done where: one run, its own files, and where its result goes. */
export interface RunRequest {
  readonly version: 1;
  /** Content address of the run: code or engine that would give another one is refused. */
  readonly key: string;
  readonly specification: RunSpecification;
  /** Folder for checkpoints; a run goes on from what it has. */
  readonly workFolder: string;
  /** Written whole when the run is finished. */
  readonly resultFile: string;
}

/** How an attempt at a run ended. */
export type RunOutcome =
  /** The result stands in the request's file. */
  | { readonly kind: "finished" }
  /** The signal stopped it; what it had done is kept where the place can. */
  | { readonly kind: "stopped" }
  /** It would fail again. */
  | { readonly kind: "failed"; readonly message: string }
  /** The place failed, not the run: a process or machine was lost. The run is tried again. */
  | { readonly kind: "lost"; readonly message: string };

/** What is told about a run while it is at work. */
export interface RunWatch {
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
  /** The run is done by another process of this machine, which may outlive this one. */
  readonly onProcess: (pid: number) => void;
}

/**
 * Where runs are done: processes of this machine (`localPlace`), or other machines. The scheduler (`doRuns`) holds the
 * claim on each run, asks for at most `capacity` at a time, and takes results into the store, so that a place needs to
 * know neither store nor plan. A place on other machines sends the request, has
 * `node src/cli/ift-kit.js experiment work REQUEST` done there, and brings the result file back.
 */
export interface RunPlace {
  /** For messages: "this machine", an address. */
  readonly name: string;
  /** Runs at the same time. */
  readonly capacity: number;
  /** Does one run. Never rejects: what goes wrong is an outcome. */
  readonly perform: (request: RunRequest, watch: RunWatch) => Promise<RunOutcome>;
  /** Ends what the place keeps running. */
  readonly close: () => Promise<void>;
}

/** The schema of a request that comes from a file. */
export const runRequestSchema: z.ZodType<RunRequest> = z.strictObject({
  version: z.literal(1),
  key: z.string().regex(/^[0-9a-f]{64}$/, "give a SHA-256 of 64 hexadecimal digits"),
  specification: z.looseObject({
    suite: z.string(),
    id: z.string(),
    arm: z.string(),
    seed: z.int().min(0),
  }),
  workFolder: z.string().min(1),
  resultFile: z.string().min(1),
});
