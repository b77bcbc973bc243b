import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "../../src/notebook/environment.js";
import { runNotebook } from "../../src/notebook/run.js";

const folder = join(projectRoot(), "notebooks");
const notebooks = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith(".ipynb"))
      .sort()
  : [];

/** Seconds for one notebook in fast mode. */
const LIMIT = 240;

test("every notebook that ships is numbered", () => {
  for (const name of notebooks) assert.match(name, /^\d\d-[a-z0-9-]+\.ipynb$/);
});

for (const name of notebooks) {
  test(`${name} runs in fast mode`, async () => {
    const result = await runNotebook(join(folder, name), { fast: true, timeoutSeconds: LIMIT });
    assert.ok(result.codeCells > 0);
  });

  test(`${name} is stored executed, without errors, its figures with pictures`, () => {
    const content = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
      cells: {
        cell_type: string;
        source: string | string[];
        execution_count?: number | null;
        outputs?: { output_type: string; data?: Record<string, unknown> }[];
      }[];
    };
    for (const cell of content.cells.filter(({ cell_type: type }) => type === "code")) {
      const place = [cell.source].flat().join("").split("\n")[0];
      assert.ok(typeof cell.execution_count === "number", `never executed: ${place}`);
      for (const output of cell.outputs ?? []) {
        assert.notEqual(output.output_type, "error", place);
        if (output.data?.["application/vnd.plotly.v1+json"] !== undefined) {
          assert.ok(output.data["image/png"] !== undefined, `a figure without a picture: ${place}`);
        }
      }
    }
  });
}
