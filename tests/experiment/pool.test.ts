import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { doRuns, requireAll } from "../../src/experiment/pool.js";
import type { RunResult } from "../../src/experiment/result.js";
import { planRewriteRuns, type RewriteRun } from "../../src/experiment/rewrite/plan.js";
import { RunStore } from "../../src/experiment/store.js";
import { readRunResult } from "../../src/experiment/store/result-file.js";
import { TINY_SETTINGS } from "./tiny.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-pool-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const plan = planRewriteRuns(TINY_SETTINGS);
const [first, second] = plan as [RewriteRun, RewriteRun];

/** What must not depend on how a run came about. */
function numbersOf({ rows, curve, training }: RunResult): unknown {
  return { rows, curve, steps: training.steps, supervisedTokens: training.supervisedTokens };
}

test("the plan has every arm once for each seed, and one budget for all", () => {
  assert.deepEqual(
    plan.map(({ id }) => id),
    ["sft-tag-20", "ift-shuffled-20", "ift-20", "ift-2", "sft-20"].map((arm) => `${arm}-seed-1`),
  );
  assert.equal(new Set(plan.map(({ settings }) => settings.budget.amount)).size, 1);
});

test("runs are done in workers, stored, and found again", async () => {
  const store = new RunStore(join(folder, "whole"));
  const shares: number[] = [];
  const done = await doRuns([first, second], store, {
    processes: 1,
    onProgress: ({ fraction }) => shares.push(fraction),
  });
  assert.deepEqual([done.status, done.failed, done.results.length], ["finished", [], 2]);
  assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
  for (const { training, manifest } of done.results) {
    assert.ok(training.supervisedTokens > 1480 && training.supervisedTokens <= 1500);
    assert.equal(manifest.engine.threads >= 1, true);
  }
  const again = await doRuns([first, second], store, { processes: 1 });
  assert.deepEqual(again.results, done.results, "nothing was computed twice");

  // A damaged result is done again, and gives the same numbers; other settings are another run.
  const path = store.resultPath(store.key(first));
  writeFileSync(path, readFileSync(path, "utf8").slice(0, 500));
  assert.throws(() => readRunResult(path), new RegExp("not valid JSON"));
  assert.equal(store.find(first), undefined);
  const mended = await doRuns([first], store, { processes: 1 });
  assert.deepEqual(mended.results.map(numbersOf), done.results.slice(0, 1).map(numbersOf));
  assert.equal(
    store.find({ ...first, settings: { ...first.settings, learningRate: 1 } } as RewriteRun),
    undefined,
  );
});

test("a stopped experiment goes on, and ends with the numbers of one that was never stopped", async () => {
  const run = {
    ...first,
    settings: {
      ...first.settings,
      budget: { unit: "supervised-tokens", amount: 6000 },
      trainingRows: 1200,
    },
  } as const;
  const whole = await doRuns([run], new RunStore(join(folder, "never-stopped")), { processes: 1 });
  const store = new RunStore(join(folder, "stopped"));
  const stop = new AbortController();
  const stopped = await doRuns([run], store, {
    processes: 1,
    signal: stop.signal,
    onProgress: ({ fraction }) => {
      if (fraction > 0) stop.abort();
    },
  });
  assert.deepEqual([stopped.status, stopped.results.length], ["stopped", 0]);
  assert.throws(() => requireAll(stopped), /was stopped/);
  const resumed = await doRuns([run], store, { processes: 1 });
  assert.deepEqual(resumed.results.map(numbersOf), whole.results.map(numbersOf));
});

test("a run that fails leaves its reason and the others go on", async () => {
  const broken = { ...second, id: "broken", settings: { ...second.settings, learningRate: -1 } };
  const done = await doRuns([broken, first], new RunStore(join(folder, "whole")), { processes: 1 });
  assert.deepEqual(
    done.results.map(({ arm }) => arm),
    [first.arm],
  );
  assert.equal(done.failed[0]?.id, "broken");
  assert.match(done.failed[0].message, /learningRate/);
  assert.throws(() => requireAll(done), /1 of the runs failed, the first was broken/);
});
