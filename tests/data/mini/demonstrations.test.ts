import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../../../src/data/layout.js";
import { GridDemonstrations } from "../../../src/data/mini/grid/demonstrations.js";
import { drawGrid, solveGridRow } from "../../../src/data/mini/grid/rows.js";
import { MINI_FEW_SHOT, MINI_IFT } from "../../../src/data/mini/template.js";
import type { Example } from "../../../src/data/example.js";

const grid = drawGrid({ rowsPerCell: 1, testRows: 60 }, 3);
const demonstrations = new GridDemonstrations(3);

function promptOf(template: typeof MINI_IFT, example: Example): string {
  return layOut(template.render(example).slice(0, -1)).text;
}

test("demonstrations of every level ask the same of other texts, and the perfect solver agrees with them", () => {
  for (const row of Object.values(grid.tests).flat()) {
    const shown = demonstrations.show(row, 2).positive ?? [];
    assert.equal(new Set(shown.map(({ input }) => input)).size, 2);
    for (const { input, output } of shown) {
      assert.notEqual(input, row.input);
      const { fields } = row;
      assert.ok(fields !== undefined);
      assert.equal(solveGridRow({ input, fields }), output);
    }
  }
});

test("an unnamed format is the same in the demonstrations and in the answer, and the instruction does not tell it", () => {
  for (const row of grid.train) {
    const shown = demonstrations.showUnnamed(row, 2);
    const { fields } = row;
    assert.ok(fields !== undefined);
    const plain = { ...fields, format: "plain" };
    const around = (input: string, output: string): string =>
      output
        .split(" ")
        .map((part) => (part === solveGridRow({ input, fields: plain }) ? "{S}" : part))
        .join(" ");
    const formats = new Set([
      around(shown.input, shown.outputs[0] ?? ""),
      ...(shown.positive ?? []).map(({ input, output }) => around(input, output)),
    ]);
    assert.equal(formats.size, 1, [...formats].join(" | "));
    assert.match([...formats].join(), /\{S\}/);
    assert.match(shown.instruction ?? "", /(as shown|this way|like this|same form)\.$/);
    assert.notEqual(shown.instruction, row.instruction);
  }
});

test("the few-shot template is the zero-shot one with the demonstrations in it", () => {
  const [row] = grid.train;
  assert.ok(row !== undefined);
  const shown: Example = {
    ...row,
    positive: [
      { input: "A b.", output: "b" },
      { input: "C d.", output: "d" },
    ],
  };
  const zero = promptOf(MINI_IFT, row);
  const few = promptOf(MINI_FEW_SHOT, shown);
  assert.equal(
    few,
    zero.replace(` ${row.input}`, () => ` A b.\n b\n C d.\n d\n ${row.input}`),
  );
  assert.equal(promptOf(MINI_FEW_SHOT, row), zero);
  const segments = MINI_FEW_SHOT.render(shown)[0]?.segments ?? [];
  assert.deepEqual(
    segments.flatMap(({ demonstration }) => demonstration ?? []),
    [0, 1],
  );
});
