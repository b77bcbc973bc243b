import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { KitError } from "../support/errors.js";
import { Problem } from "./problem.js";

/** The environment variable with the token; it is not taken from the command line, where others could read it. */
export const TOKEN_VARIABLE = "IFT_KIT_SERVE_TOKEN";
const SHORTEST_TOKEN = 16;

/** Whether a host is of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** @throws KitError for a server that others can reach without a token, and for one that is easily guessed */
export function checkExposure(host: string, token: string | undefined): void {
  if (token !== undefined && token.length < SHORTEST_TOKEN) {
    throw new KitError(
      `a token of ${token.length} characters`,
      `give one of at least ${SHORTEST_TOKEN}, such as that of \`openssl rand -hex 16\``,
      { field: TOKEN_VARIABLE },
    );
  }
  if (isLoopback(host) || token !== undefined) return;
  throw new KitError(
    `on ${host} other machines reach the server, and it asks for no token`,
    `set the environment variable ${TOKEN_VARIABLE} to one, or leave --host out`,
    { field: "host" },
  );
}

/**
 * Refuses what a page of another site could send through a browser: a name that was made to point at this machine (DNS
 * rebinding), and requests across origins.
 * @param loopback whether the server listens for this machine alone
 * @throws Problem
 */
export function checkOrigin({ host, origin }: IncomingHttpHeaders, loopback: boolean): void {
  if (loopback && !isLoopback(nameOf(host ?? "")))
    throw forbidden(
      `the server listens on loopback only and does not answer to the host name "${host ?? ""}"`,
    );
  if (origin !== undefined && origin !== `http://${host ?? ""}` && origin !== `https://${host ?? ""}`)
    throw forbidden(`pages of ${origin} may not ask this server`);
}

/** @throws Problem when the token is not that of the header */
export function checkToken({ authorization }: IncomingHttpHeaders, token: string): void {
  const [scheme = "", given = ""] = (authorization ?? "").split(" ");
  // Digests have equal lengths, so that the comparison takes equal time.
  if (scheme.toLowerCase() === "bearer" && timingSafeEqual(digest(given), digest(token))) return;
  throw new Problem("the server asks for its token in the header Authorization: Bearer TOKEN", {
    status: 401,
    type: "authentication_error",
    code: "invalid_api_key",
  });
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The host of a `Host` header without its port. */
function nameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d+$/, "")).toLowerCase();
}

function forbidden(message: string): Problem {
  return new Problem(message, { status: 403, type: "invalid_request_error", code: "forbidden_origin" });
}
