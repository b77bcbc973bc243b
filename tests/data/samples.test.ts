import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readExamples } from "../../src/data/read/index.js";

const samples = fileURLToPath(new URL("../../datasets/samples", import.meta.url));

test("the samples that ship are what datasets/README.md says", async () => {
  const expected = [
    ["alpaca.json", "alpaca", 4],
    ["self-instruct.jsonl", "self-instruct", 4],
    ["super-natural-instructions", "super-natural-instructions", 13],
  ] as const;
  for (const [path, format, rows] of expected) {
    const result = await readExamples(join(samples, path));
    assert.equal(result.format, format);
    assert.equal(result.examples.length, rows, path);
    assert.equal(result.ledger.rowsIn, rows);
  }
});
