import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../../src/data/example.js";
import { withCellTags } from "../../../src/data/mini/grid/arms.js";
import {
  type Cell,
  HELD_OUT_CELLS,
  HELD_OUT_FORMATS,
  HELD_OUT_SELECTORS,
  TRAINING_CELLS,
} from "../../../src/data/mini/grid/cells.js";
import { drawGrid, GRID_LEVELS, type GridFields, solveGridRow } from "../../../src/data/mini/grid/rows.js";
import { HELD_OUT_KINDS } from "../../../src/data/mini/grid/selectors.js";
import { trainedInstructions } from "../../../src/data/mini/grid/wording.js";
import { numberTasks } from "../../../src/data/rewrite/arms.js";
import { hashJson } from "../../../src/support/hash.js";
import { KitError } from "../../../src/support/errors.js";

const SIZE = { rowsPerCell: 20, testRows: 200 };
const grid = drawGrid(SIZE, 1);
const all = [...grid.train, ...grid.validation, ...Object.values(grid.tests).flat()];

function fieldsOf(row: Example): GridFields {
  return row.fields as unknown as GridFields;
}

test("a perfect solver that reads the input alone answers every row", () => {
  for (const row of all)
    assert.equal(solveGridRow(row), row.outputs[0], `${row.instruction ?? ""} ${row.input}`);
  // Negative control: with another row's input it does not.
  const [first, ...others] = grid.tests.seen;
  assert.ok(first !== undefined);
  const wrong = others.filter((row) => {
    try {
      return solveGridRow({ ...row, input: first.input }) !== row.outputs[0];
    } catch {
      return true;
    }
  });
  assert.ok(wrong.length > others.length * 0.7);
});

test("every selector keeps most formats, every format most selectors, and a held-out cell has both halves trained", () => {
  const count = (cells: readonly Cell[], part: "selector" | "format"): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const cell of cells) counts.set(cell[part].name, (counts.get(cell[part].name) ?? 0) + 1);
    return counts;
  };
  const selectors = count(TRAINING_CELLS, "selector");
  const formats = count(TRAINING_CELLS, "format");
  assert.ok(selectors.size >= 8 && formats.size >= 10);
  for (const [name, cells] of selectors) assert.ok(cells >= 9, `${name} has ${cells} formats`);
  for (const [name, cells] of formats) assert.ok(cells >= 7, `${name} has ${cells} selectors`);
  const trained = new Set(TRAINING_CELLS.map(({ name }) => name));
  for (const { name, selector, format } of HELD_OUT_CELLS) {
    assert.ok(!trained.has(name));
    assert.ok(selectors.has(selector.name) && formats.has(format.name));
  }
  for (const name of HELD_OUT_SELECTORS) assert.ok(!selectors.has(name));
  for (const name of HELD_OUT_FORMATS) assert.ok(!formats.has(name));
});

test("the levels hold what they say", () => {
  const trainTypes = new Set(grid.train.map(({ taskType }) => taskType));
  const trainTexts = new Set(grid.train.map(({ instruction = "", input }) => `${instruction}|${input}`));
  const trainWords = new Set(grid.train.flatMap((row) => [fieldsOf(row).v, fieldsOf(row).u]));
  const trainKinds = new Set(
    grid.train.filter((row) => fieldsOf(row).selector === "kind").map((row) => fieldsOf(row).slot),
  );
  for (const level of GRID_LEVELS) {
    assert.equal(grid.tests[level].length, SIZE.testRows);
    for (const row of grid.tests[level]) {
      const { selector, format, slot, v, level: said } = fieldsOf(row);
      assert.equal(said, level);
      assert.ok(!trainTexts.has(`${row.instruction ?? ""}|${row.input}`));
      assert.equal(trainTypes.has(row.taskType), !level.startsWith("held-out"), row.taskType);
      assert.equal(HELD_OUT_SELECTORS.includes(selector), level === "held-out-selector");
      assert.equal(HELD_OUT_FORMATS.includes(format), level === "held-out-format");
      if (level === "unseen-slot-words") assert.ok(v !== "" && !trainWords.has(v), v);
      if (selector === "kind") assert.equal(trainKinds.has(slot), level !== "unseen-kind", slot);
    }
  }
  assert.ok(HELD_OUT_KINDS.length >= 3);
});

test("a trained cell has ten or more wordings, and an unseen paraphrase is none of them", () => {
  const cells = new Map(TRAINING_CELLS.map((cell) => [cell.name, cell]));
  for (const cell of TRAINING_CELLS) {
    assert.ok(new Set(trainedInstructions(cell, { slot: "x", v: "y", u: "z" })).size >= 10, cell.name);
  }
  const among = (row: Example): boolean => {
    const cell = cells.get(row.taskType);
    assert.ok(cell !== undefined);
    return trainedInstructions(cell, fieldsOf(row)).includes(row.instruction ?? "");
  };
  assert.ok(grid.train.every(among));
  assert.ok(!grid.tests["unseen-paraphrase"].some(among));
  assert.ok(
    grid.train.every(({ instruction, paraphrases = [] }) => !paraphrases.includes(instruction ?? "")),
  );
});

test("fewer training cells are the beginning of more, and leave the tests as they are", () => {
  const small = drawGrid({ ...SIZE, trainingCells: 20 }, 1);
  assert.deepEqual(small.tests, grid.tests);
  const types = new Set(small.train.map(({ taskType }) => taskType));
  assert.deepEqual(
    [...types].sort(),
    TRAINING_CELLS.slice(0, 20)
      .map(({ name }) => name)
      .sort(),
  );
  // Even a small part of the grid holds every selector.
  assert.equal(new Set(small.train.map((row) => fieldsOf(row).selector)).size, 10);
  assert.throws(() => drawGrid({ ...SIZE, trainingCells: 1000 }, 1), KitError);
});

test("rows are the same on every machine, and others for another seed", () => {
  const hash = hashJson(drawGrid({ rowsPerCell: 2, testRows: 20 }, 1));
  assert.equal(hash, GRID_HASH);
  assert.notEqual(hashJson(drawGrid({ rowsPerCell: 2, testRows: 20 }, 2)), GRID_HASH);
});

/** Of the grid of seed 1; a change of lexicon, wording or drawing changes it, and every number measured on it. */
const GRID_HASH = "160008e5404b46d767aed94224fd81e7d2231dfca92df71270864699bc064006";

test("a tagged row has the slot words of its instruction, and a tag that held-out cells do not share", () => {
  const heldOut = grid.tests["held-out-cell"];
  const numbers = numberTasks([...grid.train, ...heldOut]);
  const train = withCellTags(grid.train, numbers);
  for (const [index, row] of train.entries()) {
    const { slot, v, u } = fieldsOf(row);
    const [tag = "", ...words] = (row.instruction ?? "").split(" ");
    assert.match(tag, /^\p{Co}$/u);
    assert.equal(words.join(" "), [slot, v, u].filter((word) => word !== "").join(" "));
    assert.deepEqual(row.paraphrases, []);
    assert.deepEqual([row.input, row.outputs], [grid.train[index]?.input, grid.train[index]?.outputs]);
  }
  const tags = new Set(train.map(({ instruction = "" }) => instruction.charAt(0)));
  assert.equal(tags.size, TRAINING_CELLS.length);
  assert.ok(withCellTags(heldOut, numbers).every(({ instruction = "" }) => !tags.has(instruction.charAt(0))));
  assert.throws(() => withCellTags(heldOut, new Map()), KitError);
});
