import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { generateData } from "../../src/generate/generate-data.js";
import type { QualityReport } from "../../src/generate/quality/index.js";
import { scriptedTeacher } from "../../src/generate/teacher/scripted-teacher.js";
import { jsonLines, NO_SHARED_DATA, put, sharedData, temporaryFolder } from "./fixtures.js";

const ROOT = resolve(import.meta.dirname, "../..");
const SAMPLES = join(ROOT, "datasets/samples");

function quality(...options: string[]): { code: number | null; out: string; error: string } {
  const program = join(ROOT, "src/cli/ift-kit.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "data", "quality", ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout, error: stderr };
}

test("data quality describes a run beside files, with its ledger, and writes a page", async (context) => {
  const folder = temporaryFolder(context);
  const run = join(folder, "run");
  await generateData({ method: "personas", seeds: [], teacher: scriptedTeacher(), folder: run, count: 30 });
  const page = join(folder, "page");
  const seeds = join(SAMPLES, "self-instruct.jsonl");
  const shown = quality(`made=${run}`, join(SAMPLES, "alpaca.json"), "--seeds", seeds, "--out", page);
  assert.deepEqual([shown.code, shown.error], [0, ""]);
  assert.match(shown.out, /^made: 30 rows with 30 different instructions; 0 of these .* 30 of \d+ proposed/m);
  assert.match(shown.out, /^Too few instructions to compare how varied they are: alpaca, self-instruct\.$/m);
  assert.match(shown.out, /made +tasks +rouge-l +similar +\d+ +the instruction is too similar/);
  assert.ok(existsSync(join(page, "report.html")) && existsSync(join(page, "report.json")));
  assert.ok(readdirSync(join(page, "images")).includes("nearest-seed.png"));

  const printed = JSON.parse(quality(run, "--json", "--draws", "3").out) as QualityReport;
  const [made] = printed.sets;
  assert.deepEqual([made?.name, made?.rows, made?.ledger?.tasks.kept], ["run", 30, 30]);
  assert.deepEqual([made?.matched?.instructions, made?.matched?.draws], [15, 3]);
});

test("bad input to data quality is one line and an exit code", (context) => {
  const folder = temporaryFolder(context);
  const rows = join(SAMPLES, "alpaca.json");
  const stopped = join(folder, "stopped");
  put(folder, "stopped/manifest.json", JSON.stringify({ identity: { method: "alpaca", teacher: "x" } }));
  writeFileSync(join(folder, "a=b.jsonl"), jsonLines({ instruction: "Say it", input: "", output: "it" }));
  const cases: [string[], number, RegExp][] = [
    [["none.json"], 1, /none\.json: no such file or folder/],
    [[rows, rows], 1, /two sets have the name "alpaca".*NAME=PATH/],
    [[stopped], 1, /manifest\.json: the run was stopped before it wrote its rows.*goes on/],
    [[rows, "--draws", "0"], 2, /whole number/],
    [[rows, "--threshold", "2"], 2, /at most 1/],
  ];
  for (const [options, code, says] of cases) {
    const result = quality(...options);
    assert.equal(result.code, code, options.join(" "));
    assert.match(result.error, says);
    assert.equal(result.out, "");
  }
  assert.match(quality(join(folder, "a=b.jsonl")).out, /^a=b: 1 rows/, "a file may have = in its name");
});

const alpaca = sharedData("alpaca/alpaca_random_9k.json");
const seedTasks = sharedData("self-instruct/seed_tasks.jsonl");
test(
  "no instruction of Alpaca is more than 0.7 like a seed of Self-Instruct: its filter saw to that",
  { skip: alpaca === undefined || seedTasks === undefined ? NO_SHARED_DATA : false },
  () => {
    const { out } = quality(`a=${alpaca}`, "--seeds", `s=${seedTasks}`, "--skip-malformed", "--json");
    const [set] = (JSON.parse(out) as QualityReport).sets;
    assert.equal(set?.nearestSeeds?.aboveLimit, 0);
    assert.ok(set.nearestSeeds.rougeL.max > 0.65, "but some come near");
  },
);
