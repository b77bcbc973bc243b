import assert from "node:assert/strict";
import { test } from "node:test";
import type { FinishedRun } from "../../src/experiment/plan/analysis.js";
import { parsePlan } from "../../src/experiment/plan/plan.js";
import type { RunResult } from "../../src/experiment/result.js";
import { measuredFloors } from "../../src/report/experiments/measured-floors.js";
import { planSections } from "../../src/report/experiments/plan-figures.js";
import type { Trace } from "../../src/report/figure.js";
import { points } from "../../src/report/figures/points.js";
import { scoreStrips } from "../../src/report/figures/score-strips.js";
import { renderPng } from "../../src/report/png.js";

const plan = parsePlan({
  version: 1,
  name: "doses",
  suite: "mini-grid",
  factors: { trainingCells: [10, 90] },
  seeds: [1, 2],
  budget: { unit: "steps", amount: 1 },
});

/** A run whose held-out rows are right with the given pattern, with what the figures read of a result. */
function fakeRun(
  level: string,
  seed: number,
  right: readonly number[],
  extras: Partial<RunResult>,
): FinishedRun {
  const rows = right.map((score, index) => ({
    id: `row-${index % 4}-${seed}`,
    task: "t",
    taskType: index % 2 === 0 ? "kind/twice" : "day/plain",
    part: index < 4 ? ("held-out" as const) : ("seen" as const),
    prompt: "",
    target: "lamp",
    output: "",
    ...(extras.forgetting === undefined ? {} : { wording: `wording ${1 + (index % 2)}` }),
    scores: { "exact-match": score },
  }));
  const training = { flops: 1e9 * Number(level) } as RunResult["training"];
  const result = { arm: `trainingCells ${level}`, seed, rows, training, ...extras } as RunResult;
  return { levels: { trainingCells: level }, result };
}

const bare = [1, 2].flatMap((seed) => [
  fakeRun("10", seed, [0, 0, 0, 1, 1, 1, 1, 1], {}),
  fakeRun("90", seed, [1, 1, 0, 1, 1, 1, 1, 1], {}),
]);
const headings = (runs: readonly FinishedRun[]): string[] =>
  planSections(plan, runs).map(({ heading }) => heading);

test("a plan has each figure where its runs have the data, and no other", () => {
  assert.deepEqual(headings(bare), ["Score over trainingCells", "Held-out task types", "Cost and score"]);
  const forgetting = { text: "a text", bytes: 10, before: 0.3, after: 0.9 };
  const whole = [
    fakeRun("10", 1, [0, 1, 0, 1], { forgetting }),
    fakeRun("90", 1, [1, 1, 0, 1], { forgetting }),
  ];
  assert.deepEqual(headings(whole), [
    "Score over trainingCells",
    "Held-out task types",
    "Template variance",
    "Cost and score",
    "Generalization and forgetting",
  ]);
});

test("floors that the runs measured are drawn on their task types, each the mean over the runs", () => {
  const floor = (value: number, metric = "exact-match"): NonNullable<RunResult["floors"]>[number] => ({
    part: "held-out",
    taskType: "kind/twice",
    metric,
    name: "copies the input",
    value,
  });
  const runs = [
    fakeRun("10", 1, [0, 1, 0, 1], { floors: [floor(0.1), floor(0.9, "rouge-l")] }),
    fakeRun("90", 1, [1, 1, 0, 1], { floors: [floor(0.3)] }),
  ];
  const [{ mean, byTaskType } = { mean: 0, byTaskType: new Map<string, number>() }] = measuredFloors(
    runs.map(({ result }) => result),
    "exact-match",
  );
  assert.equal(mean, 0.2);
  assert.deepEqual([...byTaskType], [["kind/twice", 0.2]]);
  const names = (own: readonly FinishedRun[]): (string | undefined)[] =>
    planSections(plan, own)[1]?.figure?.data.map((trace) => ("name" in trace ? trace.name : "")) ?? [];
  assert.ok(names(runs).includes("floor: copies the input"));
  // The control: without them it is the floor that the rows tell.
  assert.ok(names(bare).includes("floor: the most frequent reference"));
  assert.ok(!names(runs).includes("floor: the most frequent reference"));
});

test("the curve and the points are at the means of the runs", () => {
  const [curve, , cost] = planSections(plan, bare);
  const dots = (section = curve): Trace[] =>
    section?.figure?.data.filter((trace) => trace.type === "scatter") ?? [];
  const held = dots().find(({ name }) => name === "held-out");
  assert.deepEqual(held?.x, [10, 90]);
  assert.deepEqual(held.y, [0.25, 0.75]);
  const [first] = dots(cost);
  assert.deepEqual(
    [first?.x, first?.y],
    [
      [1e10, 1e10],
      [0.25, 0.25],
    ],
  );
});

test("the strips stand at their scores with the median, and both new figures can be drawn", async () => {
  const strips = scoreStrips({
    id: "strips",
    title: "Over wordings",
    valueTitle: "exact match",
    rows: [
      { label: "ift", values: [0.2, 0.6, 0.4, 0.5].map((value, index) => ({ name: `w${index}`, value })) },
    ],
  });
  assert.deepEqual(strips.data[1]?.x, [0.45]);
  assert.match(strips.description, /0\.45 \(0\.20 to 0\.60\)/);
  const scatter = points({
    id: "scatter",
    title: "Cost",
    xTitle: "operations",
    yTitle: "exact match",
    series: [{ name: "ift", points: [{ x: 1e9, y: 0.5, label: "seed 1" }] }],
    reference: { name: "before", x: 2e9 },
  });
  for (const figure of [strips, scatter]) assert.ok((await renderPng(figure)).length > 1000);
  assert.throws(() => scoreStrips({ id: "none", title: "", valueTitle: "", rows: [] }), /nothing to draw/);
});

test("levels stand beside their own floors, and templates of data sets have their spread", () => {
  const level = "held-out clusters";
  const rows = ["a", "b", "c"].flatMap((template, index) =>
    [0, 1, 2, 3].map((row) => ({
      ...{ id: `${template}-${row}`, task: template, taskType: "news", part: "held-out" as const, level },
      ...{ wording: template, prompt: "", target: row === 0 ? "no" : "yes", output: "" },
      scores: { "exact-match": row <= index ? 1 : 0 },
    })),
  );
  const floor = { part: "held-out" as const, level, taskType: "news", metric: "exact-match" };
  const floors = [{ ...floor, name: "random option", value: 0.5 }];
  const run = fakeRun("10", 1, [], {});
  const of = (own: typeof rows): ReturnType<typeof planSections> =>
    planSections(plan, [{ ...run, result: { ...run.result, rows: own, floors } }]);
  const table = (heading: string, own = rows): readonly unknown[] | undefined =>
    of(own).find((section) => section.heading === heading)?.table?.rows[0];
  // Templates a, b and c are right on 1, 2 and 3 of 4 rows; "yes" on 3 of 4 of each.
  assert.deepEqual(table("Spread over templates"), ["news", level, 3, "25.0", "50.0", "75.0", "75.0"]);
  assert.deepEqual(table("Levels and their floors")?.slice(0, 3), [level, 12, "50.0"]);
  assert.match(String(table("Levels and their floors")?.[3]), /^50\.0 \[/);
  assert.ok(!of(rows).some(({ heading }) => heading === "Template variance"));
  // The control: wordings that several task types share are wordings of the same rows.
  const shared = rows.map((row, index) => ({ ...row, taskType: index % 2 === 0 ? "news" : "reviews" }));
  assert.equal(table("Spread over templates", shared), undefined);
  assert.ok(of(shared).some(({ heading }) => heading === "Template variance"));
});
