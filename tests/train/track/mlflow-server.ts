import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A point as it came in. */
export interface StoredMetric {
  readonly key: string;
  readonly value: number;
  readonly step: number;
  readonly timestamp: number;
}
/** A run as the server knows it. */
export interface StoredRun {
  readonly id: string;
  readonly name: string;
  readonly experiment: string;
  readonly statuses: string[];
  readonly metrics: StoredMetric[];
  readonly parameters: Map<string, string>;
}

interface Body {
  readonly name?: string;
  readonly experiment_id?: string;
  readonly run_name?: string;
  readonly run_id?: string;
  readonly status?: string;
  readonly metrics?: readonly StoredMetric[];
  readonly params?: readonly { readonly key: string; readonly value: string }[];
}

/** A server that behaves as MLflow's REST API does, as far as the kit uses it; its limits and error codes too. */
export class MlflowStandIn {
  readonly runs = new Map<string, StoredRun>();
  readonly experiments = new Map<string, string>();
  readonly requests: string[] = [];
  /** While true, every request is answered with 500. */
  broken = false;
  readonly #server;
  readonly #token: string | undefined;

  constructor(token?: string) {
    this.#token = token;
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(([status, answer]) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage): Promise<[number, object]> {
    const url = new URL(request.url ?? "", "http://localhost");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Body;
    const path = url.pathname.replace("/api/2.0/mlflow/", "");
    this.requests.push(`${request.method ?? ""} ${path}`);
    const wrong = (status: number, error_code: string): [number, object] => [
      status,
      { error_code, message: path },
    ];
    if (this.broken) return wrong(500, "INTERNAL_ERROR");
    if (this.#token !== undefined && request.headers.authorization !== `Bearer ${this.#token}`)
      return wrong(401, "UNAUTHENTICATED");
    if (path === "experiments/get-by-name") {
      const id = this.experiments.get(url.searchParams.get("experiment_name") ?? "");
      return id === undefined
        ? wrong(404, "RESOURCE_DOES_NOT_EXIST")
        : [200, { experiment: { experiment_id: id, lifecycle_stage: "active" } }];
    }
    if (path === "experiments/create" && body.name !== undefined) {
      const id = String(this.experiments.size + 1);
      this.experiments.set(body.name, id);
      return [200, { experiment_id: id }];
    }
    if (path === "runs/create") {
      const id = `run${this.runs.size}`;
      const { run_name: name = "", experiment_id: experiment = "" } = body;
      this.runs.set(id, { id, name, experiment, statuses: ["RUNNING"], metrics: [], parameters: new Map() });
      return [200, { run: { info: { run_id: id, status: "RUNNING" } } }];
    }
    const run = this.runs.get(body.run_id ?? url.searchParams.get("run_id") ?? "");
    if (run === undefined) return wrong(404, "RESOURCE_DOES_NOT_EXIST");
    if (path === "runs/get") return [200, { run: { info: { run_id: run.id } } }];
    if (path === "runs/update") {
      run.statuses.push(body.status ?? "");
      return [200, { run_info: { run_id: run.id } }];
    }
    if (path !== "runs/log-batch") return wrong(404, "ENDPOINT_NOT_FOUND");
    const { metrics = [], params = [] } = body;
    if (metrics.length > 1000 || params.length > 100) return wrong(400, "INVALID_PARAMETER_VALUE");
    if ([...metrics, ...params].some(({ key }) => !/^[\w\-. :/]{1,250}$/.test(key)))
      return wrong(400, "INVALID_PARAMETER_VALUE");
    for (const { key, value } of params) {
      if ((run.parameters.get(key) ?? value) !== value) return wrong(400, "INVALID_PARAMETER_VALUE");
      run.parameters.set(key, value);
    }
    run.metrics.push(...metrics);
    return [200, {}];
  }
}
