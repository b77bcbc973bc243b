import { KitError, messageOf } from "../support/errors.js";
import type { RunProgress, RunSpecification } from "./result.js";
import { RunStore } from "./store.js";
import { suiteByName } from "./suites.js";

/** What the pool asks of a worker process. */
export interface WorkerRequest {
  readonly specification: RunSpecification;
  readonly storeDirectory: string;
}

/** What a worker process tells the pool. */
export type WorkerReply =
  | { readonly kind: "progress"; readonly progress: RunProgress }
  | { readonly kind: "finished" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string; readonly userError: boolean };

/** The body of a worker process: one run, then it ends. */
function serve(): void {
  const stop = new AbortController();
  // Ctrl-C reaches the whole group of processes; the run stops after its step, and the pool decides about the rest.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  process.on("disconnect", () => process.exit(1)); // the pool is gone: nobody waits for the result
  process.once("message", (request) => {
    void work(request as WorkerRequest, stop.signal).then((reply) => {
      process.send?.(reply, undefined, undefined, () => process.exit(reply.kind === "failed" ? 1 : 0));
    });
  });
}

async function work(request: WorkerRequest, signal: AbortSignal): Promise<WorkerReply> {
  const { specification, storeDirectory } = request;
  try {
    const store = new RunStore(storeDirectory);
    const run = await suiteByName(specification.suite);
    const result = await run(specification, {
      key: store.key(specification),
      workFolder: store.workFolder(specification),
      signal,
      onProgress: (progress) => process.send?.({ kind: "progress", progress } satisfies WorkerReply),
    });
    if (result === undefined) return { kind: "stopped" };
    store.write(specification, result);
    store.removeWorkFolder(specification);
    return { kind: "finished" };
  } catch (error) {
    const userError = error instanceof KitError;
    const message =
      userError || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
    return { kind: "failed", message, userError };
  }
}

serve();
