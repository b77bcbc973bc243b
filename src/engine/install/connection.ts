import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { EnvHttpProxyAgent, fetch, type Dispatcher, type Response } from "undici";
import { messageOf, systemErrorCode } from "../../support/errors.js";

/** How this machine reaches the network. */
export interface ConnectionOptions {
  /** Proxy for all addresses; default: the usual environment variables. */
  readonly proxy?: string | undefined;
  /** File with more certificates to trust, in PEM form. */
  readonly certificates?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 20_000;
const SILENCE_TIMEOUT_MS = 60_000;

/** A client that goes through the proxy of the environment (or the given one) and trusts the user's certificates. */
export function openConnection(options: ConnectionOptions = {}): Dispatcher {
  const file = options.certificates ?? process.env.REQUESTS_CA_BUNDLE ?? process.env.SSL_CERT_FILE;
  const tls = file === undefined ? {} : { ca: [...rootCertificates, ...certificatesIn(file)] };
  const proxy = options.proxy === undefined ? {} : { httpProxy: options.proxy, httpsProxy: options.proxy };
  return new EnvHttpProxyAgent({
    ...proxy,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS },
    requestTls: tls,
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  });
}

/** A GET request; user name and password in the address are sent as basic authentication. */
export async function get(
  address: string,
  headers: Readonly<Record<string, string>>,
  connection: Dispatcher,
): Promise<Response> {
  const url = new URL(address);
  const sent: Record<string, string> = { ...headers };
  if (url.username !== "") {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    sent.authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  }
  url.username = "";
  url.password = "";
  return fetch(url, { headers: sent, dispatcher: connection, redirect: "follow" });
}

/** An address for messages: without user name, password and query. */
export function printable(address: string): string {
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** What was wrong with the connection, in a few words. */
export function connectionProblem(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const words: Record<string, string> = {
    ENOTFOUND: "the name of the server is not found",
    EAI_AGAIN: "names of servers cannot be looked up",
    ECONNREFUSED: "the server refuses the connection",
    ECONNRESET: "the connection was cut off",
    UND_ERR_SOCKET: "the connection was cut off",
    UND_ERR_CONNECT_TIMEOUT: "the server does not answer",
    UND_ERR_HEADERS_TIMEOUT: "the server does not answer",
    UND_ERR_BODY_TIMEOUT: "the server sends nothing any more",
  };
  return words[systemErrorCode(cause) ?? ""] ?? messageOf(cause);
}

function certificatesIn(file: string): string[] {
  try {
    return [readFileSync(file, "utf8")];
  } catch {
    return [];
  }
}
