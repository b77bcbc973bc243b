import assert from "node:assert/strict";
import { test } from "node:test";
import { analysePlan, type FinishedRun } from "../../src/experiment/plan/analysis.js";
import { parsePlan } from "../../src/experiment/plan/plan.js";
import { planReport } from "../../src/report/experiments/plan.js";
import { madeUpResult } from "./made-up-result.js";

const plan = parsePlan({
  version: 1,
  name: "formats",
  suite: "mini-grid",
  factors: { format: ["ift", "sft", "sft-tag"] },
  seeds: [1, 2],
  budget: { unit: "steps", amount: 1 },
  hypotheses: ["sft", "sft-tag"].map((other) => ({
    statement: `IFT beats ${other}`,
    a: { format: "ift" },
    b: { format: other },
    direction: "a-is-higher",
    metric: "exact-match",
  })),
});

function run(format: string, seed: number, score: number): FinishedRun {
  const rows = Array.from({ length: 12 }, (_, index) => ({
    id: `row ${index}`,
    task: "t",
    taskType: `type ${index % 4}`,
    part: "held-out" as const,
    prompt: "",
    target: "lamp",
    output: "",
    scores: { "exact-match": score },
  }));
  const result = madeUpResult({ suite: "mini-grid", id: "", arm: `format ${format}`, seed }, { rows });
  return { levels: { format }, result };
}

const runs = [1, 2].flatMap((seed) => [run("ift", seed, 1), run("sft", seed, 0)]);

test("a plan that is partly run is reported: what is there is judged, the rest is called undecided", () => {
  const analysis = analysePlan(plan, runs);
  assert.deepEqual(
    analysis.hypotheses.map(({ hypothesis, verdict }) => [hypothesis.statement, verdict]),
    [["IFT beats sft", "supported"]],
  );
  assert.deepEqual(
    analysis.undecided.map(({ statement }) => statement),
    ["IFT beats sft-tag"],
  );
  const missing = [{ id: "format sft-tag, seed 1", message: "it is to do" }];
  const { summary } = planReport(plan, runs, missing, analysis);
  assert.ok(summary.some((line) => /^Undecided: IFT beats sft-tag\..*runs are missing/.test(line)));
  assert.ok(summary.some((line) => line.includes("format sft-tag, seed 1")));
});

test("the control: with all runs nothing is undecided", () => {
  const whole = [...runs, run("sft-tag", 1, 0), run("sft-tag", 2, 1)];
  const analysis = analysePlan(plan, whole);
  assert.equal(analysis.undecided.length, 0);
  assert.equal(analysis.hypotheses.length, 2);
  assert.ok(!planReport(plan, whole, [], analysis).summary.some((line) => line.startsWith("Undecided")));
});
