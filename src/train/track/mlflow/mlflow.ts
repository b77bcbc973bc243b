import { existsSync } from "node:fs";
import { z } from "zod";
import { KitError, messageOf } from "../../../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../../../support/files.js";
import type { StepRecord } from "../../progress.js";
import { scalarsOf } from "../scalars.js";
import type { RunEnd, Tracker } from "../tracker.js";
import { BATCH_METRICS, MlflowClient, mlflowName, type MlflowMetric, type MlflowServer } from "./client.js";

/** What a run is called on the server, and where the kit remembers it. */
export interface MlflowRun {
  readonly server: MlflowServer;
  readonly experiment: string;
  readonly name: string;
  /** What the run was made with, as text. */
  readonly parameters: Readonly<Record<string, string>>;
  /** File that holds the run's id and how many steps the server has, so that a resumed run goes on in the same run. */
  readonly stateFile: string;
}

/** How often steps are sent. */
const INTERVAL_MS = 2000;

const STATUS = { finished: "FINISHED", stopped: "KILLED", failed: "FAILED" } as const;

const stateSchema = z.strictObject({ uri: z.string(), run: z.string(), steps: z.int().min(0) });
type State = z.infer<typeof stateSchema>;

/**
 * Logs a run on an MLflow server, in the background. A server that fails does not hold up training: it is said once, and
 * what it lacks is sent with the next steps, at the end, or when the run is resumed.
 */
export class MlflowTracker implements Tracker {
  readonly #run: MlflowRun;
  readonly #client: MlflowClient;
  /** All steps of the run, of which the server has the first `steps`. */
  readonly #records: { readonly record: StepRecord; readonly timestamp: number }[] = [];
  #state: State | undefined;
  #open = false;
  #sending: Promise<void> | undefined;
  #lastSent = 0;
  #complained = false;

  constructor(run: MlflowRun) {
    this.#run = run;
    this.#client = new MlflowClient(run.server);
    this.#state = this.#remembered();
  }

  start(history: readonly StepRecord[]): void {
    const now = Date.now();
    const { seconds: total = 0 } = history.at(-1) ?? {};
    for (const record of history) {
      this.#records.push({ record, timestamp: Math.round(now - (total - record.seconds) * 1000) });
    }
    this.#send();
  }

  step(record: StepRecord): void {
    this.#records.push({ record, timestamp: Date.now() });
    if (Date.now() - this.#lastSent >= INTERVAL_MS) this.#send();
  }

  async end(how: RunEnd): Promise<void> {
    await this.#sending;
    await this.#attempt(async () => {
      const { run } = await this.#deliver();
      await this.#client.setStatus(run, STATUS[how]);
    });
  }

  /** Sends what is new, unless something is on its way. */
  #send(): void {
    if (this.#sending !== undefined) return;
    this.#lastSent = Date.now();
    this.#sending = this.#attempt(async () => {
      await this.#deliver();
    }).finally(() => {
      this.#sending = undefined;
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#complained)
        console.error(`ift-kit: training goes on, MLflow does not follow: ${messageOf(error)}`);
      this.#complained = true;
    }
  }

  async #deliver(): Promise<State> {
    let state = await this.#openRun();
    // Steps that the server has and a resumed run takes again have the same numbers.
    while (state.steps < this.#records.length) {
      const part: MlflowMetric[] = [];
      let { steps } = state;
      for (; steps < this.#records.length; steps++) {
        const metrics = this.#metricsOf(steps);
        if (part.length > 0 && part.length + metrics.length > BATCH_METRICS) break;
        part.push(...metrics);
      }
      for (let first = 0; first < part.length; first += BATCH_METRICS) {
        await this.#client.logMetrics(state.run, part.slice(first, first + BATCH_METRICS));
      }
      state = this.#remember({ ...state, steps });
    }
    return state;
  }

  #metricsOf(index: number): MlflowMetric[] {
    const entry = this.#records[index];
    if (entry === undefined) return [];
    const { record, timestamp } = entry;
    return scalarsOf(record).map(([name, value]) => ({
      key: mlflowName(name),
      value,
      timestamp,
      step: record.step,
    }));
  }

  /** The run on the server: the one that is remembered, if it is still there, or a new one. */
  async #openRun(): Promise<State> {
    const remembered = this.#state;
    if (remembered !== undefined && this.#open) return remembered;
    const { experiment, name, parameters, server } = this.#run;
    let state: State;
    if (remembered !== undefined && (await this.#client.hasRun(remembered.run))) {
      state = remembered;
      await this.#client.setStatus(state.run, "RUNNING");
    } else {
      const run = await this.#client.createRun(await this.#client.experiment(experiment), name);
      state = this.#remember({ uri: server.uri, run, steps: 0 });
      await this.#client.logParameters(run, parameters);
    }
    this.#open = true;
    return state;
  }

  #remember(state: State): State {
    writeFileAtomic(this.#run.stateFile, `${JSON.stringify(state)}\n`);
    this.#state = state;
    return state;
  }

  #remembered(): State | undefined {
    const { stateFile, server } = this.#run;
    if (!existsSync(stateFile)) return undefined;
    const parsed = stateSchema.safeParse(readJsonFile(stateFile));
    return parsed.success && parsed.data.uri === server.uri ? parsed.data : undefined;
  }
}

/**
 * The server that a config or the environment names: MLFLOW_TRACKING_URI and, where it wants one, MLFLOW_TRACKING_TOKEN.
 * @param uri goes before the environment's
 * @throws KitError for an address that is not one of a server, or that has a password in it
 */
export function mlflowServer(
  environment: Readonly<Record<string, string | undefined>>,
  uri: string | undefined = environment.MLFLOW_TRACKING_URI,
): MlflowServer | undefined {
  if (uri === undefined || uri === "") return undefined;
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new KitError("the address of the MLflow server is not one of HTTP", "give http://HOST:PORT", {
      field: "MLFLOW_TRACKING_URI",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new KitError(
      "the address of the MLflow server has a password in it, which would be written down with the run",
      "take it out and set MLFLOW_TRACKING_TOKEN",
      { field: "MLFLOW_TRACKING_URI" },
    );
  }
  const token = environment.MLFLOW_TRACKING_TOKEN;
  return { uri, ...(token === undefined || token === "" ? {} : { token }) };
}
