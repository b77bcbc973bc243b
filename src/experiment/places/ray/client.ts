import { request } from "undici";
import { z } from "zod";
import { KitError, messageOf } from "../../../support/errors.js";

/** What one job asks of the node that it runs on. */
export interface JobResources {
  /** Logical processors. */
  readonly cpus: number;
  readonly gpus: number;
  /** Bytes; undefined leaves it to Ray. */
  readonly memory?: number;
}

/** A command that Ray runs on some node. */
export interface JobSubmission {
  /** Chosen by us, so that a repeated request cannot start a job twice. */
  readonly id: string;
  /** A shell command. */
  readonly entrypoint: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: JobResources;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where a job stands; `message` is Ray's own explanation. */
export interface JobState {
  readonly status: "PENDING" | "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED";
  readonly message: string;
}

const versionSchema = z.looseObject({ version: z.string(), ray_version: z.string() });
const jobSchema = z.looseObject({
  status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: z.string().nullish(),
});
const logsSchema = z.looseObject({ logs: z.string() });
const nodesSchema = z.looseObject({
  data: z.looseObject({
    result: z.looseObject({
      result: z.array(
        z.looseObject({ state: z.string(), resources_total: z.record(z.string(), z.number()).nullish() }),
      ),
    }),
  }),
});

/** How long one answer may take, in milliseconds. */
const PATIENCE = 30_000;

/** The cluster cannot be reached, or answers with an error of its own; the same request may succeed later. */
export class ClusterUnreachable extends KitError {}

/**
 * Ray's Jobs REST API (ray-project/ray, `dashboard/modules/job/job_head.py`, API version 4), as far as runs need it.
 * Every method throws `ClusterUnreachable` when there is no answer, and a KitError when the answer is a refusal.
 */
export class RayClient {
  /** `http://HOST:PORT` of the dashboard, without a slash at the end. */
  readonly address: string;

  /**
   * @param address `http://HOST:PORT` of Ray's dashboard, or `ray://HOST[:PORT]` as Ray's own client writes it: its port is
   *   that of another protocol, the jobs are asked for at the dashboard's usual port 8265 of the same host
   * @throws KitError for any other address
   */
  constructor(address: string) {
    this.address = dashboardAddress(address);
  }

  /** Ray's version. */
  async version(): Promise<string> {
    return (await this.#ask("GET", "/api/version", versionSchema)).ray_version;
  }

  /** Jobs of these needs that the living nodes hold at the same time. */
  async capacity({ cpus, gpus, memory }: JobResources): Promise<number> {
    const { data } = await this.#ask("GET", "/api/v0/nodes", nodesSchema);
    const fits = (has: number | undefined, needs: number | undefined): number =>
      needs === undefined || needs === 0 ? Infinity : Math.floor((has ?? 0) / needs);
    const counts = data.result.result
      .filter(({ state }) => state === "ALIVE")
      .map(({ resources_total: total }) =>
        Math.min(fits(total?.CPU, cpus), fits(total?.GPU, gpus), fits(total?.memory, memory)),
      );
    return counts.reduce((sum, count) => sum + (Number.isFinite(count) ? count : 1), 0);
  }

  async submit({ id, entrypoint, environment, resources, metadata }: JobSubmission): Promise<void> {
    await this.#ask("POST", "/api/jobs/", z.looseObject({}), {
      submission_id: id,
      entrypoint,
      runtime_env: { env_vars: environment },
      entrypoint_num_cpus: resources.cpus,
      entrypoint_num_gpus: resources.gpus,
      ...(resources.memory === undefined ? {} : { entrypoint_memory: resources.memory }),
      metadata,
    });
  }

  async state(id: string): Promise<JobState> {
    const { status, message } = await this.#ask("GET", `/api/jobs/${encodeURIComponent(id)}`, jobSchema);
    return { status, message: message ?? "" };
  }

  /** All that the job has printed so far. */
  async logs(id: string): Promise<string> {
    return (await this.#ask("GET", `/api/jobs/${encodeURIComponent(id)}/logs`, logsSchema)).logs;
  }

  /** Asks the job to end: SIGTERM, then SIGKILL after a few seconds. */
  async stop(id: string): Promise<void> {
    await this.#ask("POST", `/api/jobs/${encodeURIComponent(id)}/stop`, z.looseObject({}));
  }

  async #ask<Answer>(
    method: "GET" | "POST",
    path: string,
    schema: z.ZodType<Answer>,
    body?: unknown,
  ): Promise<Answer> {
    let status: number;
    let text: string;
    try {
      // Not `fetch`: it says "sec-fetch-mode" as browsers do, whose requests Ray refuses.
      const response = await request(this.address + path, {
        method,
        headersTimeout: PATIENCE,
        bodyTimeout: PATIENCE,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      status = response.statusCode;
      text = await response.body.text();
    } catch (error) {
      throw this.#unreachable(messageOf(error));
    }
    // Ray answers 500 also where the request is wrong; what it says then has no use in trying again.
    if (status === 502 || status === 503 || status === 504) throw this.#unreachable(`status ${status}`);
    if (status < 200 || status > 299) {
      const reason = text.trim().split("\n").at(-1) ?? "";
      throw new KitError(
        `Ray at ${this.address} refused ${method} ${path}: ${status} ${reason.slice(0, 300)}`,
        "see the dashboard's log",
      );
    }
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new KitError(
      `what answers at ${this.address}${path} is not Ray's Jobs API`,
      "give the address of Ray's dashboard, for example http://127.0.0.1:8265",
    );
  }

  #unreachable(reason: string): ClusterUnreachable {
    return new ClusterUnreachable(
      `there is no answer from Ray at ${this.address} (${reason})`,
      "start a head with `ray start --head`, and give the address of its dashboard, for example http://127.0.0.1:8265",
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function dashboardAddress(address: string): string {
  const wrong = (): KitError =>
    new KitError(
      `"${address}" is not an address of a Ray cluster`,
      "give http://HOST:PORT of its dashboard (usually port 8265), or ray://HOST",
    );
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw wrong();
  }
  if (url.hostname === "") throw wrong();
  if (url.protocol === "ray:") return `http://${url.hostname}:8265`;
  if (url.protocol !== "http:" && url.protocol !== "https:") throw wrong();
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
