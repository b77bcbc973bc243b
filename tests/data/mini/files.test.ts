import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ENOUGH_EXPOSURES, type MiniManifest, sizesOf, writeMini } from "../../../src/data/mini/files.js";
import { drawGrid } from "../../../src/data/mini/grid/rows.js";
import { ARTICLE_ROWS } from "../../../src/data/mini/tasks/article.js";
import { drawTaskRows } from "../../../src/data/mini/tasks/rows.js";
import { readExamples } from "../../../src/data/read/index.js";
import { sha256 } from "../../../src/support/hash.js";
import { silentProgress } from "../../../src/support/progress.js";
import { temporaryFolder } from "../fixtures.js";

const shipped = resolve(import.meta.dirname, "../../../datasets/mini");
const program = resolve(import.meta.dirname, "../../../src/cli/ift-kit.js");
const never = new AbortController().signal;

test("what ships is what its seed and size give, byte for byte", async (context) => {
  const manifest = JSON.parse(readFileSync(join(shipped, "manifest.json"), "utf8")) as MiniManifest;
  const { seed, rowsPerTask, corpusTokens } = manifest;
  const folder = temporaryFolder(context);
  const made = await writeMini(folder, { seed, rowsPerTask, corpusTokens }, silentProgress, never);
  assert.deepEqual(made, manifest);
  for (const { path, sha256: expected, bytes } of manifest.files) {
    assert.equal(sha256(readFileSync(join(shipped, path))), expected, path);
    assert.equal(statSync(join(folder, path)).size, bytes);
  }
  assert.ok(made.factExposures < ENOUGH_EXPOSURES);
});

test("rows that were written are read back as they were drawn", async () => {
  const manifest = JSON.parse(readFileSync(join(shipped, "manifest.json"), "utf8")) as MiniManifest;
  const sizes = sizesOf(manifest.rowsPerTask);
  const tasks = drawTaskRows(sizes.tasks, manifest.seed);
  const read = await readExamples(join(shipped, "task-rows/train.jsonl"));
  assert.equal(read.format, "examples");
  assert.deepEqual(read.examples, tasks.train);
  const grid = drawGrid(sizes.grid, manifest.seed);
  const heldOut = await readExamples(join(shipped, "grid/test-held-out-cell.jsonl"));
  assert.deepEqual(heldOut.examples, grid.tests["held-out-cell"]);
  const article = await readExamples(join(shipped, "article.jsonl"));
  assert.deepEqual(article.examples, ARTICLE_ROWS);
});

test("a run that is stopped leaves no half-written file", async (context) => {
  const folder = temporaryFolder(context);
  const controller = new AbortController();
  const stopping = {
    update: () => {
      controller.abort();
    },
    stop: () => undefined,
  };
  const size = { seed: 1, rowsPerTask: 1, corpusTokens: 1_000_000 };
  await assert.rejects(writeMini(folder, size, stopping, controller.signal));
  assert.ok(existsSync(join(folder, "task-rows/test.jsonl")));
  assert.ok(!existsSync(join(folder, "corpus/train.txt")));
  assert.ok(!existsSync(join(folder, "manifest.json")));
});

test("data mini writes the files, and bad options end in one line", (context) => {
  const folder = temporaryFolder(context);
  const run = (...options: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [program, "data", "mini", ...options], { cwd: folder, encoding: "utf8" });
  const made = run("--out", "mini", "--rows-per-task", "1", "--corpus-tokens", "2000", "--json");
  assert.equal(made.status, 0, made.stderr);
  const manifest = JSON.parse(made.stdout) as MiniManifest;
  assert.ok(manifest.files.every(({ path, bytes }) => statSync(join(folder, "mini", path)).size === bytes));
  const nothing = run();
  assert.equal(nothing.status, 1);
  assert.match(nothing.stderr, /no folder is given.*--out FOLDER/);
  assert.equal(nothing.stderr.trimEnd().split("\n").length, 1);
  assert.equal(run("--out", "x", "--rows-per-task", "0").status, 2);
  assert.equal(run("--out", "x", "--seed", "-1").status, 2);
});
