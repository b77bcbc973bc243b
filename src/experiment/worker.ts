import { performRun } from "./places/perform.js";
import type { RunOutcome, RunRequest } from "./places/place.js";
import type { RunProgress } from "./result.js";

/** What a worker process is told. */
export type WorkerOrder = { readonly kind: "run"; readonly request: RunRequest } | { readonly kind: "stop" };

/** What a worker process tells. */
export type WorkerReply =
  | { readonly kind: "progress"; readonly progress: RunProgress }
  | { readonly kind: "ended"; readonly outcome: RunOutcome };

/** The body of a worker process of this machine: one run after another, until nobody asks any more. */
function serve(): void {
  let stop = new AbortController();
  // A scheduler that is gone is noticed by the "disconnect", not by each message that does not reach it.
  const tell = (reply: WorkerReply): void =>
    void process.send?.(reply, undefined, undefined, () => undefined);
  // Ctrl-C reaches the whole group of processes; the run stops after its step, and the scheduler decides about the rest.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  process.on("disconnect", () => process.exit(1)); // the scheduler is gone: nobody waits for the result
  process.on("message", (order: WorkerOrder) => {
    if (order.kind === "stop") {
      stop.abort();
      return;
    }
    stop = new AbortController();
    const onProgress = (progress: RunProgress): void => tell({ kind: "progress", progress });
    void performRun(order.request, { signal: stop.signal, onProgress }).then((outcome) =>
      tell({ kind: "ended", outcome }),
    );
  });
}

serve();
