import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { KitError, messageOf } from "../../../support/errors.js";
import type { RunOutcome, RunPlace, RunRequest, RunWatch } from "../place.js";
import { threadEnvironment } from "../threads.js";
import { progressOf } from "../work.js";
import { ClusterUnreachable, type JobResources, type JobState, RayClient } from "./client.js";
import { type HandOver, sharedFolder, upload } from "./hand-over.js";

/** Which cluster, and how runs are done there. */
export interface RayPlaceOptions {
  /** Of Ray's dashboard: `http://HOST:PORT`, or `ray://HOST`. */
  readonly address: string;
  /** What each run asks for; by default one processor. A run computes with as many threads as processors. */
  readonly resources?: JobResources;
  /** Runs at the same time; by default as many as the living nodes hold when it starts. Ray queues what is too much. */
  readonly capacity?: number;
  /** Path of the kit on the nodes, the same version and set up; by default the path of this one. */
  readonly kit?: string;
  /**
   * - "shared": the nodes see the store's folder under the same path;
   * - "upload": they do not; requests and results go through this process, which they reach at `host`.
   */
  readonly store?: { readonly kind: "shared" } | { readonly kind: "upload"; readonly host: string };
  /** Gets what the runs print, line by line. */
  readonly onLog?: (runId: string, line: string) => void;
  /** Between two looks at a job, in milliseconds. Default: 1,000. */
  readonly pollEvery?: number;
}

/** How long a stopped job may take to write its checkpoint, in milliseconds. */
const STOP_PATIENCE = 30_000;
/** How long the cluster may be out of reach before its runs count as lost, in milliseconds. */
const SILENCE_PATIENCE = 60_000;

const KIT_FOLDER = fileURLToPath(new URL("../../../..", import.meta.url));

/**
 * A Ray cluster, through its Jobs REST API: each run is a job. A job that ends without having said how (its process was
 * killed, its node was lost) counts as lost, and the scheduler starts the run again.
 * @throws KitError when the cluster does not answer, or has no node for such runs
 */
export async function rayPlace(options: RayPlaceOptions): Promise<RunPlace> {
  const client = new RayClient(options.address);
  const resources = options.resources ?? { cpus: 1, gpus: 0 };
  const version = await client.version();
  const capacity = options.capacity ?? (await client.capacity(resources));
  if (capacity < 1) {
    throw new KitError(
      `no node of the Ray cluster at ${client.address} has ${describeNeeds(resources)} for a run`,
      "ask for less, or add a node",
    );
  }
  const store = options.store ?? { kind: "shared" };
  const handOver = store.kind === "shared" ? sharedFolder() : await upload(store.host);
  return {
    name: `Ray ${version} at ${client.address}`,
    capacity,
    perform: (request, watch) => new RayJob(client, handOver, resources, options, request, watch).perform(),
    close: () => handOver.close(),
  };
}

class RayJob {
  readonly #client: RayClient;
  readonly #handOver: HandOver;
  readonly #resources: JobResources;
  readonly #options: RayPlaceOptions;
  readonly #request: RunRequest;
  readonly #watch: RunWatch;
  readonly #id: string;
  /** Characters of the job's output that were dealt with. */
  #read = 0;

  constructor(
    client: RayClient,
    handOver: HandOver,
    resources: JobResources,
    options: RayPlaceOptions,
    request: RunRequest,
    watch: RunWatch,
  ) {
    this.#client = client;
    this.#handOver = handOver;
    this.#resources = resources;
    this.#options = options;
    this.#request = request;
    this.#watch = watch;
    this.#id = `ift-kit-${request.key.slice(0, 12)}-${randomBytes(6).toString("hex")}`;
  }

  async perform(): Promise<RunOutcome> {
    if (this.#watch.signal.aborted) return { kind: "stopped" };
    const { source, environment } = this.#handOver.offer(this.#request);
    try {
      await this.#submit(source, environment);
      const state = await this.#end();
      return this.#outcome(state);
    } catch (error) {
      if (isAborted(this.#watch)) return { kind: "stopped" };
      return { kind: error instanceof ClusterUnreachable ? "lost" : "failed", message: messageOf(error) };
    } finally {
      this.#handOver.withdraw(this.#request);
    }
  }

  async #submit(source: string, environment: Readonly<Record<string, string>>): Promise<void> {
    const { key, specification } = this.#request;
    const threads = Math.max(1, Math.floor(this.#resources.cpus));
    const command = `${this.#options.kit ?? KIT_FOLDER}/src/cli/ift-kit.js`.replace(/\/+/g, "/");
    await this.#client.submit({
      id: this.#id,
      entrypoint: `exec node ${quote(command)} experiment work ${quote(source)}`,
      resources: this.#resources,
      metadata: { run: specification.id, suite: specification.suite, key },
      environment: { ...environment, ...threadEnvironment(threads) },
    });
  }

  /** Follows the job until it has ended. When the run is to stop, the job is told, and given time for its checkpoint. */
  async #end(): Promise<JobState> {
    const { signal } = this.#watch;
    const every = this.#options.pollEvery ?? 1000;
    let heard = performance.now();
    let stopped: number | undefined;
    for (;;) {
      if (isAborted(this.#watch) && stopped === undefined) {
        stopped = performance.now();
        await this.#client.stop(this.#id);
      }
      try {
        const state = await this.#client.state(this.#id);
        heard = performance.now();
        if (state.status !== "PENDING") await this.#follow();
        if (state.status !== "PENDING" && state.status !== "RUNNING") return state;
      } catch (error) {
        // A head that is started again has forgotten the job; one that is out of reach for a while has not.
        if (!(error instanceof ClusterUnreachable)) return { status: "FAILED", message: messageOf(error) };
        if (performance.now() - heard > SILENCE_PATIENCE) throw error;
      }
      if (stopped !== undefined && performance.now() - stopped > STOP_PATIENCE) {
        return { status: "STOPPED", message: "it did not end in time" };
      }
      await pause(every, undefined, stopped === undefined ? { signal } : {}).catch(() => undefined);
    }
  }

  /** Hands on what the job has printed since the last time. */
  async #follow(): Promise<void> {
    const logs = await this.#client.logs(this.#id);
    const end = logs.lastIndexOf("\n") + 1;
    for (const line of logs.slice(this.#read, end).split("\n").slice(0, -1)) {
      const progress = progressOf(line);
      if (progress !== undefined) this.#watch.onProgress(progress);
      else if (line.trim() !== "") this.#options.onLog?.(this.#request.specification.id, line);
    }
    this.#read = Math.max(this.#read, end);
  }

  #outcome({ status, message }: JobState): RunOutcome {
    const told = this.#handOver.outcome(this.#request);
    if (told !== undefined && !(told.kind === "stopped" && !this.#watch.signal.aborted)) return told;
    if (this.#watch.signal.aborted) return { kind: "stopped" };
    return { kind: "lost", message: `the job ended as ${status} without a result: ${message}` };
  }
}

function describeNeeds({ cpus, gpus, memory }: JobResources): string {
  const parts = [
    `${cpus} processors`,
    ...(gpus > 0 ? [`${gpus} GPUs`] : []),
    ...(memory === undefined ? [] : [`${(memory / 2 ** 30).toFixed(1)} GiB`]),
  ];
  return parts.join(", ");
}

/** Asked again after each wait: what the compiler knows of a signal is old by then. */
function isAborted({ signal }: RunWatch): boolean {
  return signal.aborted;
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
