import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import {
  detectFormat,
  type FormatName,
  type ReadResult,
  readExamples,
  readOfficialSplit,
} from "../../src/data/read/index.js";
import { splitByTaskList } from "../../src/data/split.js";
import { NO_SHARED_DATA, sharedData, temporaryFolder } from "./fixtures.js";

function write(folder: string, name: string, content: unknown): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function task(fields: object = {}): object {
  return {
    Definition: ["Add the numbers."],
    Categories: ["Arithmetic"],
    Source: ["numbers"],
    "Positive Examples": [{ input: "1 1", output: "2", explanation: "" }],
    "Negative Examples": [{ input: "1 1", output: "3", explanation: "1 and 1 is 2." }],
    Instances: [{ id: "task7-a", input: "2 2", output: ["4", "four", "4"] }],
    ...fields,
  };
}

function assertAddsUp({ examples, ledger }: ReadResult): void {
  const dropped = Object.values(ledger.dropped).reduce((sum, rows) => sum + rows, 0);
  assert.equal(ledger.kept, examples.length);
  assert.equal(ledger.rowsIn, ledger.kept + dropped);
  assert.equal(new Set(examples.map(({ id }) => id)).size, examples.length, "ids are unique");
  assert.ok(
    examples.every(
      (example) => example.outputs.length > 0 && example.outputs.every((text) => text.trim() !== ""),
    ),
  );
}

test("a Super-NaturalInstructions task becomes examples with everything the file has", async (context) => {
  const folder = temporaryFolder(context);
  const result = await readExamples(write(folder, "task007_sum.json", task()));
  assert.equal(result.format, "super-natural-instructions");
  assert.deepEqual(result.examples, [
    {
      id: "task7-a",
      task: "task007_sum",
      taskType: "Arithmetic",
      instruction: "Add the numbers.",
      input: "2 2",
      outputs: ["4", "four"],
      positive: [{ input: "1 1", output: "2" }],
      negative: [{ input: "1 1", output: "3", explanation: "1 and 1 is 2." }],
      source: "numbers",
    } satisfies Example,
  ]);
  assert.equal(result.ledger.repeatedReferences, 1);
});

test("task types and sources come from the folder's table, joined on the name, else on the number", async (context) => {
  const folder = temporaryFolder(context);
  write(folder, "tasks/task007_sum-of-two.json", task());
  write(folder, "tasks/task8_minus.json", task({ Instances: [{ input: "2 2", output: "0" }] }));
  write(folder, "tasks/task9_c.json", task({ Instances: [{ id: "c", input: "2 2", output: "0" }] }));
  write(
    folder,
    "task_categories.tsv",
    "task\tsplit\tcategory\tsource_dataset\ntask007_sum_of_two\ttrain\tSums\tpinned\ntask8_minus\ttrain\tDifferences\t\ntask9_a\ttest\tA\ta\ntask9_b\ttest\tB\tb\n",
  );
  for (const path of [folder, join(folder, "tasks"), join(folder, "tasks/task007_sum-of-two.json")]) {
    const { examples } = await readExamples(path);
    assert.deepEqual([examples[0]?.taskType, examples[0]?.source], ["Sums", "pinned"], path);
    if (path.endsWith(".json")) continue;
    assert.deepEqual([examples[1]?.taskType, examples[1]?.source], ["Differences", "numbers"]);
    assert.equal(examples[1]?.id, "task8_minus-1");
    assert.equal(examples[2]?.taskType, "Arithmetic", "an ambiguous number is not joined");
  }
});

test("tasks are read in the order of their numbers, filtered and limited as asked", async (context) => {
  const folder = temporaryFolder(context);
  for (const number of [10, 9, 100]) {
    const rows = [1, 2, 3].map((row) => ({ id: `${number}-${row}`, input: `${row}`, output: "x" }));
    write(folder, `task${number}_t.json`, task({ Instances: rows }));
  }
  const tasks = (examples: readonly Example[]): string[] => [
    ...new Set(examples.map((example) => example.task)),
  ];
  const all = await readExamples(folder);
  assert.deepEqual(tasks(all.examples), ["task9_t", "task10_t", "task100_t"]);
  const some = await readExamples(folder, { limitPerTask: 2, wantsTask: (name) => name !== "task10_t" });
  assert.deepEqual(
    some.examples.map(({ id }) => id),
    ["9-1", "9-2", "100-1", "100-2"],
  );
  assert.deepEqual(some.ledger.dropped, { "over-limit": 2 });
  assertAddsUp(some);
});

test("NaN, which Python writes and JSON does not have, is read; inside a text it stays", async (context) => {
  const folder = temporaryFolder(context);
  const text = JSON.stringify(task({ URL: ["?"], Source: ['NaN, "NaN" \\'] })).replace(
    '["?"]',
    "[ NaN, -Infinity ]",
  );
  const { examples } = await readExamples(write(folder, "task1_nan.json", text));
  assert.equal(examples[0]?.source, 'NaN, "NaN" \\');
});

test("Alpaca rows: one task, or one for each category", async (context) => {
  const folder = temporaryFolder(context);
  const row = { instruction: "Say hello.", input: "", output: "Hello." };
  const plain = await readExamples(write(folder, "rows.json", [row, { ...row, input: "x" }]));
  assert.deepEqual([plain.format, plain.examples.length, plain.examples[0]?.taskType], ["alpaca", 2, "rows"]);
  assert.deepEqual(
    plain.examples.map(({ id }) => id),
    ["rows-1", "rows-2"],
  );
  const dolly = await readExamples(write(folder, "dolly.json", [{ ...row, category: "open_qa" }]));
  assert.deepEqual([dolly.examples[0]?.task, dolly.examples[0]?.taskType], ["dolly/open_qa", "open_qa"]);
});

test("self-instruct tasks: each instance is an example; lines may end in CRLF, and a byte order mark is nothing", async (context) => {
  const folder = temporaryFolder(context);
  const seed = { id: "s1", name: "n", instruction: "Sort.", is_classification: false };
  const lines = [
    {
      ...seed,
      instances: [
        { input: "b a", output: "a b" },
        { input: "c b", output: "b c" },
      ],
    },
    { ...seed, id: "s2", is_classification: true, instances: [{ input: "é", output: "😀" }] },
    {
      id: "u1",
      motivation_app: "Gmail",
      instruction: "Reply.",
      instances: [{ input: "Hi", output: "Hello" }],
    },
  ];
  const content = `\ufeff${lines.map((line) => JSON.stringify(line)).join("\r\n")}\r\n\r\n`;
  const { examples, format } = await readExamples(write(folder, "seeds.jsonl", content));
  assert.equal(format, "self-instruct");
  assert.deepEqual(
    examples.map(({ id }) => id),
    ["s1-1", "s1-2", "s2", "u1"],
  );
  assert.deepEqual(
    examples.map(({ taskType }) => taskType),
    ["generation", "generation", "classification", "Gmail"],
  );
  assert.equal(examples[2]?.outputs[0], "😀");
});

test("a line that is longer than the blocks of the stream, and characters on their borders, are whole", async (context) => {
  const folder = temporaryFolder(context);
  const input = "é中😀x".repeat(100_000);
  const row = { id: "long", instruction: "Copy.", instances: [{ input, output: input }] };
  const path = write(folder, "long.jsonl", `${JSON.stringify({ ...row, id: "a" })}\n${JSON.stringify(row)}`);
  const { examples } = await readExamples(path);
  assert.deepEqual(
    examples.map((example) => example.input === input && example.outputs[0] === input),
    [true, true],
  );
});

test("the format is told from the content, with the reason, and can be named instead", async (context) => {
  const folder = temporaryFolder(context);
  const path = write(folder, "task1.json", JSON.stringify(task(), undefined, 2));
  assert.deepEqual(await detectFormat(path), {
    format: "super-natural-instructions",
    why: "a JSON object with Definition and Instances",
  });
  assert.match((await readExamples(path, { format: "super-natural-instructions" })).why, /caller/);
  await assert.rejects(readExamples(path, { format: "alpaca" }), /this is a JSON object, not a list of rows/);
  await assert.rejects(readExamples(path, { format: "flam" as FormatName }), /there is no format "flam"/);
});

const REAL: readonly (readonly [
  path: string,
  format: FormatName,
  rows: number,
  withoutOutput: number,
  types: number,
])[] = [
  ["natural-instructions", "super-natural-instructions", 7091 + 13080 + 2700, 0, 55],
  ["alpaca/alpaca_random_9k.json", "alpaca", 9229, 4, 1],
  ["alpaca/alpagasus_claude_t45.json", "alpaca", 5305, 4, 1],
  ["alpaca/alpaca_cherry_5pct.json", "alpaca", 3111, 0, 1],
  ["small-instructions/instruction-data.json", "alpaca", 1100, 0, 1],
  ["code-alpaca/code_alpaca_2k.json", "alpaca", 2017, 2, 1],
  ["dolly/alpagasus_dolly_3k.json", "alpaca", 2996, 0, 8],
  ["self-instruct/seed_tasks.jsonl", "self-instruct", 175, 0, 2],
  ["self-instruct/user_oriented_instructions.jsonl", "self-instruct", 252, 0, 71],
];

for (const [name, format, rows, withoutOutput, types] of REAL) {
  const path = sharedData(name);
  test(`real file ${name}: ${rows} rows`, { skip: path === undefined && NO_SHARED_DATA }, async () => {
    const result = await readExamples(path ?? "", { onMalformed: "skip" });
    assert.equal(result.format, format);
    assert.equal(result.ledger.rowsIn, rows);
    assert.deepEqual(result.ledger.dropped, withoutOutput === 0 ? {} : { "no-output": withoutOutput });
    assert.equal(new Set(result.examples.map(({ taskType }) => taskType)).size, types);
    assertAddsUp(result);
    if (withoutOutput > 0)
      await assert.rejects(readExamples(path ?? ""), /row \d+, field "output": the row has no output/);
  });
}

const NATURAL = sharedData("natural-instructions");
test(
  "the official split: 13,080 train rows of 41 types, 7,091 test rows of 12",
  { skip: NATURAL === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(NATURAL ?? "");
    const sideOf = readOfficialSplit(NATURAL ?? "");
    const split = splitByTaskList(examples, sideOf);
    assert.deepEqual([split.train.length, split.trainTaskTypes.length], [13080, 41]);
    assert.deepEqual([split.heldOut.length, split.heldOutTaskTypes.length], [7091, 12]);
    assert.equal(new Set(split.heldOut.map((example) => example.task)).size, 119);
    // Excluded tasks share a source with a test task: put on the training side, they must be found.
    const careless = (name: string): "train" | "test" => (sideOf(name) === "test" ? "test" : "train");
    assert.throws(() => splitByTaskList(examples, careless), /on both sides of the split/);
  },
);
