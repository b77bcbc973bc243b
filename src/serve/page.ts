import { createHash } from "node:crypto";
import { readTextFile } from "../support/files.js";
import { fileURLToPath } from "node:url";

/** The page, and the policy that allows its own script and style and nothing else. */
export interface ServedPage {
  readonly html: string;
  /** For the header Content-Security-Policy. */
  readonly policy: string;
}

let page: ServedPage | undefined;

/** The page of the server; the built package reads it from its sources too. */
export function servedPage(): ServedPage {
  page ??= withPolicy(readTextFile(fileURLToPath(new URL("../../src/serve/page.html", import.meta.url))));
  return page;
}

function withPolicy(html: string): ServedPage {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(html, "script")}`,
    `style-src ${hashOf(html, "style")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, policy };
}

/** The hash of what stands in the only element of a name. */
function hashOf(html: string, element: string): string {
  const content = new RegExp(`<${element}>([^]*?)</${element}>`).exec(html)?.[1] ?? "";
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}
