import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

/** A job as it was asked for, and its process. */
interface Job {
  readonly entrypoint: string;
  readonly resources: { readonly cpus: number; readonly gpus: number };
  readonly log: string;
  readonly process: ChildProcess;
  status: "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED";
}

interface Submission {
  readonly submission_id: string;
  readonly entrypoint: string;
  readonly entrypoint_num_cpus: number;
  readonly entrypoint_num_gpus: number;
  readonly runtime_env: { readonly env_vars: Readonly<Record<string, string>> };
}

/**
 * The Jobs API of a Ray head, on loopback, with the answers that Ray 2.60 gave to the same requests; jobs are real processes.
 * `real-ray.ts` of this folder does the same with a real head.
 */
export class RayHead {
  readonly jobs = new Map<string, Job>();
  /** Answers are 503 while this is set. */
  isAway = false;
  readonly #folder = mkdtempSync(join(tmpdir(), "ift-kit-ray-"));
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      // As the real one does, so that no page in a browser can start jobs.
      const isBrowser = method !== "GET" && headers["sec-fetch-mode"] !== undefined;
      const { status, body } = isBrowser
        ? { status: 405, body: "method not allowed for browser traffic" }
        : this.#answer(method, url, Buffer.concat(parts).toString());
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });

  /** @returns the address */
  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
  }

  close(): void {
    for (const { process } of this.jobs.values()) process.kill("SIGKILL");
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answer(method: string, url: string, text: string): { status: number; body: unknown } {
    if (this.isAway) return { status: 503, body: {} };
    if (url === "/api/version") return { status: 200, body: { version: "4", ray_version: "2.60.0" } };
    if (url === "/api/v0/nodes") {
      const result = [
        { state: "ALIVE", resources_total: { CPU: 2, memory: 8e9 } },
        { state: "DEAD", resources_total: { CPU: 64 } },
      ];
      return { status: 200, body: { data: { result: { result } } } };
    }
    if (method === "POST" && url === "/api/jobs/") return this.#submit(JSON.parse(text) as Submission);
    const [, id = "", part] = /^\/api\/jobs\/([^/]+)(?:\/(logs|stop))?$/.exec(url) ?? [];
    const job = this.jobs.get(id);
    if (job === undefined) return { status: 404, body: `Job ${id} does not exist` };
    if (part === "logs") return { status: 200, body: { logs: readFileSync(job.log, "utf8") } };
    if (part === "stop") {
      job.status = "STOPPED";
      job.process.kill("SIGTERM");
      return { status: 200, body: { stopped: true } };
    }
    return { status: 200, body: { status: job.status, message: `it is ${job.status}`, submission_id: id } };
  }

  #submit(submission: Submission): { status: number; body: unknown } {
    const { submission_id: id, entrypoint } = submission;
    if (this.jobs.has(id)) return { status: 500, body: `Job with submission_id ${id} already exists` };
    const log = join(this.#folder, id);
    appendFileSync(log, "");
    const child = spawn("/bin/sh", ["-c", entrypoint], {
      env: { ...process.env, ...submission.runtime_env.env_vars },
    });
    const resources = { cpus: submission.entrypoint_num_cpus, gpus: submission.entrypoint_num_gpus };
    const job: Job = { entrypoint, resources, log, process: child, status: "RUNNING" };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => appendFileSync(log, part));
    }
    child.on("close", (code) => {
      if (job.status === "RUNNING") job.status = code === 0 ? "SUCCEEDED" : "FAILED";
    });
    this.jobs.set(id, job);
    return { status: 200, body: { submission_id: id, job_id: id } };
  }
}
