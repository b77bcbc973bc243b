import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { FormatComparison } from "../../src/data/compare/index.js";
import { temporaryFolder } from "./fixtures.js";

const ROOT = resolve(import.meta.dirname, "../..");
const SAMPLES = join(ROOT, "datasets/samples");

function compare(...options: string[]): { code: number | null; out: string; error: string } {
  const program = join(ROOT, "src/cli/ift-kit.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "data", "compare", ...options], {
    encoding: "utf8",
  });
  return { code: status, out: stdout, error: stderr };
}

test("data compare prints a table, or the comparison as JSON, and writes a report", (context) => {
  const folder = join(temporaryFolder(context), "report");
  const tasks = join(SAMPLES, "super-natural-instructions");
  const shown = compare(tasks, "--out", folder);
  assert.deepEqual([shown.code, shown.error], [0, ""]);
  assert.match(shown.out, /a byte-level BPE of \d+ tokens, trained on the rows/);
  assert.match(shown.out, /Sentiment Analysis +ift-definition +6 +0 +0 +12 /);
  assert.match(shown.out, /A row costs \d\.\d\d times the tokens in ift-definition/);
  assert.ok(existsSync(join(folder, "report.html")) && existsSync(join(folder, "report.json")));
  assert.deepEqual(readdirSync(join(folder, "images")).sort(), [
    "output-lengths.png",
    "task-type-similarity.png",
    "task-type-tokens-ift-definition.png",
    "tokens.png",
    "verbs-ift-definition.png",
  ]);
  assert.match(readFileSync(join(folder, "report.html"), "utf8"), /nearest ROUGE-L/);

  const printed = compare(tasks, "--json", "--ift", "ift-definition", "alpaca");
  const comparison = JSON.parse(printed.out) as FormatComparison;
  assert.deepEqual(
    comparison.formats.map(({ name, kind }) => `${kind} ${name}`),
    ["sft sft-plain", "ift ift-definition", "ift alpaca"],
  );
  assert.equal(comparison.total.rowsIn, 13);
});

test("rows that no SFT template can show are counted, and the reason is said", () => {
  const { code, out } = compare(join(SAMPLES, "alpaca.json"));
  assert.equal(code, 0);
  assert.match(out, /3 of 4 rows are shown by all of sft-plain, ift-definition/);
  assert.match(out, /The first of these: .*has no input/);
});

test("bad input to data compare is one line and an exit code", () => {
  const rows = join(SAMPLES, "alpaca.json");
  const cases: [string[], number, RegExp][] = [
    [["none.json"], 1, /none\.json: no such file or folder/],
    [[rows, "--sft", "alpaca"], 1, /the template "alpaca" shows the instruction.*give it with --ift/],
    [[rows, "--ift", "sft-plain"], 1, /does not show the instruction/],
    [[rows, "--ift", "nothing"], 1, /there is no template "nothing"/],
    [[rows, "--tokenizer", "none"], 1, /none.tokenizer\.json/],
    [[rows, "--max-tokens", "0"], 2, /whole number/],
  ];
  for (const [options, code, says] of cases) {
    const result = compare(...options);
    assert.equal(result.code, code, options.join(" "));
    assert.match(result.error, says);
    assert.equal(result.out, "");
  }
});
