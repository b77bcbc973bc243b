import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { distributionOf } from "../../src/data/compare/lengths.js";
import type { Example } from "../../src/data/example.js";
import { splitByTaskType } from "../../src/data/split.js";
import { acrossSplitFigure, overlapFigure } from "../../src/report/data/overlap.js";
import { findLeaks } from "../../src/similarity/leakage/report.js";
import { taskTypeSimilarity } from "../../src/similarity/task-types.js";
import { exampleWith } from "../data/fixtures.js";
//X from "../../src/data/compare/lengths.js";
import type { AnyFigure } from "../../src/report/figure.js";
import { compactNumber } from "../../src/report/figures/common.js";
import { lengthBoxes } from "../../src/report/figures/length-boxes.js";
import { matrixMap, type MatrixMapOptions } from "../../src/report/figures/matrix-map.js";
import { tokenBars } from "../../src/report/figures/token-bars.js";
import { verbMap } from "../../src/report/figures/verb-map.js";
import { renderPng, renderSvg } from "../../src/report/png.js";
import { KitError } from "../../src/support/errors.js";

const MATRIX: MatrixMapOptions = {
  id: "matrix",
  title: "Overlap of task types",
  valueTitle: "shared inputs (share of held-out rows)",
  rows: ["held <out> & first", "second"],
  columns: ["train one", "train two", "train three"],
  values: [
    [0, 0.5, 1],
    [0.25, null, 0],
  ],
};

const FIGURES: Readonly<Record<string, AnyFigure>> = {
  tokens: tokenBars({
    id: "tokens",
    title: "Tokens by where they come from",
    valueTitle: "tokens (number)",
    rows: [
      { label: "SFT", tokens: { special: 2, scaffold: 10, input: 400, response: 100 } },
      { label: "IFT", tokens: { special: 2, scaffold: 30, instruction: 1500, input: 400, response: 100 } },
    ],
  }),
  matrix: matrixMap(MATRIX),
  verbs: verbMap({
    id: "verbs",
    title: "What the instructions ask for",
    verbs: [
      { verb: "write", count: 9, objects: [{ object: "story <b>", count: 5 }] },
      { verb: "explain", count: 2, objects: [] },
    ],
  }),
  lengths: lengthBoxes({
    id: "lengths",
    title: "How long outputs are",
    valueTitle: "output (tokens, log scale)",
    rows: [
      { label: "one", lengths: distributionOf([1, 2, 3, 4, 40]) ?? assert.fail() },
      { label: "two", lengths: distributionOf([10]) ?? assert.fail() },
    ],
  }),
};

describe("figures of a comparison", () => {
  for (const [name, figure] of Object.entries(FIGURES)) {
    it(`${name}: plotly knows every field, and the picture has its size and its words`, async () => {
      const image = await loadImage(Buffer.from(await renderPng(figure, { scale: 1 })));
      assert.deepEqual([image.width, image.height], [760, figure.layout.height]);
      const svg = await renderSvg(figure);
      // plotly itself calls the mark of a bar in the legend so.
      assert.doesNotMatch(svg.replaceAll("legendundefined", ""), /NaN|undefined/);
      assert.ok(svg.includes(figure.title.split(" ")[0] ?? "?"));
      assert.ok(figure.description.length > 40);
      assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure);
    });
  }

  it("the cells of a matrix are painted from the page's colour to the full one, empty ones not", async () => {
    const plain = matrixMap({
      ...MATRIX,
      columns: MATRIX.columns.slice(0, 2),
      values: [
        [0, 1],
        [null, 0.5],
      ],
    });
    const image = await loadImage(Buffer.from(await renderPng(plain, { scale: 1 })));
    const canvas = createCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const blue = (share: number): number => {
      const { data } = context.getImageData(0, 0, image.width, image.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        const wanted = 255 - share * (255 - 0x72);
        if (
          data[at + 2] !== undefined &&
          Math.abs((data[at + 1] ?? 0) - wanted) <= 2 &&
          (data[at] ?? 0) <= 255 * (1 - share) + 3
        )
          count++;
      }
      return count;
    };
    const cell = blue(1);
    assert.ok(cell > 3000, `the full cell has ${cell} pixels`);
    assert.ok(blue(0.52) > 3000, "the half cell is there too");
  });

  it("legend and bars go from what the template adds to what is learned", () => {
    const names = FIGURES.tokens?.data.map((trace) => ("name" in trace ? trace.name : ""));
    assert.deepEqual(names, ["special", "template", "instruction", "input", "response"]);
    const totals = FIGURES.tokens?.layout.annotations?.map(({ text }) => text);
    assert.deepEqual(totals, ["512", "2.03k"]);
    assert.deepEqual([999.6, 1234, 45_600_000, 0].map(compactNumber), ["1k", "1.23k", "45.6M", "0"]);
  });

  it("a verb's tile holds its objects and the rest, with the areas of their counts", () => {
    const [trace] = FIGURES.verbs?.data ?? [];
    assert.ok(trace?.type === "treemap");
    assert.deepEqual(trace.labels, [
      "instructions with these verbs",
      "write",
      "story &lt;b&gt;",
      "…",
      "explain",
    ]);
    assert.deepEqual(trace.values, [11, 9, 5, 4, 2]);
  });

  it("large matrices keep labels that can be read", async () => {
    const labels = Array.from({ length: 80 }, (_, index) => `task type number ${index}`);
    const values = labels.map((_, r) => labels.map((__, c) => (r === c ? 1 : 0)));
    const large = matrixMap({ ...MATRIX, rows: labels, columns: labels, values });
    assert.equal(large.layout.yaxis?.ticktext?.length, 40);
    assert.match(large.layout.xaxis?.title?.text ?? "", /in the order of the rows/);
    assert.ok((await renderPng(large, { scale: 1 })).length > 5000);
  });

  it("nothing to draw, numbers that are not finite and values that fit no label are errors", () => {
    const text = { id: "x", title: "t", valueTitle: "v" };
    const cases: [() => AnyFigure, RegExp][] = [
      [() => tokenBars({ ...text, rows: [] }), /nothing to draw/],
      [() => verbMap({ ...text, verbs: [] }), /nothing to draw/],
      [() => lengthBoxes({ ...text, rows: [] }), /nothing to draw/],
      [() => tokenBars({ ...text, rows: [{ label: "l", tokens: { input: NaN } }] }), /NaN/],
      [() => matrixMap({ ...MATRIX, values: [[1, 2, 3]] }), /2 rows and 3 columns/],
    ];
    for (const [build, message] of cases)
      assert.throws(build, (error) => error instanceof KitError && message.test(error.message));
  });
});

describe("what stands on both sides of a split", () => {
  const row = (task: string, taskType: string, input: string): Example =>
    exampleWith({ id: `${task}-${input}`, task, taskType, input, source: task });
  const copied = "the very same long sentence on both sides of the split";
  const split = splitByTaskType(
    [row("a", "A", copied), row("a", "A", "one"), row("b", "B", "two"), row("c", "C", copied)],
    { heldOutTaskTypes: ["C"] },
  );

  it("leaks are counted by the task types of both sides; without a leak there is no figure", () => {
    const figure = overlapFigure(split, findLeaks(split.train, split.heldOut)) ?? assert.fail();
    const [trace] = figure.data;
    assert.ok(trace?.type === "heatmap");
    assert.deepEqual([figure.layout.yaxis?.ticktext, figure.layout.xaxis?.ticktext], [["C"], ["A"]]);
    assert.ok((trace.z[0]?.[0] ?? 0) >= 1);
    const clean = { ...split, heldOut: [row("c", "C", "another")] };
    assert.equal(overlapFigure(clean, findLeaks(clean.train, clean.heldOut)), undefined);
  });

  it("the part of a similarity matrix across the split is drawn", async () => {
    const similarity = await taskTypeSimilarity([...split.train, ...split.heldOut], {
      part: "input",
      rowsPerTaskType: 10,
      seed: 1,
      device: "plain",
    });
    const [trace] = acrossSplitFigure(similarity, split).data;
    assert.ok(trace?.type === "heatmap");
    assert.deepEqual(similarity.labels, ["A", "B", "C"]);
    assert.deepEqual(trace.z, [[0.5, 0]], "one of two rows of A is the held-out row, none of B");
    assert.equal(similarity.values[1]?.[1], null, "a type of one row has nothing to compare");
  });
});
