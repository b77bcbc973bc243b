import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KitError } from "../../../src/support/errors.js";
import type { StepRecord } from "../../../src/train/progress.js";
import { MetricsFile } from "../../../src/train/track/metrics-file.js";
import { madeUpRecords } from "./records.js";

const root = mkdtempSync(join(tmpdir(), "ift-kit-metrics-"));
after(() => rmSync(root, { recursive: true, force: true }));

const linesOf = (path: string): StepRecord[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as StepRecord);

test("one line a step; steps that a resumed run takes again, and those that a crash lost, are there once", () => {
  const path = join(root, "metrics.jsonl");
  const records = madeUpRecords(9);
  const first = new MetricsFile(path);
  first.start([]);
  for (const record of records.slice(0, 6)) first.step(record);
  assert.deepEqual(linesOf(path), records.slice(0, 6));
  writeFileSync(path, `${readFileSync(path, "utf8")}{"step":7,"lo`); // Killed while it wrote.
  const second = new MetricsFile(path);
  second.start(records.slice(0, 4));
  for (const record of records.slice(4)) second.step(record);
  assert.deepEqual(linesOf(path), records);
  writeFileSync(path, "");
  new MetricsFile(path).start(records);
  assert.deepEqual(linesOf(path), records);
});

test("a file that cannot be written is an error that names it", () => {
  const path = join(root, "missing", "metrics.jsonl");
  const [record] = madeUpRecords(1);
  assert.ok(record);
  assert.throws(
    () => new MetricsFile(path).step(record),
    (error) => error instanceof KitError && error.location.file === path,
  );
});
