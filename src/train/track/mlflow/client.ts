import { z } from "zod";
import { KitError, messageOf } from "../../../support/errors.js";

/** Where an MLflow server is, and what opens it. */
export interface MlflowServer {
  /** Such as "http://localhost:5000". */
  readonly uri: string;
  /** Sent as a bearer token; only ever taken from the environment, and never written anywhere. */
  readonly token?: string;
}

/** A point of a curve. */
export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** MLflow's words for where a run is. */
export type MlflowStatus = "RUNNING" | "FINISHED" | "FAILED" | "KILLED";

/** A server that does not answer must not hold up the end of a run. */
const TIMEOUT_MS = 10_000;
/** Limits of one request of `log-batch` (MLflow, REST API). */
export const BATCH_METRICS = 1000;
const BATCH_PARAMETERS = 100;
const PARAMETER_CHARACTERS = 500;

const experimentSchema = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const createdExperimentSchema = z.object({ experiment_id: z.string() });
const runSchema = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });

/** The part of MLflow's REST API (2.0) that a run needs. Every method throws KitError where the server does not do it. */
export class MlflowClient {
  readonly #server: MlflowServer;

  constructor(server: MlflowServer) {
    this.#server = server;
  }

  /** The id of an experiment by name; it is made where there is none. */
  async experiment(name: string): Promise<string> {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    const found = await this.#call("GET", query, undefined, [404]);
    if (found !== undefined) return parse(experimentSchema, found).experiment.experiment_id;
    return parse(createdExperimentSchema, await this.#call("POST", "experiments/create", { name }))
      .experiment_id;
  }

  /** Makes a run. @returns its id */
  async createRun(experiment: string, name: string): Promise<string> {
    const body = { experiment_id: experiment, run_name: name, start_time: Date.now() };
    return parse(runSchema, await this.#call("POST", "runs/create", body)).run.info.run_id;
  }

  /** Whether the server has the run. */
  async hasRun(run: string): Promise<boolean> {
    const path = `runs/get?run_id=${encodeURIComponent(run)}`;
    return (await this.#call("GET", path, undefined, [404])) !== undefined;
  }

  /** @param metrics `BATCH_METRICS` of them at most */
  async logMetrics(run: string, metrics: readonly MlflowMetric[]): Promise<void> {
    await this.#call("POST", "runs/log-batch", { run_id: run, metrics });
  }

  /** Logs what a run was made with; long values are cut. */
  async logParameters(run: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const params = Object.entries(parameters).map(([key, value]) => ({
      key: mlflowName(key),
      value: value.slice(0, PARAMETER_CHARACTERS),
    }));
    for (let first = 0; first < params.length; first += BATCH_PARAMETERS) {
      const part = params.slice(first, first + BATCH_PARAMETERS);
      await this.#call("POST", "runs/log-batch", { run_id: run, params: part });
    }
  }

  async setStatus(run: string, status: MlflowStatus): Promise<void> {
    const ended = status === "RUNNING" ? {} : { end_time: Date.now() };
    await this.#call("POST", "runs/update", { run_id: run, status, ...ended });
  }

  /** @param absent codes that mean that there is no such thing: then undefined is returned */
  async #call(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
    absent: readonly number[] = [],
  ): Promise<unknown> {
    const { uri, token } = this.#server;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${uri.replace(/\/+$/, "")}/api/2.0/mlflow/${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      throw new KitError(
        `the MLflow server at ${uri} does not answer (${messageOf(cause)})`,
        "start it, or unset MLFLOW_TRACKING_URI",
      );
    }
    if (absent.includes(response.status)) return undefined;
    if (response.ok) return JSON.parse(text === "" ? "{}" : text);
    const unauthorized = response.status === 401 || response.status === 403;
    throw new KitError(
      `MLflow refused ${path.replace(/\?.*/, "")} with ${response.status} (${text.slice(0, 200)})`,
      unauthorized ? "set MLFLOW_TRACKING_TOKEN" : "look at the log of the server",
    );
  }
}

/** A name as MLflow takes it: letters, digits, "_", "-", ".", " ", ":" and "/". */
export function mlflowName(name: string): string {
  return name.replaceAll(/[^\w\-. :/]/g, "_").slice(0, 250);
}

function parse<Value>(schema: z.ZodType<Value>, answer: unknown): Value {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new KitError("the MLflow server gave an answer that is not MLflow's", "check MLFLOW_TRACKING_URI");
}
