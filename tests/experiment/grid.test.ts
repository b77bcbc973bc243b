import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { localPlace } from "../../src/experiment/places/local.js";
import { type PlannedRun, planRuns } from "../../src/experiment/plan/expand.js";
import { doRuns, requireAll } from "../../src/experiment/pool.js";
import type { RunResult } from "../../src/experiment/result.js";
import { RunStore } from "../../src/experiment/store.js";
import { sha256 } from "../../src/support/hash.js";
import { verifyRun } from "../../src/experiment/verify.js";
import { reportOfPlan } from "../../src/report/experiments/run-plan.js";
import { GRID_PLAN } from "./grid-plan.js";

// The plain JavaScript backend starts at once: these tests are about who does which run.
process.env.IFT_KIT_BACKEND = "cpu";
const folder = mkdtempSync(join(tmpdir(), "ift-kit-grid-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const register = fileURLToPath(new URL("../../src/cli/register.js", import.meta.url));
const child = fileURLToPath(new URL("./grid-child.ts", import.meta.url));
const running: ChildProcess[] = [];
after(() => running.forEach((one) => one.kill("SIGKILL")));

let runs: PlannedRun[];
/** The grid as one process does it that nobody disturbs. */
let whole: RunStore;
before(async () => {
  runs = await planRuns(GRID_PLAN);
  whole = new RunStore(join(folder, "whole"));
  const place = localPlace({ processes: 1 });
  const specifications = runs.map(({ specification }) => specification);
  requireAll(await doRuns(specifications, whole, { place }));
  await place.close();
});

function startChild(store: string): {
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;
} {
  const process_ = spawn(process.execPath, ["--import", register, child, store], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  running.push(process_);
  return { process: process_, exit: new Promise((resolve) => process_.on("exit", resolve)) };
}

function finishedIn(store: RunStore): number {
  return runs.filter(({ specification }) => store.state(store.key(specification)).kind === "finished").length;
}

function reportIn(store: RunStore): string {
  return JSON.stringify(reportOfPlan(GRID_PLAN, runs, store));
}

/** How often a run was started and came to an end, by its outcome. */
function attemptsIn(store: RunStore, outcome: string): number {
  const row = z.object({ count: z.number() });
  const sql = "SELECT count(*) AS count FROM attempts WHERE outcome = ?";
  return store.database.get(row, sql, outcome)?.count ?? 0;
}

test("a grid of 3 factors and 24 runs, killed five times on the way, ends with the same report", async () => {
  assert.equal(runs.length, 24);
  const store = new RunStore(join(folder, "killed"));
  for (let kill = 1; kill <= 5; kill++) {
    const { process: process_, exit } = startChild(store.directory);
    const before = finishedIn(store);
    while (finishedIn(store) < before + 2) {
      assert.equal(process_.exitCode, null, "the child is at work");
      await pause(20);
    }
    process_.kill("SIGKILL");
    assert.equal(await exit, null);
    assert.ok(finishedIn(store) < 24, "it was killed on the way");
  }
  assert.equal(await startChild(store.directory).exit, 0);
  assert.equal(finishedIn(store), 24);
  assert.equal(attemptsIn(store, "finished"), 24, "no run was done twice");
  assert.equal(reportIn(store), reportIn(whole));
  store.close();
  // Negative control: one answer that is another one makes another report.
  const [first] = runs.map(({ specification }) => whole.find(specification));
  assert.ok(first !== undefined);
  const changed = reportOfPlan(GRID_PLAN, runs, withAnswer(whole, first, 1));
  assert.notEqual(JSON.stringify(changed), reportIn(whole));
});

test("two processes work on one grid, and no run is done twice", async () => {
  const store = new RunStore(join(folder, "two"));
  const ends = await Promise.all([startChild(store.directory).exit, startChild(store.directory).exit]);
  assert.deepEqual(ends, [0, 0]);
  assert.equal(finishedIn(store), 24);
  assert.equal(attemptsIn(store, "finished"), 24);
  assert.equal(reportIn(store), reportIn(whole));
  store.close();
});

test("a run that is repeated has the same bits; a changed bit is caught", async () => {
  const [run] = runs;
  assert.ok(run !== undefined);
  const watch = { signal: new AbortController().signal, onProgress: () => undefined };
  const key = whole.key(run.specification);
  const same = await verifyRun(whole, key.slice(0, 10), watch);
  assert.deepEqual([same.same, same.differences, same.environment], [true, [], []]);
  // One bit of the weights' hash, and of one loss.
  const path = whole.resultPath(key);
  const text = readFileSync(path, "utf8");
  const result = JSON.parse(text) as RunResult;
  const [point] = result.curve;
  assert.ok(point !== undefined);
  point.loss = Math.fround(point.loss) + 2 ** -22;
  store(JSON.stringify(result));
  const other = await verifyRun(whole, key.slice(0, 10), watch);
  assert.equal(other.same, false);
  assert.match(other.differences[0] ?? "", /^curve\.0\.loss/);
  store(text);
  await assert.rejects(verifyRun(whole, "no such run", watch), /has no finished run "no such run"/);

  function store(content: string): void {
    writeFileSync(path, content);
    whole.database.run("UPDATE runs SET result_hash = ? WHERE key = ?", sha256(content), key);
  }
});

/** The store with all answers of a run scored alike. */
function withAnswer(store: RunStore, result: RunResult, score: number): RunStore {
  const other = Object.create(store) as RunStore;
  Object.defineProperty(other, "find", {
    value: (specification: RunResult["specification"]) => {
      const found = store.find(specification);
      return found?.key === result.key
        ? { ...found, rows: found.rows.map((row) => ({ ...row, scores: { "exact-match": score } })) }
        : found;
    },
  });
  return other;
}
