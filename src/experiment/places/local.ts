import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { WorkerOrder, WorkerReply } from "../worker.js";
import type { RunOutcome, RunPlace, RunRequest, RunWatch } from "./place.js";
import { threadEnvironment } from "./threads.js";

/** How many processes of this machine do runs. */
export interface LocalPlaceOptions {
  /** At the same time; by default as many as cores, as far as the free memory allows. */
  readonly processes?: number;
  /**
   * Threads of each; by default 1, whatever the machine, because the number of threads may change the last bits of a
   * result, and because small models gain more from two processes with a thread each than from one with two.
   */
  readonly threads?: number;
}

/** Memory that one worker needs for the models of the kit's own experiments, in bytes. */
const WORKER_MEMORY = 1.5e9;
/** How long a stopped worker may take to write its checkpoint, in milliseconds. */
const STOP_PATIENCE = 20_000;
/** A worker that has done this many runs is replaced, so that what a run leaves in memory does not add up. */
const RUNS_OF_A_WORKER = 25;

/** Processes of this machine, each doing one run after another. */
export function localPlace({
  processes = defaultProcesses(),
  threads = 1,
}: LocalPlaceOptions = {}): RunPlace {
  const idle: Worker[] = [];
  return {
    name: "this machine",
    capacity: processes,
    perform: async (request, watch) => {
      const worker = idle.pop() ?? new Worker(threads);
      const outcome = await worker.perform(request, watch);
      if (outcome.kind === "finished" && worker.runs < RUNS_OF_A_WORKER) idle.push(worker);
      else await worker.end();
      return outcome;
    },
    close: async () => {
      await Promise.all(idle.splice(0).map((worker) => worker.end()));
    },
  };
}

function defaultProcesses(): number {
  const byMemory = Math.floor(process.availableMemory() / WORKER_MEMORY);
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}

class Worker {
  runs = 0;
  readonly #child: ChildProcess;
  readonly #exit: Promise<string>;

  constructor(threads: number) {
    this.#child = startWorker(threads);
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(`the worker process failed: ${error.message}`));
      this.#child.on("exit", (code, signal) => resolve(describeExit(code, signal)));
    });
  }

  async perform(request: RunRequest, watch: RunWatch): Promise<RunOutcome> {
    this.runs++;
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      this.#send({ kind: "stop" });
      killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_PATIENCE);
    };
    let listen: ((reply: WorkerReply) => void) | undefined;
    const ended = new Promise<RunOutcome>((resolve) => {
      listen = (reply) => {
        if (reply.kind === "progress") watch.onProgress(reply.progress);
        else resolve(reply.outcome);
      };
      this.#child.on("message", listen);
    });
    const gone = this.#exit.then((message): RunOutcome =>
      watch.signal.aborted ? { kind: "stopped" } : { kind: "lost", message },
    );
    if (this.#child.pid !== undefined) watch.onProcess(this.#child.pid);
    this.#send({ kind: "run", request });
    watch.signal.addEventListener("abort", stop, { once: true });
    if (watch.signal.aborted) stop();
    const outcome = await Promise.race([ended, gone]);
    clearTimeout(killer);
    watch.signal.removeEventListener("abort", stop);
    if (listen !== undefined) this.#child.off("message", listen);
    return outcome;
  }

  /** Ends the process; it has nothing to do. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  #send(order: WorkerOrder): void {
    // A process that is gone is noticed by its exit.
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }
}

function startWorker(threads: number): ChildProcess {
  const source = fileURLToPath(new URL("../worker.ts", import.meta.url));
  const live = existsSync(source);
  return fork(live ? source : fileURLToPath(new URL("../worker.js", import.meta.url)), [], {
    execArgv: live ? ["--import", new URL("../../cli/register.js", import.meta.url).href] : [],
    env: { ...process.env, ...threadEnvironment(threads) },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  const how = signal === null ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
  return `the worker process ended ${how}${signal === "SIGKILL" ? "; this is what a lack of memory looks like" : ""}`;
}
