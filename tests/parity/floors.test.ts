import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readExamples, readOfficialSplit } from "../../src/data/read/index.js";
import { floors, overallFloors } from "../../src/evaluate/floors.js";
import { NO_SHARED_DATA, sharedData } from "../data/fixtures.js";

interface FloorGolden {
  readonly copyInput: number;
  readonly copyDemonstration: number;
  readonly majorityLabel: number;
}

const GOLDEN = JSON.parse(readFileSync(new URL("golden/floors.json", import.meta.url), "utf8")) as {
  readonly tasks: number;
  readonly rows: number;
  readonly categories: readonly (FloorGolden & { readonly category: string; readonly rows: number })[];
  readonly overall: FloorGolden;
};

const FOLDER = sharedData("natural-instructions");

test(
  "floors on the official Super-NaturalInstructions test tasks equal an independent computation to 1e-6 point",
  { skip: FOLDER === undefined && NO_SHARED_DATA },
  async () => {
    const folder = FOLDER ?? "";
    const side = readOfficialSplit(folder);
    const { examples } = await readExamples(`${folder}/tasks`, {
      wantsTask: (task) => side(task) === "test",
    });
    const table = floors([], examples, { match: "normalized", stem: true });
    const overall = overallFloors(table);
    assert.equal(new Set(examples.map(({ task }) => task)).size, GOLDEN.tasks);
    const near = (given: number | undefined, wanted: number, name: string): void =>
      assert.ok(Math.abs(100 * ((given ?? Number.NaN) - wanted)) <= 1e-6, `${name}: ${given} and ${wanted}`);
    assert.deepEqual(
      table.map(({ taskType, rows }) => [taskType, rows]),
      GOLDEN.categories.map(({ category, rows }) => [category, rows]),
    );
    table.forEach((row, index) => {
      const golden = GOLDEN.categories[index];
      assert.ok(golden !== undefined);
      near(row.copyInput.rougeL, golden.copyInput, `${row.taskType}, copy input`);
      near(row.copyDemonstration?.rougeL, golden.copyDemonstration, `${row.taskType}, copy demonstration`);
      near(row.majorityLabel.exactMatch, golden.majorityLabel, `${row.taskType}, majority label`);
    });
    near(overall.copyInput.rougeL, GOLDEN.overall.copyInput, "copy input");
    near(overall.copyDemonstration?.rougeL, GOLDEN.overall.copyDemonstration, "copy demonstration");
    near(overall.majorityLabel.exactMatch, GOLDEN.overall.majorityLabel, "majority label");
  },
);
