import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RunResult, RunSpecification } from "../../src/experiment/result.js";
import { type RunClaim, RunStore } from "../../src/experiment/store.js";
import { decidingSources, referencesIn } from "../../src/experiment/store/sources.js";
import { suiteByName } from "../../src/experiment/suites.js";
import { madeUpResult } from "./made-up-result.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-store-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function runOf(number: number): RunSpecification {
  return { suite: "string-rewrite", id: `run ${number}`, arm: "a", seed: number };
}

function resultOf(store: RunStore, run: RunSpecification): RunResult {
  return madeUpResult(run, { key: store.key(run) });
}

function claimOf(store: RunStore, run: RunSpecification): RunClaim {
  store.register([run]);
  const claim = store.claim(store.key(run));
  assert.ok(claim !== undefined, run.id);
  return claim;
}

test("a claim is one process's, until it ends; a result is found under any name", () => {
  const store = new RunStore(join(folder, "claims"));
  const other = new RunStore(store.directory);
  const run = runOf(1);
  const claim = claimOf(store, run);
  assert.equal(other.claim(claim.key), undefined, "it is taken");
  assert.equal(other.state(claim.key).kind, "claimed");
  store.giveUp(claim, { outcome: "failed", reason: "no luck" });
  const failed = other.state(claim.key);
  assert.deepEqual([failed.kind, failed.kind === "failed" && failed.reason], ["failed", "no luck"]);
  const again = other.claim(claim.key);
  assert.ok(again !== undefined, "a failed run may be tried again");
  assert.equal(store.renew(claim, 0.5), false, "the old claim is void");
  assert.equal(store.finish(claim, resultOf(store, run)), false, "and brings in no result");
  assert.equal(other.finish(again, resultOf(store, run)), true);
  assert.equal(store.claim(claim.key), undefined, "a finished run is not done again");
  assert.equal(store.find({ ...run, id: "x", arm: "b" })?.arm, "b");
  assert.equal(store.find({ ...run, seed: 2 }), undefined);
  store.close();
  other.close();
});

test("the claim of a process that died is taken over, that of one that lives is not", () => {
  const store = new RunStore(join(folder, "deaths"));
  const run = runOf(1);
  const claim = claimOf(store, run);
  const dead = spawnSync(process.execPath, ["--version"]).pid;
  const setOwner = (pid: number): unknown =>
    store.database.run(
      "UPDATE runs SET claim_owner = ? WHERE key = ?",
      JSON.stringify([{ host: hostname(), pid, started: "" }]),
      claim.key,
    );
  assert.equal(store.claim(claim.key), undefined);
  setOwner(dead);
  const taken = store.claim(claim.key);
  assert.ok(taken !== undefined && taken.token !== claim.token);
  store.database.run("UPDATE runs SET claim_until = ? WHERE key = ?", Date.now() - 1, claim.key);
  assert.ok(store.claim(claim.key) !== undefined, "a claim that is not renewed in time is void");
  store.close();
});

test("a store that was torn in mid-write is whole on opening", () => {
  const directory = join(folder, "torn");
  const store = new RunStore(directory);
  for (let number = 0; number < 12; number++) {
    const run = runOf(number);
    store.finish(claimOf(store, run), resultOf(store, run));
  }
  // What a killed process leaves: the database as it was, and a log that ends anywhere.
  const log = join(directory, "runs.sqlite-wal");
  const size = statSync(log).size;
  const counts: number[] = [];
  for (const share of [0.2, 0.4, 0.61, 0.8, 0.93, 1]) {
    const copy = join(folder, `torn-${share}`);
    mkdirSync(join(copy, "results"), { recursive: true });
    copyFileSync(join(directory, "runs.sqlite"), join(copy, "runs.sqlite"));
    writeFileSync(
      join(copy, "runs.sqlite-wal"),
      readFileSync(log).subarray(0, Math.floor(size * share) - (share < 1 ? 7 : 0)),
    );
    for (let number = 0; number < 12; number++) {
      const key = store.key(runOf(number));
      copyFileSync(store.resultPath(key), join(copy, "results", `${key}.json`));
    }
    const opened = new RunStore(copy);
    opened.database.run("UPDATE runs SET claim_until = 0"); // the process that held them was killed
    const states = Array.from({ length: 12 }, (_, number) => opened.state(opened.key(runOf(number))).kind);
    const finished = states.filter((state) => state === "finished").length;
    assert.ok(
      states.every((state, number) => number < finished === (state === "finished")),
      `a beginning of what was done: ${states.join(" ")}`,
    );
    // It goes on from there.
    for (let number = finished; number < 12; number++) {
      const run = runOf(number);
      opened.register([run]);
      const claim = opened.claim(opened.key(run)) ?? assert.fail(`run ${number} is not to be had`);
      assert.ok(opened.finish(claim, resultOf(opened, run)));
    }
    counts.push(finished);
    opened.close();
  }
  assert.equal(counts.at(-1), 12);
  assert.ok((counts[0] ?? 12) < 12, "negative control: the log was cut");
  store.close();
});

test("a result file that is not what was written is not believed; a lost database is made again from the files", () => {
  const store = new RunStore(join(folder, "files"));
  const [kept, broken] = [runOf(1), runOf(2)];
  for (const run of [kept, broken]) store.finish(claimOf(store, run), resultOf(store, run));
  const path = store.resultPath(store.key(broken));
  writeFileSync(path, readFileSync(path, "utf8").replace('"seconds":1', '"seconds":2'));
  assert.equal(store.find(broken), undefined);
  assert.equal(store.state(store.key(broken)).kind, "waiting");
  store.close();
  const database = join(store.directory, "runs.sqlite");
  for (const ending of ["", "-wal", "-shm"]) rmSync(database + ending, { force: true });
  writeFileSync(path, "{");
  const again = new RunStore(store.directory);
  assert.equal(again.find(kept)?.seed, 1);
  assert.equal(again.find(broken), undefined);
  again.close();
  writeFileSync(database, "this is no database, but long enough to be taken for one".repeat(100));
  for (const ending of ["-wal", "-shm"]) rmSync(database + ending, { force: true });
  assert.throws(() => new RunStore(store.directory), /runs\.sqlite: the database of the store is damaged/);
});

test("the code that decides a result is what its run imports, and nothing else", () => {
  const { modules, packages } = decidingSources(suiteByName("string-rewrite").entry);
  for (const module of [
    "experiment/rewrite/run",
    "train/train",
    "model/decoder",
    "engine/native",
    "support/random",
  ]) {
    assert.ok(modules.includes(`src/${module}.ts`), module);
  }
  for (const part of [
    "report/",
    "cli/",
    "notebook/",
    "natural-instructions/",
    "experiment/pool",
    "experiment/places",
  ]) {
    assert.ok(!modules.some((module) => module.startsWith(`src/${part}`) || module.includes(part)), part);
  }
  assert.ok("@tensorflow/tfjs" in packages && "zod" in packages);
  const text = `import type { A } from "./type.js";
import { b } from "./b.js";
import {
  c,
} from "./c.js";
export { d } from "./d.js";
import "./e.js";
const f = await import("./f.js");
const g = new URL("./g.ts", import.meta.url);
const h = require("h");`;
  assert.deepEqual(
    referencesIn(text).sort(),
    ["./b.js", "./c.js", "./d.js", "./e.js", "./f.js", "./g.ts", "h"].sort(),
  );
});
