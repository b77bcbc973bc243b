import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { KitError } from "../support/errors.js";
import type { RunProgress, RunResult, RunSpecification } from "./result.js";
import type { RunStore } from "./store.js";
import type { WorkerReply, WorkerRequest } from "./worker.js";

/** The state of an experiment while it goes on. */
export interface PoolProgress {
  readonly finished: number;
  readonly total: number;
  /** Share of the work of all runs that is done, 0 to 1; runs found in the store count as done. */
  readonly fraction: number;
  /** Of the runs at work, together. */
  readonly tokensPerSecond: number;
  /** The runs at work. */
  readonly active: readonly string[];
}

/** How the runs of an experiment are done. */
export interface PoolOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PoolProgress) => void;
  /** Processes at the same time; by default as many as cores, as far as the free memory allows. */
  readonly processes?: number;
}

/** A run that did not finish, and why; the others went on. */
export interface FailedRun {
  readonly id: string;
  readonly message: string;
}

/** What came of the runs. */
export interface PoolResult {
  readonly status: "finished" | "stopped";
  /** The finished runs, in the order of the specifications. */
  readonly results: readonly RunResult[];
  readonly failed: readonly FailedRun[];
}

/** Memory that one worker needs for the models of the kit's own experiments, in bytes. */
const WORKER_MEMORY = 1.5e9;
/** How long a stopped worker may take to write its checkpoint, in milliseconds. */
const STOP_PATIENCE = 20_000;

/**
 * Does runs in worker processes, each with its share of the cores: small models gain more from two processes with a
 * thread each than from one process with two. Runs that the store has are not done again. A run that fails leaves its
 * reason and the others go on; an abort lets the workers write their checkpoints.
 */
export async function doRuns(
  specifications: readonly RunSpecification[],
  store: RunStore,
  options: PoolOptions = {},
): Promise<PoolResult> {
  const waiting = specifications.filter((specification) => store.find(specification) === undefined);
  const processes = Math.max(1, Math.min(options.processes ?? defaultProcesses(), waiting.length));
  const threads = Math.max(1, Math.floor(availableParallelism() / processes));
  const progress = new ProgressBook(
    specifications.length,
    specifications.length - waiting.length,
    options.onProgress,
  );
  const failed: FailedRun[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (options.signal?.aborted === true) return;
      const specification = next;
      const reply = await inWorker(
        { specification, storeDirectory: store.directory },
        threads,
        options.signal,
        (step) => progress.update(specification.id, step),
      );
      progress.end(specification.id, reply.kind === "finished");
      if (reply.kind === "failed") failed.push({ id: specification.id, message: reply.message });
      else if (reply.kind === "finished" && store.find(specification) === undefined) {
        failed.push({
          id: specification.id,
          message: "the kit's sources were changed while the experiment ran",
        });
      }
    }
  };
  await Promise.all(Array.from({ length: processes }, lane));
  const results = specifications.flatMap((specification) => store.find(specification) ?? []);
  const status = results.length + failed.length < specifications.length ? "stopped" : "finished";
  return { status, results, failed };
}

function defaultProcesses(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / WORKER_MEMORY)));
}

function inWorker(
  request: WorkerRequest,
  threads: number,
  signal: AbortSignal | undefined,
  onProgress: (progress: RunProgress) => void,
): Promise<WorkerReply> {
  return new Promise((resolve) => {
    const child = startWorker(threads);
    let last: WorkerReply | undefined;
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill("SIGTERM");
      killer = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE);
    };
    signal?.addEventListener("abort", stop, { once: true });
    child.on("message", (reply: WorkerReply) => {
      if (reply.kind === "progress") onProgress(reply.progress);
      else last = reply;
    });
    child.on("error", (error) => {
      last ??= { kind: "failed", message: error.message, userError: false };
    });
    child.on("exit", (code, name) => {
      clearTimeout(killer);
      signal?.removeEventListener("abort", stop);
      if (last !== undefined) resolve(last);
      else if (signal?.aborted === true) resolve({ kind: "stopped" });
      else resolve({ kind: "failed", message: describeExit(code, name), userError: false });
    });
    child.send(request);
  });
}

function startWorker(threads: number): ChildProcess {
  const source = fileURLToPath(new URL("./worker.ts", import.meta.url));
  const live = existsSync(source);
  return fork(live ? source : fileURLToPath(new URL("./worker.js", import.meta.url)), [], {
    execArgv: live ? ["--import", new URL("../cli/register.js", import.meta.url).href] : [],
    env: {
      ...process.env,
      TF_NUM_INTRAOP_THREADS: String(threads),
      TF_NUM_INTEROP_THREADS: "1",
      OMP_NUM_THREADS: String(threads),
      IFT_KIT_THREADS: String(threads),
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  const how = signal === null ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
  return `the worker process ended ${how}${signal === "SIGKILL" ? "; this is what a lack of memory looks like" : ""}`;
}

/** Adds up what the workers tell. */
class ProgressBook {
  readonly #active = new Map<string, RunProgress>();
  #finished: number;
  readonly #total: number;
  readonly #tell: ((progress: PoolProgress) => void) | undefined;

  constructor(total: number, finished: number, tell: ((progress: PoolProgress) => void) | undefined) {
    this.#total = total;
    this.#finished = finished;
    this.#tell = tell;
    this.#publish();
  }

  update(id: string, progress: RunProgress): void {
    this.#active.set(id, progress);
    this.#publish();
  }

  end(id: string, finished: boolean): void {
    this.#active.delete(id);
    if (finished) this.#finished++;
    this.#publish();
  }

  #publish(): void {
    const active = [...this.#active.values()];
    const sum = (of: (progress: RunProgress) => number): number =>
      active.reduce((total, progress) => total + of(progress), 0);
    this.#tell?.({
      finished: this.#finished,
      total: this.#total,
      fraction: (this.#finished + sum((progress) => progress.fraction)) / Math.max(1, this.#total),
      tokensPerSecond: sum((progress) => progress.tokensPerSecond),
      active: [...this.#active.keys()],
    });
  }
}

/**
 * The results, or an error when a run failed or the experiment was stopped.
 * @throws KitError with the first failure's reason
 */
export function requireAll({ status, results, failed }: PoolResult): readonly RunResult[] {
  const [first] = failed;
  if (first !== undefined) {
    throw new KitError(
      `${failed.length} of the runs failed, the first was ${first.id}: ${first.message}`,
      "mend the cause and run the same command again; finished runs are kept",
    );
  }
  if (status === "stopped")
    throw new KitError("the experiment was stopped", "run the same command again to go on");
  return results;
}
