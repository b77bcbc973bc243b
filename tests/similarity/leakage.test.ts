import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { makeSplit } from "../../src/data/split/choice.js";
import { findContained } from "../../src/similarity/containment.js";
import { passLeakageGate, withoutLeaks } from "../../src/similarity/leakage/gate.js";
import { LEAK_KIND_NAMES, type LeakKind } from "../../src/similarity/leakage/leak.js";
import { findLeaks, type LeakageReport } from "../../src/similarity/leakage/report.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { exampleWith } from "../data/fixtures.js";
import { randomText, withNewWords } from "./fixtures.js";

const random = new Random(31);
const TEXTS = Array.from({ length: 40 }, () => randomText(20, 4000, random));

/** Rows of a task with texts of their own; type, source and instruction are the task's. */
function taskRows(task: string, texts: readonly string[]): Example[] {
  return texts.map((input, at) =>
    exampleWith({
      id: `${task}-${at}`,
      task,
      taskType: task,
      source: task,
      instruction: `Do ${task}`,
      input,
    }),
  );
}

const TRAIN = [...taskRows("a", TEXTS.slice(0, 10)), ...taskRows("b", TEXTS.slice(10, 20))];
const HELD_OUT = taskRows("x", TEXTS.slice(20, 30));

function kindsOf(report: LeakageReport): LeakKind[] {
  return [...new Set(report.leaks.map(({ kind }) => kind))];
}

/** The clean rows with one held-out row and one training row changed. */
function withRows(train: Partial<Example>, heldOut: Partial<Example>): [Example[], Example[]] {
  return [
    [
      ...TRAIN,
      exampleWith({ id: "t", task: "c", taskType: "c", source: "c", instruction: "Do c", ...train }),
    ],
    [
      ...HELD_OUT,
      exampleWith({ id: "h", task: "y", taskType: "y", source: "y", instruction: "Do y", ...heldOut }),
    ],
  ];
}

test("a clean split passes, with nothing found", () => {
  const report = findLeaks(TRAIN, HELD_OUT);
  assert.deepEqual(report.leaks, []);
  assert.deepEqual(passLeakageGate(report), { allowed: [], passed: {} });
});

const [text = "", other = ""] = TEXTS.slice(30);
const long = randomText(60, 4000, random);

const CASES: [LeakKind, Partial<Example>, Partial<Example>, LeakKind[]?][] = [
  ["same-input", { input: text }, { input: `  ${text.toUpperCase()} ` }],
  ["same-input", { instruction: text, input: other }, { instruction: `${text}\n\n${other}`, input: "" }],
  ["near-duplicate", { input: long }, { input: withNewWords(long, 1, random) }],
  ["contained-input", { input: `Is "${text}" a question? Yes or no?` }, { input: text }],
  ["contained-input", { input: other, outputs: [`it says: ${text}.`] }, { input: text }],
  ["contained-input", { input: text }, { input: `Read this. ${text}. What does it mean?` }],
  ["demonstration", { input: other, positive: [{ input: text, output: "yes" }] }, { input: text }],
  ["demonstration", {}, { input: text, negative: [{ input: text, output: "no" }] }],
  ["evaluation-only", { input: text, evaluationOnly: true }, { input: other }],
  ["shared-task-type", { input: text, taskType: "same" }, { input: other, taskType: "same" }],
  ["shared-task", { input: text, task: "same" }, { input: other, task: "same" }],
  [
    "shared-source",
    { input: text, source: "glue/qqp" },
    { input: other, source: "else + QQP" },
    ["sibling-task"],
  ],
];

for (const [kind, train, heldOut, also = []] of CASES) {
  test(`${kind} is found and stops a run: ${JSON.stringify([train, heldOut]).slice(0, 60)}`, () => {
    const report = findLeaks(...withRows({ input: "train only text of this row", ...train }, heldOut));
    assert.deepEqual(kindsOf(report).sort(), [kind, ...also].sort());
    const [first] = report.leaks.filter((leak) => leak.kind === kind);
    const tasks = kind === "shared-task" ? ["same", "same"] : ["c", "y"];
    if (kind !== "evaluation-only" && train.input !== undefined) {
      assert.deepEqual([first?.trainTask, first?.heldOutTask], tasks);
    }
    assert.throws(
      () => passLeakageGate(report),
      (error) => {
        assert.ok(error instanceof KitError);
        assert.match(error.message, new RegExp(`the split leaks: .*${kind} \\(`));
        assert.match(error.message, /--allow-leak/);
        return true;
      },
    );
    // Told otherwise, the gate lets it pass and says so; allowing another kind does not help.
    const pass = passLeakageGate(report, [kind, ...also]);
    assert.equal(pass.passed[kind], 1);
    const others = LEAK_KIND_NAMES.filter((name) => name !== kind);
    assert.throws(() => passLeakageGate(report, others), /the split leaks/);
  });
}

test("tasks with one instruction are siblings, whatever their sources", () => {
  const rows = (task: string, from: number): Example[] =>
    taskRows(task, TEXTS.slice(from, from + 5)).map((row) => ({
      ...row,
      instruction: "Say which word is odd.",
    }));
  const report = findLeaks(rows("odd 1", 0), rows("odd 2", 10));
  assert.deepEqual(
    report.leaks.map(({ kind, shared, trainTask, heldOutTask }) => [kind, shared, trainTask, heldOutTask]),
    [["sibling-task", "the instruction", "odd 1", "odd 2"]],
  );
});

test("leaking rows can be left out of either side, counted by task and kind", () => {
  const rows = [...TRAIN, ...HELD_OUT, ...taskRows("y", [text, other]), ...taskRows("z", [text])];
  const split = makeSplit(rows, { kind: "task types", heldOut: ["x", "y"], relations: [] });
  const report = findLeaks(split.train, split.heldOut);
  for (const side of ["train", "held-out"] as const) {
    const clean = withoutLeaks(split, report, side);
    assert.deepEqual(findLeaks(clean.train, clean.heldOut).leaks, []);
    assert.deepEqual(clean.excluded, [
      { what: "rows", name: side === "train" ? "z" : "y", rows: 1, why: "they leak: same-input" },
    ]);
    assert.equal(clean.train.length + clean.heldOut.length, rows.length - 1);
    assert.deepEqual(clean.sharedInputs, []);
  }
  assert.deepEqual(withoutLeaks(split, report, "train").trainTaskTypes, ["a", "b"]);
});

test("containment: by words, at any place, each pair once, and as a search of all pairs finds it", () => {
  const needles = [
    "one two three four five",
    "Two, three four five six!",
    "a b",
    "five six seven eight nine",
  ];
  const haystacks = [
    "Zero one two three four five six seven; one two three four five",
    "five six seven eight",
    "a b c",
  ];
  const found = findContained(needles, haystacks, { minWords: 5 });
  assert.deepEqual(found.map(({ needle, haystack }) => [needle, haystack]).sort(), [
    [0, 0],
    [1, 0],
  ]);
  const small = Array.from({ length: 300 }, () => randomText(3 + random.integer(4), 4, random));
  const large = Array.from({ length: 60 }, () => randomText(30, 4, random));
  const expected = large.flatMap((hay, haystack) =>
    small.flatMap((wanted, needle) => (` ${hay} `.includes(` ${wanted} `) ? [`${needle} ${haystack}`] : [])),
  );
  const pairs = findContained(small, large, { minWords: 3 }).map(
    ({ needle, haystack }) => `${needle} ${haystack}`,
  );
  assert.deepEqual([...pairs].sort(), [...expected].sort());
  assert.ok(expected.length > 100 && expected.length < small.length * large.length * 0.9);
  assert.throws(() => findContained([], [], { minWords: 0 }), RangeError);
});
