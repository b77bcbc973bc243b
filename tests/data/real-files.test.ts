import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { readExamples, type ReadResult } from "../../src/data/read/index.js";
import {
  readFlanCollection,
  readPromptIndex,
  readT0Datasets,
  readTaskManifest,
} from "../../src/data/read/tables.js";
import { NO_SHARED_DATA, sharedData } from "./fixtures.js";

const ROOT = sharedData(".");
const skip = ROOT === undefined && NO_SHARED_DATA;

function assertAddsUp({ examples, ledger, files }: ReadResult): void {
  const dropped = Object.values(ledger.dropped).reduce((sum, rows) => sum + rows, 0);
  assert.equal(ledger.rowsIn, ledger.kept + dropped);
  assert.equal(ledger.examples, examples.length);
  assert.equal(
    ledger.rowsIn,
    files.reduce((sum, { rowsIn }) => sum + rowsIn, 0),
  );
  assert.equal(new Set(examples.map(({ id }) => id)).size, examples.length, "ids are unique");
  for (const { outputs, evaluationOnly, id } of examples) {
    assert.ok(outputs.length > 0 || evaluationOnly === true, id);
    assert.ok(
      outputs.every((text) => text.trim() !== ""),
      id,
    );
  }
}

/** Rows of each folder as its README says; `noOutput` of them have an empty output. */
const FOLDERS: readonly (readonly [
  folder: string,
  format: string,
  rows: number,
  examples: number,
  noOutput: number,
])[] = [
  ["natural-instructions", "super-natural-instructions", 7091 + 13080 + 2700, 22871, 0],
  ["alpaca", "alpaca", 9229 + 5305 + 3111, 17637, 8],
  ["small-instructions", "alpaca", 1100, 1100, 0],
  ["dolly", "alpaca", 2996, 2996, 0],
  ["code-alpaca", "alpaca", 2017, 2015, 2],
  ["self-instruct", "self-instruct", 175 + 252, 427, 0],
  ["p3-t0-train", "prompt-completion", 9190, 9190, 0],
  ["flan-cot", "flan-cot", 7 * 500, 3500, 0],
  ["instruction-induction", "instruction-induction", 2156 + 6358, 8514, 0],
  ["big-bench-hard", "big-bench-hard", 6511, 6511, 0],
  ["ifeval", "ifeval", 541, 541, 0],
  ["alpaca-eval", "alpaca-eval", 805, 805, 0],
  ["chat-formats", "several", 500 + 300 + 500 + 500 + 80, 500 + 500 + 80 + 1000 + 957, 0],
  ["text", "text", 13533, 13533, 0],
];

const results = new Map<string, ReadResult>();
for (const [folder, format, rows, made, noOutput] of FOLDERS) {
  test(`${folder}: ${rows} rows, ${made} examples`, { skip }, async () => {
    const result = await readExamples(join(ROOT ?? "", folder), { onMalformed: "skip" });
    results.set(folder, result);
    assert.equal(result.format, format);
    assert.equal(result.ledger.rowsIn, rows);
    assert.equal(result.examples.length, made);
    assert.deepEqual(result.ledger.dropped, noOutput === 0 ? {} : { "no-output": noOutput });
    assertAddsUp(result);
  });
}

test("each file is read, or listed as a file without rows", { skip }, () => {
  const root = ROOT ?? "";
  const seen = new Set<string>();
  for (const { files, sideFiles } of results.values()) {
    for (const { path } of [...files, ...sideFiles]) seen.add(relative(root, path));
  }
  // Folders that are one data set, or that hold no rows at all.
  const whole = /^(natural-instructions\/|promptsource-templates\/|README\.md$)/;
  const missed = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !seen.has(path) && !whole.test(path));
  assert.deepEqual(missed, []);
  assert.ok(seen.size > 450, String(seen.size));
});

const of = (folder: string): readonly Example[] => results.get(folder)?.examples ?? [];
const count = (folder: string, has: (example: Example) => boolean): number => of(folder).filter(has).length;

test("what was measured on the files is what is read", { skip }, () => {
  assert.equal(
    count("alpaca", ({ id, input }) => id.startsWith("alpaca_random_9k-") && input === ""),
    5563 - 3,
  );
  assert.equal(
    count("self-instruct", ({ evaluationOnly }) => evaluationOnly === true),
    252,
  );
  assert.equal(
    count("self-instruct", ({ taskType }) => taskType === "classification"),
    26,
  );
  assert.equal(
    count("self-instruct", ({ input, evaluationOnly }) => evaluationOnly !== true && input === ""),
    50,
  );
  const dolly = of("dolly");
  assert.equal(Math.round((1000 * dolly.filter(({ input }) => input === "").length) / dolly.length), 855);
  assert.equal(Math.max(...dolly.map(({ outputs }) => outputs[0]?.length ?? 0)), 8881);
  const constraints = of("ifeval").flatMap((example) => example.constraints ?? []);
  assert.equal(new Set(constraints.map(({ kind }) => kind)).size, 25);
  assert.ok(of("ifeval").every((example) => [1, 2, 3].includes(example.constraints?.length ?? 0)));
  const evaluation = of("alpaca-eval").filter(({ taskType }) => taskType === "selfinstruct");
  assert.equal(evaluation.length, 252);
  const perTask = new Map<string, number>();
  for (const { task } of of("big-bench-hard")) perTask.set(task, (perTask.get(task) ?? 0) + 1);
  assert.deepEqual([...perTask.values()].filter((rows) => rows !== 250).sort(), [146, 178, 187]);
  assert.ok(
    of("big-bench-hard").every(({ positive = [], instruction }) => positive.length === 3 && instruction),
  );
  assert.ok(of("flan-cot").every(({ rationale }) => rationale !== undefined));
  const wordings = of("instruction-induction").map(({ paraphrases = [] }) => paraphrases.length + 1);
  assert.deepEqual([Math.min(...wordings), Math.max(...wordings)], [4, 10]);
  const tools = of("chat-formats").filter(({ tools: given }) => given !== undefined);
  assert.equal(tools.filter(({ history = [] }) => history.at(-1)?.role === "tool").length, 211);
  assert.equal(
    count("chat-formats", ({ outputs }) => outputs[0]?.startsWith('{"name": ') ?? false),
    211,
  );
  assert.equal(new Set(of("p3-t0-train").map(({ task }) => task)).size, 283);
  assert.equal(new Set(of("p3-t0-train").map(({ taskType }) => taskType)).size, 8);
  const licences = count("natural-instructions", ({ licence }) => licence !== undefined);
  assert.ok(licences > 10_000, String(licences));
});

test("the side tables are read", { skip }, async () => {
  const root = ROOT ?? "";
  const index = await readPromptIndex(join(root, "p3-t0-train/index.jsonl"));
  assert.equal(index.filter(({ rows }) => rows > 0).length, 283);
  assert.equal(index.length, 283 + 11, "eleven templates have no rows");
  assert.equal(
    index.reduce((sum, { rows }) => sum + rows, 0),
    9190,
  );
  assert.equal(index.reduce((sum, { rowsUpstream }) => sum + rowsUpstream, 0) <= 55_185, true);
  const manifest = await readTaskManifest(join(root, "natural-instructions/manifest.jsonl"));
  const rowsOf = (side: string): number =>
    manifest.filter(({ split }) => split === side).reduce((sum, { instances }) => sum + instances, 0);
  assert.deepEqual(
    [manifest.length, rowsOf("test"), rowsOf("train"), rowsOf("excluded")],
    [382, 7091, 13080, 2700],
  );
  const flan = await readFlanCollection(join(root, "flan-cot/flan_collection_info.csv"));
  assert.equal(flan.length, 1945);
  const french = flan.find(({ dataset }) => dataset === "wmt14_enfr");
  assert.deepEqual([french?.specificCategory, french?.languages], ["Translation", ["English", "French"]]);
  const t0 = await readT0Datasets(join(root, "p3-t0-train/t0_datasets.csv"));
  const trained = new Set(t0.filter(({ train }) => train === "BASE").map(({ cluster }) => cluster));
  const heldOut = new Set(t0.map(({ cluster }) => cluster).filter((cluster) => !trained.has(cluster)));
  assert.deepEqual([...heldOut].sort(), [
    "NLI",
    "bias_and_fairness",
    "coreference",
    "story_completion",
    "word_sense_disambiguation",
  ]);
});
