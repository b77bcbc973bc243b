import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { MINI_BASELINE_SIZE, type MiniBaselines, miniBaselines } from "../../src/evaluate/baselines/mini.js";
import { NaiveBayes } from "../../src/evaluate/baselines/naive-bayes.js";
import { NearestRow } from "../../src/evaluate/baselines/nearest.js";
import { BASELINES, baselineTable } from "../../src/evaluate/baselines/table.js";
import { KitError } from "../../src/support/errors.js";

/** Manning, Raghavan and Schütze 2008, example 13.1. */
const CHINA = [
  { text: "Chinese Beijing Chinese", label: "china" },
  { text: "Chinese Chinese Shanghai", label: "china" },
  { text: "Chinese Macao", label: "china" },
  { text: "Tokyo Japan Chinese", label: "other" },
];

test("naive Bayes agrees with the worked example of the textbook", () => {
  const bayes = new NaiveBayes(CHINA);
  // Posteriors 3/4 (3/7)^3 (1/14)^2 = 0.0003 against 1/4 (2/9)^3 (2/9)^2 = 0.0001.
  assert.equal(bayes.predict("Chinese Chinese Chinese Tokyo Japan"), "china");
  // One "Chinese" fewer: 3/4 (3/7)^1 (1/14)^2 = 0.0016 against 1/4 (2/9)^3 = 0.0027.
  assert.equal(bayes.predict("Chinese Tokyo Japan"), "other");
  assert.equal(bayes.predict("never seen"), "china");
  assert.throws(() => new NaiveBayes([]), KitError);
});

test("the nearest row is the one that shares the rare words and pairs", () => {
  const nearest = new NearestRow([
    { text: "the cat sat on the mat", label: "cat" },
    { text: "the dog sat on the log", label: "dog" },
    { text: "the dog and the cat", label: "both" },
  ]);
  assert.equal(nearest.predict("a dog sat"), "dog");
  assert.equal(nearest.predict("the cat sat"), "cat");
  assert.equal(nearest.predict("dog and cat"), "both");
  assert.throws(() => new NearestRow([]), KitError);
});

function row(task: string, input: string, output: string, options?: readonly string[]): Example {
  const base = { id: input, task, taskType: task, input, outputs: [output], source: task };
  return options === undefined ? base : { ...base, options };
}

test("the table holds each baseline beside the perfect solver", () => {
  const train = [
    row("a", "good one", "Yes"),
    row("a", "bad one", "No"),
    row("a", "bad two", "No"),
    row("b", "x", "x"),
  ];
  const test = [row("a", "good three", "Yes"), row("a", "bad four", "No"), row("b", "q", "q")];
  const table = baselineTable(train, test, {
    groupOf: ({ task }) => task,
    solve: ({ outputs }) => outputs[0] ?? "",
    seed: 1,
  });
  const scores = Object.fromEntries(table.map((line) => [line.group, line.scores]));
  assert.equal(scores.a?.majority.exactMatch, 0.5);
  assert.equal(scores.a["naive-bayes"].exactMatch, 1);
  assert.equal(scores.a.nearest.exactMatch, 1);
  assert.equal(scores.a["copy-input"].exactMatch, 0);
  assert.equal(scores.b?.["copy-input"].exactMatch, 1);
  assert.equal(scores.b.majority.exactMatch, 0);
  // A task without training rows learns from all of them.
  const [line] = baselineTable(train, [row("c", "bad five", "No")], {
    groupOf: () => "c",
    solve: () => "",
    seed: 1,
  });
  assert.equal(line?.scores["naive-bayes"].exactMatch, 1);
  assert.equal(line.scores.perfect.exactMatch, 0);
});

test("on the mini tasks the perfect solver has 100%, and no baseline solves what it should not", () => {
  const { taskTypes, gridLevels } = miniBaselines({ trainRows: 40, testRows: 60 }, 1);
  for (const { group, scores } of [...taskTypes, ...gridLevels])
    assert.equal(scores.perfect.exactMatch, 1, group);
  // These tasks are about the order or the meaning of words; their floor is the share of the largest class.
  for (const [taskType, most] of [
    ["sentiment", 0.6],
    ["inference", 0.52],
    ["open-questions", 0.15],
    ["word-category", 0.15],
  ] as const) {
    const line = taskTypes.find(({ group }) => group === taskType);
    assert.ok(line !== undefined);
    for (const name of ["naive-bayes", "nearest"] as const) {
      const score = line.scores[name].exactMatch;
      assert.ok(score < most, `${name} has ${score} on ${taskType}`);
    }
  }
  for (const { group, scores } of gridLevels.filter(({ group: level }) => level.startsWith("held-out"))) {
    for (const name of BASELINES.filter((baseline) => baseline !== "perfect")) {
      assert.ok(scores[name].exactMatch < 0.05, `${name} has ${scores[name].exactMatch} on ${group}`);
    }
  }
  // Negative control: words alone do tell the topic of news.
  const topic = taskTypes.find(({ group }) => group === "topic");
  assert.ok((topic?.scores["naive-bayes"].exactMatch ?? 0) > 0.6);
});

test("the stored table is of the size that the command has, with a perfect solver at 100%", () => {
  const path = resolve(import.meta.dirname, "../../datasets/mini/baselines.json");
  const stored = JSON.parse(readFileSync(path, "utf8")) as MiniBaselines;
  assert.equal(stored.trainRows, MINI_BASELINE_SIZE.trainRows);
  assert.equal(stored.testRows, MINI_BASELINE_SIZE.testRows);
  assert.equal(stored.taskTypes.length, 17);
  assert.equal(stored.gridLevels.length, 7);
  const lines = [...stored.taskTypes, ...stored.tasks, ...stored.gridLevels];
  assert.ok(lines.every(({ scores }) => scores.perfect.exactMatch === 1));
});
