import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "./files.js";
import { sha256 } from "./hash.js";

/**
 * SHA-256 over a file, or over the names and contents of all files of a folder: it changes when any of them does.
 * @throws KitError when something cannot be read
 */
export function hashFiles(path: string): string {
  try {
    if (!statSync(path).isDirectory()) return sha256(readFileSync(path));
    const names = readdirSync(path, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length))
      .sort();
    return sha256(names.map((name) => `${sha256(readFileSync(join(path, name)))} ${name}`).join("\n"));
  } catch (error) {
    throw fileError(path, "read", error);
  }
}
