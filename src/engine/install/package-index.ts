import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Dispatcher } from "undici";
import { KitError } from "../../support/errors.js";
import type { PinnedFile } from "./catalog.js";
import { connectionProblem, get, printable } from "./connection.js";
import type { PipSettings } from "./python.js";

const ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";
const CURE = "check the network, the proxy and pip's index-url, then run `npx ift-kit setup` again";

/**
 * Finds the address of a file in the package indexes that pip uses (the simple repository interface, as JSON or HTML).
 * @returns an http(s) address, or a file address when one of pip's find-links folders holds the file
 * @throws KitError when no index can be reached or none has the file
 */
export async function addressOf(
  wanted: PinnedFile,
  settings: PipSettings,
  connection: Dispatcher,
): Promise<string> {
  for (const folder of settings.folders) {
    if (existsSync(join(folder, wanted.file))) return pathToFileURL(join(folder, wanted.file)).href;
  }
  const problems: string[] = [];
  for (const index of settings.indexes) {
    const page = `${index.replace(/\/+$/, "")}/${wanted.project}/`;
    try {
      const response = await get(page, { accept: ACCEPT }, connection);
      const body = await response.text();
      if (!response.ok) {
        problems.push(`${printable(page)} answers ${response.status}`);
        continue;
      }
      const address = fileInPage(body, wanted.file, response.url);
      if (address !== undefined) return withCredentialsOf(page, address);
      problems.push(`${printable(page)} does not list it`);
    } catch (error) {
      problems.push(`${printable(page)}: ${connectionProblem(error)}`);
    }
  }
  const why = problems.length === 0 ? "pip has no package index" : problems.join("; ");
  throw new KitError(`${wanted.file} cannot be found (${why})`, CURE);
}

function fileInPage(body: string, file: string, page: string): string | undefined {
  if (body.trimStart().startsWith("{")) {
    const { files = [] } = JSON.parse(body) as { files?: { filename: string; url: string }[] };
    const entry = files.find(({ filename }) => filename === file);
    return entry === undefined ? undefined : new URL(entry.url, page).href;
  }
  for (const [, reference = ""] of body.matchAll(/<a\s[^>]*href\s*=\s*["']([^"'#]+)/gi)) {
    const address = new URL(reference.replaceAll("&amp;", "&"), page);
    if (decodeURIComponent(address.pathname).endsWith(`/${file}`)) return address.href;
  }
  return undefined;
}

/** A private index that asks for a password asks for it on its files too, when they are on the same server. */
function withCredentialsOf(page: string, address: string): string {
  const [from, to] = [new URL(page), new URL(address)];
  if (from.host !== to.host || from.username === "") return address;
  to.username = from.username;
  to.password = from.password;
  return to.href;
}
