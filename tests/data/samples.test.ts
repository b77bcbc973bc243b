import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FORMAT_NAMES, readExamples } from "../../src/data/read/index.js";

const samples = fileURLToPath(new URL("../../datasets/samples", import.meta.url));

test("the samples that ship are what datasets/README.md says", async () => {
  const expected = [
    ["alpaca.json", "alpaca", 4, 4],
    ["alpaca-llama-factory.json", "alpaca", 1, 1],
    ["dolly.jsonl", "dolly", 3, 3],
    ["dolly.parquet", "dolly", 3, 3],
    ["self-instruct.jsonl", "self-instruct", 4, 4],
    ["unnatural-instructions.jsonl", "unnatural-instructions", 3, 3],
    ["super-natural-instructions", "super-natural-instructions", 13, 13],
    ["natural-instructions-v1", "natural-instructions-v1", 2, 2],
    ["tk-instruct.jsonl", "tk-instruct", 3, 3],
    ["flan.jsonl", "flan", 3, 3],
    ["flan-cot", "flan-cot", 2, 2],
    ["p3", "prompt-completion", 2, 2],
    ["p3-pretokenized.jsonl", "p3", 1, 1],
    ["prompt-completion.jsonl", "prompt-completion", 3, 3],
    ["instruction-induction", "instruction-induction", 3, 3],
    ["big-bench-hard", "big-bench-hard", 2, 2],
    ["ifeval.jsonl", "ifeval", 1, 1],
    ["alpaca-eval.json", "alpaca-eval", 1, 1],
    ["mt-bench.jsonl", "mt-bench", 1, 1],
    ["sharegpt.json", "sharegpt", 1, 3],
    ["messages.jsonl", "messages", 2, 2],
    ["sft-pairs.csv", "sft-pairs", 2, 2],
    ["sft-pairs.tsv", "sft-pairs", 1, 1],
    ["text.txt", "text", 2, 2],
  ] as const;
  for (const [path, format, rows, examples] of expected) {
    const result = await readExamples(join(samples, path));
    assert.equal(result.format, format);
    assert.equal(result.examples.length, examples, path);
    assert.equal(result.ledger.rowsIn, rows, path);
  }
  const names = new Set<string>(expected.map(([path]) => path));
  assert.deepEqual(
    readdirSync(samples).filter((name) => !names.has(name)),
    [],
    "no sample is left out",
  );
  const formats = new Set<string>(expected.map(([, format]) => format));
  assert.deepEqual(
    FORMAT_NAMES.filter((name) => !formats.has(name)),
    ["examples"],
    "each format has a sample but the kit's own, which the mini tasks are written in",
  );
});
