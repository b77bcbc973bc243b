import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readExamples, readOfficialSplit } from "../../src/data/read/index.js";
import { KitError } from "../../src/support/errors.js";
import { temporaryFolder } from "./fixtures.js";

const ALPACA_ROW = { instruction: "Say hello.", input: "to Bob", output: "Hello, Bob." };
const SEED_ROW = {
  id: "s1",
  instruction: "Sort.",
  is_classification: false,
  instances: [{ input: "b a", output: "a b" }],
};
const TASK = {
  Definition: ["Add the numbers."],
  Categories: ["Arithmetic"],
  "Positive Examples": [{ input: "1 1", output: "2", explanation: "" }],
  Instances: [{ id: "a", input: "2 2", output: ["4"] }],
};
const manySeeds = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${JSON.stringify({ ...SEED_ROW, id: `s${index}` })}\n`).join(
    "",
  );
const NESTED = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

interface BadInput {
  readonly what: string;
  readonly file: string;
  readonly content: string | Buffer;
  /** What the one line must say. */
  readonly says: RegExp;
}

const alpaca = (...rows: unknown[]): string => JSON.stringify(rows);
const BAD_INPUTS: readonly BadInput[] = [
  { what: "an empty file", file: "a.json", content: "", says: /a\.json: the file is empty/ },
  { what: "blanks only", file: "a.json", content: " \n\n", says: /the file is empty/ },
  { what: "no rows", file: "a.json", content: "[]", says: /the list of rows is empty/ },
  {
    what: "rows that are no objects",
    file: "a.json",
    content: "[1, 2]",
    says: /row 1: the first row cannot be used: it is not an object/,
  },
  { what: "a text", file: "a.dat", content: "Once upon a time", says: /the format is not known/ },
  {
    what: "other fields",
    file: "a.json",
    content: alpaca({ a: 1, b: 2 }),
    says: /not known: it has the fields a, b/,
  },
  {
    what: "truncated JSON",
    file: "a.json",
    content: alpaca(ALPACA_ROW, ALPACA_ROW).slice(0, -20),
    says: /not valid JSON/,
  },
  {
    what: "truncated in the first row",
    file: "a.json",
    content: '[{"instruction": "x',
    says: /not valid JSON/,
  },
  {
    what: "a truncated task",
    file: "task1_x.json",
    content: JSON.stringify(TASK).slice(0, 60),
    says: /not valid JSON/,
  },
  {
    what: "bad UTF-8",
    file: "a.json",
    content: Buffer.from([0x5b, 0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d, 0x5d]),
    says: /not valid UTF-8/,
  },
  {
    what: "bad UTF-8 in a line",
    file: "a.jsonl",
    content: Buffer.concat([Buffer.from(manySeeds(9_000)), Buffer.from([0xc3, 0x28])]),
    says: /a\.jsonl:9001: the line is not valid UTF-8/,
  },
  { what: "nesting", file: "a.json", content: NESTED, says: /a\.json/ },
  {
    what: "nesting in a field",
    file: "a.json",
    content: `[{"instruction": "x", "input": ${NESTED}, "output": "y"}]`,
    says: /"input" is a list: string was expected|not valid JSON/,
  },
  {
    what: "a number for a text",
    file: "a.json",
    content: alpaca(ALPACA_ROW, { ...ALPACA_ROW, output: 3 }),
    says: /row 2, field "output": "output" is a number: string was expected/,
  },
  {
    what: "no output field",
    file: "a.json",
    content: alpaca(ALPACA_ROW, { instruction: "x", input: "" }),
    says: /row 2, field "output": "output" is missing/,
  },
  {
    what: "an empty output",
    file: "a.json",
    content: alpaca({ ...ALPACA_ROW, output: " \n" }),
    says: /row 1, field "output": the row has no output/,
  },
  {
    what: "an empty instruction",
    file: "a.json",
    content: alpaca({ ...ALPACA_ROW, instruction: "" }),
    says: /field "instruction".*it is empty/,
  },
  {
    what: "half a character",
    file: "a.json",
    content: '[{"instruction": "x", "input": "\\ud83d", "output": "y"}]',
    says: /field "input".*half a character/,
  },
  {
    what: "null for a row",
    file: "a.json",
    content: alpaca(ALPACA_ROW, null),
    says: /row 2: the row is null/,
  },
  {
    what: "a broken line",
    file: "a.jsonl",
    content: `${JSON.stringify(SEED_ROW)}\n{"id": `,
    says: /a\.jsonl:2: the line is not valid JSON/,
  },
  {
    what: "no instances",
    file: "a.jsonl",
    content: JSON.stringify({ ...SEED_ROW, instances: [] }),
    says: /a\.jsonl:1, field "instances": task "s1" has no instances/,
  },
  {
    what: "an instance without output",
    file: "a.jsonl",
    content: JSON.stringify({ ...SEED_ROW, instances: [{ input: "x" }] }),
    says: /a\.jsonl:1, field "instances\.0\.output": "output" is missing/,
  },
  {
    what: "an id twice",
    file: "a.jsonl",
    content: `${JSON.stringify(SEED_ROW)}\n${JSON.stringify(SEED_ROW)}`,
    says: /a\.jsonl:2.*the id "s1" was used before/,
  },
  {
    what: "an empty task",
    file: "task1_x.json",
    content: JSON.stringify({ ...TASK, Instances: [] }),
    says: /field "Instances": the task has no instances/,
  },
  {
    what: "an empty definition",
    file: "task1_x.json",
    content: JSON.stringify({ ...TASK, Definition: [" "] }),
    says: /field "Definition/,
  },
  {
    what: "no definition entry",
    file: "task1_x.json",
    content: JSON.stringify({ ...TASK, Definition: [] }),
    says: /field "Definition".*an empty list/,
  },
  {
    what: "a task without category",
    file: "task1_x.json",
    content: JSON.stringify({ ...TASK, Categories: [] }),
    says: /field "Categories": task "task1_x" has no category/,
  },
  {
    what: "an instance without references",
    file: "task1_x.json",
    content: JSON.stringify({ ...TASK, Instances: [{ input: "x", output: [] }] }),
    says: /row 1, field "output": the row has no output/,
  },
  {
    what: "a number as reference",
    file: "task1_x.json",
    content: JSON.stringify({ ...TASK, Instances: [{ input: "x", output: [4] }] }),
    says: /row 1, field "output\.0"/,
  },
];

for (const { what, file, content, says } of BAD_INPUTS) {
  test(`${what}: one line that names the place and the cure`, async (context) => {
    const path = join(temporaryFolder(context), file);
    writeFileSync(path, content);
    await assert.rejects(readExamples(path), (error) => isOneLine(error, file) && says.test(error.message));
  });
}

test("a path with nothing there, and folders without tasks", async (context) => {
  const folder = temporaryFolder(context);
  await assert.rejects(readExamples(join(folder, "none.json")), /none\.json: no such file or folder/);
  await assert.rejects(readExamples(folder), /the folder is empty/);
  mkdirSync(join(folder, "tasks"));
  await assert.rejects(readExamples(folder), /tasks: the folder has no file named task<number>/);
  writeFileSync(join(folder, "task_categories.tsv"), "task\tsplit\n");
  writeFileSync(join(folder, "tasks", "task1_x.json"), JSON.stringify(TASK));
  await assert.rejects(readExamples(folder), /task_categories\.tsv:1: the table has no column "category"/);
  assert.throws(() => readOfficialSplit(folder), /train_tasks\.txt: no such file/);
});

test("skips are counted, with the place of each", async (context) => {
  const folder = temporaryFolder(context);
  const path = join(folder, "a.json");
  writeFileSync(
    path,
    alpaca(ALPACA_ROW, { ...ALPACA_ROW, output: "" }, 7, { ...ALPACA_ROW, input: null }, ALPACA_ROW),
  );
  const { examples, ledger } = await readExamples(path, { onMalformed: "skip" });
  assert.deepEqual(
    examples.map(({ id }) => id),
    ["a-1", "a-5"],
  );
  assert.deepEqual([ledger.rowsIn, ledger.kept, ledger.dropped], [5, 2, { "no-output": 1, malformed: 2 }]);
  assert.deepEqual(
    ledger.problems.map(({ message }) => /row (\d)/.exec(message)?.[1]),
    ["2", "3", "4"],
  );
  const tasks = join(folder, "tasks");
  mkdirSync(tasks);
  writeFileSync(join(tasks, "task1_good.json"), JSON.stringify(TASK));
  writeFileSync(join(tasks, "task2_cut.json"), JSON.stringify(TASK).slice(0, 50));
  writeFileSync(
    join(tasks, "task3_wrong.json"),
    JSON.stringify({ ...TASK, Definition: 1, Instances: [1, 2, 3] }),
  );
  writeFileSync(join(tasks, "task4_empty.json"), JSON.stringify({ ...TASK, Instances: [] }));
  await assert.rejects(readExamples(tasks), /task2_cut\.json.*not valid JSON/);
  const result = await readExamples(tasks, { onMalformed: "skip" });
  assert.deepEqual(result.ledger.dropped, { "unreadable-file": 1, malformed: 3, "empty-task": 1 });
  assert.deepEqual([result.ledger.rowsIn, result.ledger.kept], [6, 1]);
});

function isOneLine(error: unknown, file: string): error is KitError {
  if (!(error instanceof KitError)) return false;
  const { message } = error;
  return (
    !message.includes("\n") &&
    message.includes(file) &&
    message.includes("To mend it: ") &&
    message.length < 1500
  );
}
