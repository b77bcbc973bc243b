import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "./fixtures.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");

function iftKit(folder: string, ...options: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, "data", ...options], {
    cwd: folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, error: stderr };
}

const ROWS = ["open_qa", "summarization", "open_qa"].map((category, index) => ({
  instruction: "Shorten the text.",
  input: `a text of number ${index}`,
  output: `text ${index}`,
  category,
}));

test("data tokenizer, inspect, render and split work on a file, one after the other", (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "rows.json"), JSON.stringify(ROWS));
  const trained = iftKit(folder, "tokenizer", "rows.json", "--vocabulary-size", "270", "--out", "tok");
  assert.deepEqual([trained.code, trained.error], [0, ""]);
  assert.match(trained.out, /tok: 270 tokens from \d+ characters/);

  const inspected = iftKit(folder, "inspect", "rows.json", "--json");
  const { format, ledger, taskTypes } = JSON.parse(inspected.out) as Record<string, unknown>;
  assert.deepEqual([format, (ledger as { kept: number }).kept], ["alpaca", 3]);
  assert.deepEqual(taskTypes, [
    { taskType: "open_qa", tasks: 1, rows: 2, emptyInputs: 0 },
    { taskType: "summarization", tasks: 1, rows: 1, emptyInputs: 0 },
  ]);
  assert.match(iftKit(folder, "inspect", "rows.json").out, /3 rows in, 3 kept, dropped: none/);

  const render = [
    "render",
    "rows.json",
    "--template",
    "ift-definition",
    "--tokenizer",
    "tok",
    "--out",
    "out.jsonl",
  ];
  const rendered = iftKit(folder, ...render);
  assert.deepEqual([rendered.code, rendered.error], [0, ""]);
  const lines = readFileSync(join(folder, "out.jsonl"), "utf8").trimEnd().split("\n");
  const [first] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(Object.keys(first ?? {}), ["id", "text", "ids", "supervised", "source"]);
  assert.equal(
    first?.text,
    "<|bos|>Definition: Shorten the text.\n\nNow complete the following example -\nInput: a text of number 0.\nOutput:text 0<|endoftext|>",
  );
  assert.equal(lines.length, 3);

  const split = iftKit(
    folder,
    "split",
    "rows.json",
    "--held-out",
    "summarization",
    "--allow-shared-sources",
    "--json",
  );
  const report = JSON.parse(split.out) as Record<string, unknown>;
  assert.deepEqual([report.trainTaskTypes, report.heldOutTaskTypes], [["open_qa"], ["summarization"]]);
});

test("bad input ends in one line, an exit code and no half-written file", (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "rows.json"), JSON.stringify([...ROWS, { instruction: "x", input: "y" }]));
  const cases: [string[], number, RegExp][] = [
    [["inspect", "none.json"], 1, /none\.json: no such file or folder/],
    [["inspect", "rows.json"], 1, /rows\.json, row 4, field "output": "output" is missing/],
    [["inspect", "rows.json", "--format", "flam"], 2, /Allowed choices are/],
    [["render", "rows.json", "--template", "x", "--tokenizer", "tok", "--out", "o"], 1, /no template "x"/],
    [
      ["render", "rows.json", "--template", "alpaca", "--tokenizer", "tok", "--out", "o"],
      1,
      /tok.tokenizer\.json/,
    ],
    [
      ["tokenizer", "rows.json", "--vocabulary-size", "100", "--out", "o", "--skip-malformed"],
      1,
      /at least 259/,
    ],
    [["tokenizer", "rows.json", "--vocabulary-size", "x", "--out", "o"], 2, /whole number/],
    [["split", "rows.json", "--skip-malformed"], 1, /nothing says what is held out/],
    [
      ["split", "rows.json", "--skip-malformed", "--held-out", "open_qa"],
      1,
      /the source "rows" is on both sides/,
    ],
  ];
  for (const [options, code, says] of cases) {
    const result = iftKit(folder, ...options);
    assert.equal(result.code, code, options.join(" "));
    assert.match(result.error, says);
    assert.equal(result.out, "");
    if (code === 1) assert.equal(result.error.trimEnd().split("\n").length, 1, result.error);
  }
  assert.ok(!existsSync(join(folder, "o")));
});

test("data convert writes another format, says what it cannot hold, and normalises when asked", (context) => {
  const folder = temporaryFolder(context);
  const rows = ROWS.map((row, index) => (index === 0 ? { ...row, input: "<noinput>" } : row));
  writeFileSync(join(folder, "rows.json"), JSON.stringify(rows));
  const done = iftKit(
    folder,
    "convert",
    "rows.json",
    "--to",
    "messages",
    "--out",
    "m.jsonl",
    "--normalise",
    "all",
  );
  assert.deepEqual([done.code, done.error], [0, ""]);
  assert.match(done.out, /placeholder-input 1, .*\nm\.jsonl \(messages\): 3 rows written/);
  const back = iftKit(folder, "inspect", "m.jsonl", "--json");
  const { format, taskTypes, whatIf } = JSON.parse(back.out) as Record<string, unknown>;
  assert.equal(format, "messages");
  assert.deepEqual(taskTypes, [
    { taskType: "open_qa", tasks: 1, rows: 2, emptyInputs: 1 },
    { taskType: "summarization", tasks: 1, rows: 1, emptyInputs: 0 },
  ]);
  assert.equal((whatIf as unknown[]).length, 5);
  const lossy = iftKit(folder, "convert", "rows.json", "--to", "sft-pairs", "--out", "p.csv");
  assert.equal(lossy.code, 1);
  assert.match(lossy.error, /field "instruction": sft-pairs cannot hold "instruction"/);
  assert.ok(!existsSync(join(folder, "p.csv")));
  const allowed = iftKit(
    folder,
    "convert",
    "rows.json",
    "--to",
    "sft-pairs",
    "--out",
    "p.csv",
    "--allow-loss",
  );
  assert.match(allowed.out, /3 rows written\n {2}3 lost instruction/);
  assert.match(iftKit(folder, "inspect", "p.csv").out, /sft-pairs, because it is a CSV table/);
  const wrong = iftKit(folder, "inspect", "rows.json", "--normalise", "lower-case");
  assert.equal(wrong.code, 2);
  assert.match(wrong.error, /some of unicode-nfc/);
});
