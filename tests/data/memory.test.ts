import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "./fixtures.js";

const ROOT = resolve(import.meta.dirname, "../..");
const MEGABYTES = 30;
/** For V8's old objects; the program itself takes about half of it. */
const HEAP_MEGABYTES = 48;

/** A JSON array of Alpaca rows, written piece by piece. */
function writeLargeArray(path: string): number {
  const file = openSync(path, "w");
  let rows = 0;
  for (let bytes = 0; bytes < MEGABYTES * 1_000_000;) {
    const block = Array.from({ length: 500 }, () => {
      rows++;
      const row = {
        instruction: `Say ${rows}.`,
        input: "with some words around it",
        output: `Number ${rows}. `.repeat(20),
      };
      return `${rows === 1 ? "[" : ","}\n${JSON.stringify(row, undefined, 1)}`;
    }).join("");
    bytes += writeSync(file, block);
  }
  writeSync(file, "\n]");
  closeSync(file);
  return rows;
}

/** Runs a piece of code that has `path` and the reader, with a small heap. */
function runInSmallHeap(path: string, code: string): { readonly code: number | null; readonly out: string } {
  const reader = pathToFileURL(join(ROOT, "src/data/read/index.ts")).href;
  const program = `const { readExamples, streamExamples } = await import(${JSON.stringify(reader)}); const path = ${JSON.stringify(path)}; ${code}`;
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_MEGABYTES}`,
      "--import",
      pathToFileURL(join(ROOT, "src/cli/register.js")).href,
      "--input-type=module",
      "--eval",
      program,
    ],
    { encoding: "utf8", cwd: ROOT },
  );
  return { code: status, out: stdout.trim() };
}

test("a JSON array of 30 MB streams through a heap of 48 MB, which cannot hold its rows", (context) => {
  const path = join(temporaryFolder(context), "large.json");
  const rows = writeLargeArray(path);
  assert.ok(statSync(path).size > MEGABYTES * 1_000_000);
  const counted =
    "let n = 0; for await (const row of await streamExamples(path)) n += row.input === '' ? 0 : 1; console.log(n);";
  assert.deepEqual(runInSmallHeap(path, counted), { code: 0, out: String(rows) });
  // Control: reading the same file as a whole needs more than that.
  const whole = runInSmallHeap(
    path,
    "const { examples } = await readExamples(path); console.log(examples.length);",
  );
  assert.notEqual(whole.code, 0);
});
