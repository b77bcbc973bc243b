import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { before, test } from "node:test";
import { projectRoot } from "../../src/notebook/environment.js";
import { type CellResult, errorOf, runSession, textOf } from "./session.js";

/** Sources that a cell may import: all but the command line, the kernel itself and native code. */
function moduleNames(): string[] {
  const source = join(projectRoot(), "src");
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(source, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((name) => !name.startsWith("cli/") && !name.startsWith("notebook/kernel/"))
    .map((name) => name.replace(/\.ts$/, ""))
    .sort();
}

const names = moduleNames();
let results: readonly CellResult[] = [];

before(() => {
  results = runSession(projectRoot(), [
    {
      code: [
        "import { startEngine } from 'ift-kit/engine/start';",
        "import { tf } from 'ift-kit/engine/tensorflow';",
        "const { backend } = await startEngine();",
        "[backend === tf.getBackend(), tf.tidy(() => tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])).dataSync()[0])]",
      ].join("\n"),
    },
    {
      code: [
        "import * as danfo from 'danfojs-node';",
        "const frame = new danfo.DataFrame({ arm: ['IFT', 'SFT', 'IFT'], score: [1, 0, 0.5] });",
        "[danfo.tensorflow.ENV === tf.ENV, frame.groupby(['arm']).col(['score']).mean().shape]",
      ].join("\n"),
    },
    { code: names.map((name) => `import 'ift-kit/${name}';`).join("\n") },
  ]) as readonly CellResult[];
});

function assertOk(result: CellResult | undefined): asserts result is CellResult {
  assert.ok(result !== undefined);
  const { evalue, traceback } = errorOf(result) ?? {};
  assert.equal(result.status, "ok", `${evalue ?? ""}\n${traceback?.join("\n") ?? ""}`);
}

test("the engine runs in a cell", () => {
  assertOk(results[0]);
  assert.equal(textOf(results[0]), "[ true, 3 ]\n");
});

test("danfojs shares the one TensorFlow.js", () => {
  assertOk(results[1]);
  assert.equal(textOf(results[1]), "[ true, [ 2, 2 ] ]\n");
});

test("every module of the kit type-checks and loads in the kernel", () => {
  assert.ok(names.length > 20);
  assertOk(results[2]);
});
