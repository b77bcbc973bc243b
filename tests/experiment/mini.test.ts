import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { HELD_OUT_CELLS, TRAINING_CELLS } from "../../src/data/mini/grid/cells.js";
import { GRID_LEVELS } from "../../src/data/mini/grid/rows.js";
import { analyseMini } from "../../src/experiment/mini/analysis.js";
import { clusterLevel, type MiniRun, planMiniRuns } from "../../src/experiment/mini/plan.js";
import { miniRows } from "../../src/experiment/mini/rows.js";
import { runMini } from "../../src/experiment/mini/run.js";
import { FAST_MINI_SETTINGS, type MiniSettings, RANDOM_START } from "../../src/experiment/mini/settings.js";
import type { RunResult } from "../../src/experiment/result.js";
import { miniReport } from "../../src/report/experiments/mini-report.js";
import { Random } from "../../src/support/random.js";
import { madeUpResult } from "./made-up-result.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-mini-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const SELECTOR = { over: "selectors", name: "kind" } as const;
const FORMAT = { over: "formats", name: "twice" } as const;
const rowsOfLevels = Object.fromEntries(GRID_LEVELS.map((level) => [level, 30])) as MiniSettings["testRows"];
const TINY: MiniSettings = {
  ...FAST_MINI_SETTINGS,
  start: {
    ...RANDOM_START,
    decoder: { ...RANDOM_START.decoder, width: 16, layers: 1, heads: 2, feedForwardWidth: 32 },
  },
  trainingCells: [20, 90],
  clusters: [SELECTOR, FORMAT],
  seeds: [1],
  trainingRows: 400,
  testRows: rowsOfLevels,
  clusterRows: 20,
  supervisedTokens: 300,
  rowsPerStep: 16,
};
const plan = planMiniRuns(TINY);
const runOf = (arm: string): MiniRun => {
  const run = plan.find((one) => one.arm === arm);
  assert.ok(run !== undefined, arm);
  return run;
};

test("the plan has every arm once for each seed, under one budget", () => {
  const arms = planMiniRuns({ ...TINY, seeds: [1, 2, 3] }).map(({ arm }) => arm);
  for (const arm of ["ift-90", "ift-20", "sft-90", "sft-tag-90", "ift-shuffled-90"]) {
    assert.equal(arms.filter((name) => name === arm).length, 3, arm);
  }
  assert.equal(arms.length, 3 * 7);
  assert.equal(new Set(plan.map(({ id }) => id)).size, plan.length);
  assert.equal(new Set(plan.map(({ settings }) => settings.budget.amount)).size, 1);
});

test("arms differ in what is shown beside the same texts and answers, and in nothing else", () => {
  const [ift, sft, tag, shuffled] = ["ift-90", "sft-90", "sft-tag-90", "ift-shuffled-90"].map((arm) =>
    miniRows(runOf(arm)),
  ) as [ReturnType<typeof miniRows>, ...ReturnType<typeof miniRows>[]];
  const shown = ({ train }: ReturnType<typeof miniRows>): unknown =>
    train.map(({ id, input, outputs, task }) => [id, input, outputs, task]);
  for (const other of [sft, tag, shuffled]) {
    assert.ok(other !== undefined);
    assert.deepEqual(shown(other), shown(ift));
    assert.deepEqual(
      other.tests.map(({ level, examples }) => [level, examples.map(({ id, input }) => [id, input])]),
      ift.tests
        .slice(0, GRID_LEVELS.length)
        .map(({ level, examples }) => [level, examples.map(({ id, input }) => [id, input])]),
    );
  }
  // Shuffled in training, true in the test.
  const own = ift.train.filter((row, index) => row.instruction === shuffled?.train[index]?.instruction);
  assert.ok(own.length < 0.1 * ift.train.length);
  assert.equal(
    shuffled?.tests[0]?.examples[0]?.instruction,
    ift.tests[0]?.examples[0]?.instruction,
    "the test asks with the true instruction",
  );
  // A tag and the slot words, but no word of what to do.
  assert.ok(tag?.train.every(({ instruction = "" }) => !/write|twice|brackets|person/i.test(instruction)));
});

test("held-out task types are in no training row, and fewer task types have as many rows", () => {
  const heldOut = new Set(HELD_OUT_CELLS.map(({ name }) => name));
  const [many, few] = [miniRows(runOf("ift-90")), miniRows(runOf("ift-20"))];
  assert.ok(many.train.every(({ task }) => !heldOut.has(task)));
  assert.equal(new Set(many.train.map(({ task }) => task)).size, 90);
  assert.equal(new Set(few.train.map(({ task }) => task)).size, 20);
  assert.ok(Math.abs(many.train.length - few.train.length) < 0.1 * many.train.length);
  // What is asked as "seen" was trained; the held-out rows are the same at every number of task types.
  const trained = new Set(few.train.map(({ task }) => task));
  assert.ok(few.tests[0]?.level === "seen" && few.tests[0].examples.every(({ task }) => trained.has(task)));
  const heldOutIn = ({ tests }: typeof few): unknown =>
    tests.find(({ level }) => level === "held-out-cell")?.examples;
  assert.deepEqual(heldOutIn(few), heldOutIn(many));
});

test("a cluster that is left out is in no training row, and is what is asked", () => {
  for (const [cluster, arm, place] of [
    [SELECTOR, "ift-without-selector-kind", 0],
    [FORMAT, "ift-without-format-twice", 1],
  ] as const) {
    const without = miniRows(runOf(arm));
    const isInside = ({ task }: { readonly task: string }): boolean =>
      task.split("/")[place] === cluster.name;
    assert.equal(without.train.filter(isInside).length, 0);
    assert.ok(miniRows(runOf("ift-90")).train.some(isInside), "negative control: else it is trained");
    assert.deepEqual(
      without.tests.map(({ part, level, examples }) => [part, level, examples.every(isInside)]),
      [["held-out", clusterLevel(cluster), true]],
    );
  }
});

test("a run answers every level, and two runs of one specification are the same", async () => {
  const run = runOf("ift-90");
  const once = async (name: string): Promise<RunResult> => {
    const result = await runMini(run, {
      key: "key",
      sourceHash: "",
      workFolder: join(folder, name),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    assert.ok(result !== undefined);
    return result;
  };
  const [first, second] = [await once("a"), await once("b")];
  assert.deepEqual([...new Set(first.rows.map(({ level }) => level))], [...GRID_LEVELS]);
  assert.equal(first.training.droppedRows, 0, "no row is too long");
  assert.deepEqual(first.rows, second.rows);
  assert.deepEqual(first.curve, second.curve);
  assert.equal(first.training.weightsHash, second.training.weightsHash);
});

/** Results whose rows are right with probabilities that depend on arm and level. */
function fakeResults(rightOf: (run: MiniRun, level: string) => number, settings: MiniSettings): RunResult[] {
  return planMiniRuns(settings).map((run) => {
    const random = Random.derive(run.seed, run.arm);
    const rows = miniRows(run).tests.flatMap(({ part, level = "", examples }) =>
      examples.map((row) => ({
        id: row.id,
        task: row.task,
        taskType: row.taskType,
        part,
        level,
        prompt: row.input,
        target: row.outputs[0] ?? "",
        output: "",
        scores: { "exact-match": random.next() < rightOf(run, level) ? 1 : 0 },
      })),
    );
    return madeUpResult(run, { rows });
  });
}

const SETTINGS: MiniSettings = { ...TINY, seeds: [1, 2, 3] };
const effect = (run: MiniRun, level: string): number => {
  if (run.arm === "ift-20") return level === "seen" ? 0.9 : 0.15;
  if (run.format === "ift") return level === "held-out-format" || run.without !== undefined ? 0.01 : 0.8;
  return run.format === "sft-tag" && level === "seen" ? 0.8 : 0.02;
};

test("claims hold where the intervals allow them; what fails is said", () => {
  const analysis = analyseMini(fakeResults(effect, SETTINGS), SETTINGS);
  assert.deepEqual(
    analysis.claims.map(({ holds }) => holds),
    [true, true, true, true, true],
  );
  assert.equal(analysis.cells.filter(({ level }) => level === "held-out-cell").length, HELD_OUT_CELLS.length);
  assert.ok(analysis.clusters.every(({ trained, leftOut }) => trained.mean > 0.5 && leftOut.mean < 0.1));
  const floor = analysis.floors.find(({ level }) => level === "held-out-cell");
  assert.ok(floor !== undefined && floor.randomWord > 0.05 && floor.randomWord < 0.1);
  const report = miniReport({ settings: SETTINGS, results: fakeResults(effect, SETTINGS), analysis });
  const reach = report.sections.find(({ heading }) => heading === "How far it reaches");
  assert.match(reach?.text?.join(" ") ?? "", /Not above a random word .*: unseen ways to write/);
  assert.equal(report.sections.filter(({ figure }) => figure !== undefined).length, 8);
});

test("negative control: without an effect no claim is made", () => {
  const same = (): number => 0.1;
  const analysis = analyseMini(fakeResults(same, SETTINGS), SETTINGS);
  assert.deepEqual(
    analysis.claims.slice(0, 4).map(({ holds }) => holds),
    [false, false, false, false],
  );
});

test("the training cells in order hold every selector early", () => {
  assert.equal(new Set(TRAINING_CELLS.slice(0, 10).map(({ selector }) => selector.name)).size, 10);
});
