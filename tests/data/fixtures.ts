import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import type { Example } from "../../src/data/example.js";

/** An example with defaults for what a test does not speak of. */
export function exampleWith(fields: Partial<Example>): Example {
  return {
    id: "row-1",
    task: "sentiment",
    taskType: "Sentiment",
    instruction: "Say whether the review is positive or negative",
    input: "Great movie!",
    outputs: ["Positive"],
    source: "hand-made",
    ...fields,
  };
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-data-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Path of a shared data set, or undefined where this checkout has none. */
export function sharedData(path: string): string | undefined {
  const full = resolve(import.meta.dirname, "../../../shared/datasets", path);
  return existsSync(full) ? full : undefined;
}

/** Why a test on real data does not run. */
export const NO_SHARED_DATA = "the shared data sets are not beside this checkout";

/** Writes a file, with the folders above it; returns its path. */
export function put(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Rows as JSON lines. */
export function jsonLines(...rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}
