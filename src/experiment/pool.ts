import { setTimeout as pause } from "node:timers/promises";
import { KitError, messageOf } from "../support/errors.js";
import { localPlace } from "./places/local.js";
import type { RunOutcome, RunPlace, RunRequest } from "./places/place.js";
import { type PoolProgress, ProgressBook } from "./progress-book.js";
import type { RunResult, RunSpecification } from "./result.js";
import type { RunClaim, RunStore } from "./store.js";
import { readRunResult } from "./store/result-file.js";

export type { PoolProgress } from "./progress-book.js";

/** How the runs of an experiment are done. */
export interface PoolOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PoolProgress) => void;
  /** Called when a run has failed or was lost; the others go on. */
  readonly onTrouble?: (run: FailedRun, isTriedAgain: boolean) => void;
  /** Where; by default processes of this machine, as many as memory and cores allow. */
  readonly place?: RunPlace;
  /** Of this machine at the same time, where no place is given. */
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

/** How often a run is started again whose process or machine was lost. */
const RETRIES = 2;
/** How often claims are renewed, in milliseconds; far below their life. */
const RENEW_EVERY = 5_000;
/** How often is looked whether runs of other processes have ended, in milliseconds. */
const LOOK_EVERY = 500;

/**
 * Does the runs that the store lacks. A run that fails leaves its reason in the store and the others go on; a run whose
 * process or machine was lost is started again; an abort lets the runs at work write their checkpoints. Runs that
 * another process works on are left to it and waited for, and taken over when it dies.
 */
export async function doRuns(
  specifications: readonly RunSpecification[],
  store: RunStore,
  options: PoolOptions = {},
): Promise<PoolResult> {
  const place =
    options.place ?? localPlace(options.processes === undefined ? {} : { processes: options.processes });
  store.register(specifications);
  const grid = new Grid(specifications, store, place, options);
  try {
    await grid.work();
  } finally {
    if (options.place === undefined) await place.close();
  }
  const results = specifications.flatMap((specification) => store.find(specification) ?? []);
  const isStopped = results.length + grid.failed.length < specifications.length;
  return { status: isStopped ? "stopped" : "finished", results, failed: grid.failed };
}

interface WaitingRun {
  readonly key: string;
  /** All runs of the experiment that are this one. */
  readonly specifications: readonly RunSpecification[];
  readonly id: string;
  /** How often it was lost. */
  losses: number;
}

/** The runs of one call of `doRuns`. */
class Grid {
  readonly failed: FailedRun[] = [];
  readonly #store: RunStore;
  readonly #place: RunPlace;
  readonly #options: PoolOptions;
  readonly #book: ProgressBook;
  readonly #stop = new AbortController();
  readonly #began = Date.now();
  #waiting: WaitingRun[];

  constructor(
    specifications: readonly RunSpecification[],
    store: RunStore,
    place: RunPlace,
    options: PoolOptions,
  ) {
    this.#store = store;
    this.#place = place;
    this.#options = options;
    const runs = new Map<string, WaitingRun & { specifications: RunSpecification[] }>();
    for (const specification of specifications) {
      const key = store.key(specification);
      const run = runs.get(key);
      if (run === undefined) {
        runs.set(key, { key, id: specification.id, specifications: [specification], losses: 0 });
      } else run.specifications.push(specification);
    }
    this.#book = new ProgressBook(runs.size, options.onProgress);
    this.#waiting = [...runs.values()];
    // Reading a result finds one whose file was damaged, which is then done again.
    for (const run of this.#waiting) store.resultOf(run.key);
  }

  /** Resolves when every run is finished or failed, or all have stopped. */
  async work(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => this.#stop.abort();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) stop();
    this.#book.publish();
    try {
      const ends = await Promise.allSettled(
        Array.from({ length: this.#place.capacity }, async () => this.#lane().catch(this.#broken)),
      );
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** A defect or a full disk: the other lanes stop in good order, too. */
  readonly #broken = (error: unknown): never => {
    this.#stop.abort();
    throw error;
  };

  async #lane(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const next = this.#take();
      if (next === "none") return;
      if (next === "busy")
        await pause(LOOK_EVERY, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      else await this.#do(next.run, next.claim);
    }
  }

  /** The next run with a claim on it; "busy" when all that are left are being done by others. */
  #take(): { readonly run: WaitingRun; readonly claim: RunClaim } | "busy" | "none" {
    for (const run of [...this.#waiting]) {
      const state = this.#store.state(run.key);
      if (state.kind === "finished") {
        this.#remove(run);
        this.#book.end(run.id, true);
      } else if (state.kind === "failed" && state.at >= this.#began) {
        this.#remove(run);
        this.#fail(run, state.reason);
      } else if (state.kind !== "claimed") {
        const claim = this.#store.claim(run.key);
        if (claim === undefined) continue;
        this.#remove(run);
        return { run, claim };
      }
    }
    return this.#waiting.length === 0 ? "none" : "busy";
  }

  #remove(run: WaitingRun): void {
    this.#waiting = this.#waiting.filter((other) => other !== run);
  }

  async #do(run: WaitingRun, claim: RunClaim): Promise<void> {
    const [specification] = run.specifications;
    if (specification === undefined) return;
    const workFolder = this.#store.workFolder(run.key);
    const request: RunRequest = {
      version: 1,
      key: run.key,
      specification,
      workFolder,
      resultFile: `${workFolder}/result.json`,
    };
    const outcome = await this.#perform(request, run, claim);
    if (outcome.kind === "finished") this.#takeResult(run, claim, request.resultFile);
    else if (outcome.kind === "stopped") {
      this.#store.giveUp(claim, { outcome: "stopped" });
      this.#book.end(run.id, false);
      this.#waiting.push(run); // taken over by another process: its result is waited for
    } else if (outcome.kind === "lost" && run.losses++ < RETRIES) {
      this.#store.giveUp(claim, { outcome: "lost", reason: outcome.message });
      this.#book.end(run.id, false);
      this.#options.onTrouble?.({ id: run.id, message: outcome.message }, true);
      this.#waiting.push(run);
    } else {
      this.#store.giveUp(claim, { outcome: "failed", reason: outcome.message });
      this.#fail(run, outcome.message);
    }
  }

  /** Has the place do the run, and renews the claim until it has ended. */
  async #perform(request: RunRequest, run: WaitingRun, claim: RunClaim): Promise<RunOutcome> {
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    this.#stop.signal.addEventListener("abort", abort, { once: true });
    if (this.#stop.signal.aborted) abort();
    let fraction = 0;
    const renewal = setInterval(() => {
      try {
        if (!this.#store.renew(claim, fraction)) abort();
      } catch {
        abort(); // without a claim the run must not go on; taking its result will say what is wrong with the store
      }
    }, RENEW_EVERY);
    try {
      return await this.#place.perform(request, {
        signal: stop.signal,
        onProgress: (progress) => {
          ({ fraction } = progress);
          this.#book.update(run.id, progress);
        },
        onProcess: (pid) => this.#store.shareClaim(claim, pid),
      });
    } finally {
      clearInterval(renewal);
      this.#stop.signal.removeEventListener("abort", abort);
    }
  }

  #takeResult(run: WaitingRun, claim: RunClaim, file: string): void {
    let result: RunResult;
    try {
      result = readRunResult(file);
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      this.#store.giveUp(claim, { outcome: "failed", reason: messageOf(error) });
      this.#fail(run, messageOf(error));
      return;
    }
    const isTaken = this.#store.finish(claim, result);
    if (!isTaken) this.#waiting.push(run); // another process had taken it over: its result counts
    this.#book.end(run.id, isTaken);
  }

  #fail(run: WaitingRun, message: string): void {
    for (const { id } of run.specifications) this.failed.push({ id, message });
    this.#book.end(run.id, false);
    this.#options.onTrouble?.({ id: run.id, message }, false);
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
