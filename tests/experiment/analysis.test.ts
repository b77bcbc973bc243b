import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunResult, ScoredRow } from "../../src/experiment/result.js";
import { analyseRewrite } from "../../src/experiment/rewrite/analysis.js";
import { armName } from "../../src/experiment/rewrite/plan.js";
import type { RewriteArm } from "../../src/experiment/rewrite/settings.js";
import { Random } from "../../src/support/random.js";
import { rewriteReport } from "../../src/report/experiments/rewrite.js";
import { madeUpResult } from "./made-up-result.js";
import { TINY_SETTINGS } from "./tiny.js";

const OPTIONS = { resamples: 1000, level: 0.95, seed: 1 } as const;
const DOSES = { trainingRules: [10, 100], tagRules: [100] };

/** A finished run whose rows are right with the given probabilities. */
function fakeRun(format: RewriteArm, rules: number, seed: number, heldOut: number, seen: number): RunResult {
  const random = Random.derive(seed, `${format}-${rules}`);
  const rows = (part: ScoredRow["part"], right: number): ScoredRow[] =>
    Array.from({ length: 120 }, (_, index) => ({
      id: `${part}-${index}`,
      task: `rule ${index % 30}`,
      taskType: `rule ${index % 30}`,
      part,
      prompt: "a>b|a=",
      target: "b",
      output: "b",
      scores: { "exact-match": random.next() < right ? 1 : 0 },
    }));
  const arm = armName(format, rules);
  return madeUpResult(
    { suite: "string-rewrite", id: "", arm, seed },
    { rows: [...rows("held-out", heldOut), ...rows("seen", seen)] },
  );
}

function fakeResults(tagHeldOut: number): RunResult[] {
  return [1, 2].flatMap((seed) => [
    fakeRun("ift", 100, seed, 0.8, 0.9),
    fakeRun("ift", 10, seed, 0.05, 0.95),
    fakeRun("sft", 100, seed, 0.02, 0.02),
    fakeRun("sft-tag", 100, seed, tagHeldOut, 0.9),
    fakeRun("ift-shuffled", 100, seed, 0.02, 0.02),
  ]);
}

test("claims hold where the intervals allow them", () => {
  const analysis = analyseRewrite(fakeResults(0.01), DOSES, OPTIONS);
  assert.deepEqual(
    analysis.claims.map(({ holds }) => holds),
    [true, true, true, true],
  );
  assert.deepEqual(
    analysis.curve.map(({ trainingRules }) => trainingRules),
    [10, 100],
  );
  const sft = analysis.differences.find(({ against }) => against === "sft")?.difference;
  assert.ok(sft !== undefined && Math.abs(sft.mean - 0.78) < 0.06 && sft.low > 0.6);
});

test("negative control: a claim that the numbers do not support is not made", () => {
  const analysis = analyseRewrite(fakeResults(0.8), DOSES, OPTIONS);
  const tag = analysis.claims[analysis.differences.findIndex(({ against }) => against === "sft-tag")];
  assert.equal(tag?.holds, false);
  const report = rewriteReport({ settings: TINY_SETTINGS, results: fakeResults(0.8), analysis });
  assert.ok(report.summary.some((line) => line.startsWith("Not shown: IFT beats SFT with task tags")));
});

test("an arm without results is an error, not a hole in the figure", () => {
  const results = fakeResults(0.01).filter(({ arm }) => arm !== "sft-100");
  assert.throws(() => analyseRewrite(results, DOSES, OPTIONS), /sft-100 has no finished run/);
});

test("budgets are printed in all three units", () => {
  const [first] = analyseRewrite(fakeResults(0.01), DOSES, OPTIONS).budgets;
  assert.deepEqual(
    [first?.supervisedTokens, first?.totalTokens, first?.steps, first?.runs],
    [1000, 3000, 10, 2],
  );
});
