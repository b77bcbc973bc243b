import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson, sha256 } from "../../support/hash.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** What follows `from`, stands alone in `import "..."`, or in `import("...")`, `require("...")` and `new URL("...", import.meta.url)`. */
const REFERENCES = [
  /^\s*(?:import|export)\s(?!type\b)[^;"']*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\b(?:import|require|require\.resolve|createRequire\(import\.meta\.url\))\(\s*["']([^"']+)["']\s*\)/g,
  /\bnew URL\(\s*["']([^"']+\.[jt]s)["']\s*,\s*import\.meta\.url\s*\)/g,
] as const;

/** The code that decides what a run computes. */
export interface DecidingSources {
  /** SHA-256 over the modules, and the versions of the packages that they import. */
  readonly hash: string;
  /** Paths from the root of the kit, sorted. */
  readonly modules: readonly string[];
  /** Versions by name. */
  readonly packages: Readonly<Record<string, string>>;
}

/**
 * Follows the imports of a module, static and dynamic, to every module of the kit that it can run. Types leave no code,
 * so `import type` is not followed. An edit of any other file (a report, a command, another suite) leaves the hash as
 * it is, so that results in a store stay valid.
 * @param entry a module of the kit, as TypeScript or built
 */
export function decidingSources(entry: URL): DecidingSources {
  const texts = new Map<string, string>();
  const packages = new Map<string, string>();
  const waiting = [fileURLToPath(entry)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const path = sourceOf(next);
    if (path === undefined || texts.has(path)) continue;
    const text = readFileSync(path, "utf8");
    texts.set(path, text);
    for (const name of referencesIn(text)) {
      if (name.startsWith(".")) waiting.push(resolve(dirname(path), name));
      else if (!name.startsWith("node:")) packages.set(packageName(name), versionOf(packageName(name)));
    }
  }
  const modules = [...texts]
    .map(([path, text]): [string, string] => [relative(ROOT, path), sha256(text)])
    .sort(byName);
  const versions = Object.fromEntries([...packages].sort(byName));
  return {
    hash: sha256(canonicalJson([modules, versions])),
    modules: modules.map(([path]) => path),
    packages: versions,
  };
}

/** What a module refers to: relative paths and names of packages. */
export function referencesIn(text: string): string[] {
  return REFERENCES.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = ""]) => name));
}

/** Live sources import "./x.js" and are "./x.ts"; undefined for a mention in a comment of a file that is not there. */
function sourceOf(path: string): string | undefined {
  return [path.replace(/\.js$/, ".ts"), path].find((candidate) => existsSync(candidate));
}

function packageName(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

const require = createRequire(import.meta.url);

/** The installed version; packages may hide their package.json from `require`. */
function versionOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = join(folder, name, "package.json");
    if (!existsSync(file)) continue;
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version?: string };
    return version ?? "unknown";
  }
  return "absent";
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
