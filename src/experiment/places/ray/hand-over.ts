import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { dirname, join } from "node:path";
import { KitError, messageOf } from "../../../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../../../support/files.js";
import type { RunOutcome, RunRequest } from "../place.js";
import { outcomeFile, outcomeSchema, TOKEN_VARIABLE } from "../work.js";

/** How a request gets to the node that does it, and how the result comes back. */
export interface HandOver {
  /** Makes the request available. @returns what `experiment work` is given there, and its environment */
  readonly offer: (request: RunRequest) => {
    readonly source: string;
    readonly environment: Readonly<Record<string, string>>;
  };
  /** How the run said that it ended; undefined while it has not said anything. */
  readonly outcome: (request: RunRequest) => RunOutcome | undefined;
  /** Takes the request away. */
  readonly withdraw: (request: RunRequest) => void;
  readonly close: () => Promise<void>;
}

/** By files, where the nodes see the store's folder under the same path. A run goes on from its checkpoint anywhere. */
export function sharedFolder(): HandOver {
  const fileOf = (request: RunRequest): string => join(request.workFolder, "request.json");
  return {
    offer: (request) => {
      const file = fileOf(request);
      mkdirSync(dirname(file), { recursive: true });
      rmSync(outcomeFile(file), { force: true });
      writeFileAtomic(file, JSON.stringify(request));
      return { source: file, environment: {} };
    },
    outcome: (request) => {
      const file = outcomeFile(fileOf(request));
      return existsSync(file) ? outcomeSchema.safeParse(readJsonFile(file)).data : undefined;
    },
    withdraw: (request) => {
      rmSync(fileOf(request), { force: true });
      rmSync(outcomeFile(fileOf(request)), { force: true });
    },
    close: () => Promise.resolve(),
  };
}

/** A result that is larger than this is refused, in bytes: nothing that a run writes comes near. */
const LARGEST_RESULT = 512 * 2 ** 20;

interface Offer {
  readonly request: RunRequest;
  outcome?: RunOutcome;
}

/**
 * By HTTP, where the nodes do not see the store: they fetch requests from this process and send results to it, with a
 * token that is made for it. A run that was lost starts anew, because its checkpoints were on the lost node.
 * @param host address under which the nodes reach this machine; it is also what is listened on
 * @throws KitError when that address is not one of this machine
 */
export async function upload(host: string): Promise<HandOver> {
  const token = randomBytes(24).toString("base64url");
  const offers = new Map<string, Offer>();
  const server = createServer((incoming, response) => {
    answer(offers, token, incoming).then(
      ({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(body === undefined ? "" : JSON.stringify(body));
      },
      (error: unknown) => response.writeHead(500).end(messageOf(error)),
    );
  });
  const port = await listen(server, host);
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    offer: (request) => {
      mkdirSync(dirname(request.resultFile), { recursive: true });
      offers.set(request.key, { request });
      const source = `http://${name}:${port}/runs/${request.key}`;
      return { source, environment: { [TOKEN_VARIABLE]: token } };
    },
    outcome: ({ key }) => offers.get(key)?.outcome,
    withdraw: ({ key }) => void offers.delete(key),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new KitError(
          `results cannot be waited for at ${host}: ${error.message}`,
          "give the address of this machine under which the nodes of the cluster reach it",
        ),
      ),
    );
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** @returns the status, and the request where it is asked for */
async function answer(
  offers: ReadonlyMap<string, Offer>,
  token: string,
  incoming: IncomingMessage,
): Promise<{ readonly status: number; readonly body?: RunRequest }> {
  if (!isSame(incoming.headers.authorization ?? "", `Bearer ${token}`)) return { status: 401 };
  const [, key = "", part] = /^\/runs\/([0-9a-f]{64})(?:\/(result|outcome))?$/.exec(incoming.url ?? "") ?? [];
  const offer = offers.get(key);
  if (offer === undefined) return { status: 404 };
  if (incoming.method === "GET" && part === undefined) return { status: 200, body: offer.request };
  if (incoming.method !== "PUT" || part === undefined) return { status: 405 };
  const body = await readBody(incoming);
  if (body === undefined) return { status: 413 };
  if (part === "result") {
    // What it holds is checked where every result is: when it is taken into the store.
    writeFileAtomic(offer.request.resultFile, body);
    return { status: 204 };
  }
  const outcome = outcomeSchema.safeParse(JSON.parse(body.toString("utf8")));
  if (!outcome.success) return { status: 400 };
  offer.outcome = outcome.data;
  return { status: 204 };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_RESULT) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Equal in a time that does not tell where they differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
