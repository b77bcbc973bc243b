import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a model on the hub has: bytes by path. Files of 1,000 bytes and more are in large-file storage. */
export type HubModel = Readonly<Record<string, Buffer>>;

/** A commit of a model. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Gives access to the private models. */
export const TOKEN = "hf_secret";

const LARGE = 1000;

/**
 * A server that behaves like the hub: questions for a revision and its files (in pages), redirects of large files to
 * another server that knows ranges, models that need a token, and connections that break.
 */
export class HubServer {
  /** "GET /path" of each request, with its range. */
  readonly requests: string[] = [];
  /** Whether the token came to the server of the large files. */
  tokenLeaked = false;
  /** How many of the next transfers of large files break in the middle. */
  breaks = 0;
  /** Whether the server of large files sends other bytes. */
  damages = false;
  readonly models: Record<string, HubModel> = {};
  readonly #hub: Server;
  readonly #storage: Server;

  constructor() {
    this.#hub = createServer((request, response) => this.#answer(request, response));
    this.#storage = createServer((request, response) => this.#send(request, response));
  }

  async start(): Promise<void> {
    for (const server of [this.#hub, this.#storage]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
  }

  stop(): void {
    for (const server of [this.#hub, this.#storage]) {
      server.closeAllConnections();
      server.close();
    }
  }

  get address(): string {
    return addressOf(this.#hub);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.address);
    this.requests.push(`${request.method ?? ""} ${url.pathname}`);
    const json = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(value));
    };
    const [, name = "", rest = ""] =
      /^(?:\/api\/models)?\/([\w.-]+\/[\w.-]+)\/(.*)$/.exec(url.pathname) ?? [];
    const model = this.models[name];
    if (name.startsWith("private/") && request.headers.authorization !== `Bearer ${TOKEN}`) {
      json(401, { error: "Invalid username or password." });
    } else if (model === undefined) {
      json(404, { error: "Repository not found" });
    } else if (rest.startsWith("revision/")) {
      const revision = decodeURIComponent(rest.slice("revision/".length));
      if (["main", "v1/a", COMMIT].includes(revision)) json(200, { _id: "1", id: name, sha: COMMIT });
      else json(404, { error: "Invalid rev id" });
    } else if (rest === `tree/${COMMIT}`) {
      this.#list(url, name, model, json);
    } else if (rest.startsWith(`resolve/${COMMIT}/`)) {
      const path = decodeURIComponent(rest.slice(`resolve/${COMMIT}/`.length));
      const content = model[path];
      if (content === undefined) json(404, { error: "Entry not found" });
      else if (content.length < LARGE) response.writeHead(200).end(content);
      else response.writeHead(302, { location: `${addressOf(this.#storage)}/${name}/${path}` }).end();
    } else {
      json(404, { error: "Not found" });
    }
  }

  /** Two entries a page, the next one named in the header Link. */
  #list(
    url: URL,
    name: string,
    model: HubModel,
    json: (status: number, value: unknown, headers?: Record<string, string>) => void,
  ): void {
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const entries = Object.entries(model).map(([path, content]) => ({
      type: "file",
      path,
      oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
      size: content.length,
      ...(content.length < LARGE
        ? {}
        : {
            lfs: {
              oid: createHash("sha256").update(content).digest("hex"),
              size: content.length,
              pointerSize: 130,
            },
          }),
    }));
    const more = start + 2 < entries.length;
    const next = `<${this.address}/api/models/${name}/tree/${COMMIT}?recursive=true&cursor=${start + 2}>; rel="next"`;
    json(200, entries.slice(start, start + 2), more ? { link: next } : {});
  }

  #send(request: IncomingMessage, response: ServerResponse): void {
    const { range } = request.headers;
    this.requests.push(`GET storage ${range ?? "whole"}`);
    if (request.headers.authorization !== undefined) this.tokenLeaked = true;
    const [, name = "", path = ""] = /^\/([\w.-]+\/[\w.-]+)\/(.*)$/.exec(request.url ?? "") ?? [];
    const whole = Buffer.from(this.models[name]?.[decodeURIComponent(path)] ?? "");
    if (this.damages) whole[0] = (whole[0] ?? 0) ^ 1;
    const start = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const part = whole.subarray(start);
    response.writeHead(range === undefined ? 200 : 206, {
      "content-length": part.length,
      ...(range === undefined
        ? {}
        : { "content-range": `bytes ${start}-${whole.length - 1}/${whole.length}` }),
    });
    if (this.breaks === 0) {
      response.end(part);
      return;
    }
    this.breaks--;
    response.write(part.subarray(0, Math.floor(part.length / 2)), () =>
      setTimeout(() => response.destroy(), 100),
    );
  }
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
