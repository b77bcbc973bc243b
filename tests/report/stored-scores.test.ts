import assert from "node:assert/strict";
import { test } from "node:test";
import type { Report } from "../../src/report/report.js";
import { storedAblations } from "../../src/report/experiments/stored-ablations.js";
import { storedScores } from "../../src/report/experiments/stored-scores.js";

const report: Report = {
  title: "a plan",
  summary: [],
  sections: [
    {
      heading: "Scores: rouge-l",
      table: {
        columns: [{ name: "arm" }, { name: "rows" }, { name: "rouge-l", unit: "%" }],
        rows: [
          ["format ift", "held-out", "2.5 [0.8, 4.2]"],
          ["format ift", "seen", "15.9 [-1.0, 25.1]"],
          ["floor: copies the input", "held-out", "14.2"],
        ],
      },
    },
  ],
  manifest: {},
};

test("scores and floors are read from the table of a stored report", () => {
  assert.deepEqual(storedScores(report, "rouge-l"), {
    arms: [
      { arm: "format ift", rows: "held-out", mean: 2.5, low: 0.8, high: 4.2 },
      { arm: "format ift", rows: "seen", mean: 15.9, low: -1, high: 25.1 },
    ],
    floors: [{ name: "copies the input", value: 14.2 }],
  });
  // The control: another metric has no table.
  assert.deepEqual(storedScores(report, "exact-match"), { arms: [], floors: [] });
});

test("every stored ablation has scores that can be read", () => {
  for (const { name, report: stored } of storedAblations()) {
    const metrics = stored.sections.flatMap(({ heading }) => /^Scores: (.*)/.exec(heading)?.[1] ?? []);
    assert.ok(metrics.length > 0, name);
    for (const metric of metrics) {
      const { arms } = storedScores(stored, metric);
      assert.ok(arms.length > 0 && arms.every(({ low, mean, high }) => low <= mean && mean <= high), name);
    }
  }
});
