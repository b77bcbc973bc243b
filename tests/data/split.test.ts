import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { splitByTaskType } from "../../src/data/split.js";
import { exampleWith } from "./fixtures.js";

/** Ten task types of two tasks of three rows, each type with a source of its own. */
const EXAMPLES: readonly Example[] = Array.from({ length: 60 }, (_, index) => {
  const taskType = `type-${Math.floor(index / 6)}`;
  return exampleWith({
    id: `${index}`,
    task: `task-${Math.floor(index / 3)}`,
    taskType,
    source: taskType,
    input: `${index}`,
  });
});

test("named task types are held out, all other rows are trained on", () => {
  const split = splitByTaskType(EXAMPLES, { heldOutTaskTypes: ["type-3", "type-7"] });
  assert.deepEqual(split.heldOutTaskTypes, ["type-3", "type-7"]);
  assert.deepEqual([split.train.length, split.heldOut.length, split.trainTaskTypes.length], [48, 12, 8]);
  assert.deepEqual(split.sharedInputs, []);
  assert.throws(
    () => splitByTaskType(EXAMPLES, { heldOutTaskTypes: ["type-x"] }),
    /no row has the task type "type-x"/,
  );
  assert.throws(() => splitByTaskType(EXAMPLES, { heldOutTaskTypes: [] }), /no row is held out/);
});

test("a share of the task types is held out by seed, and the order of the rows does not matter", () => {
  const choose = (seed: number, rows = EXAMPLES): readonly string[] =>
    splitByTaskType(rows, { heldOutFraction: 0.3, seed }).heldOutTaskTypes;
  assert.equal(choose(1).length, 3);
  assert.deepEqual(choose(1, [...EXAMPLES].reverse()), choose(1));
  const choices = new Set([1, 2, 3, 4, 5].map((seed) => choose(seed).join()));
  assert.ok(choices.size > 1, "the seed decides");
  assert.equal(splitByTaskType(EXAMPLES, { heldOutFraction: 0.001, seed: 0 }).heldOutTaskTypes.length, 1);
  assert.equal(splitByTaskType(EXAMPLES, { heldOutFraction: 0.999, seed: 0 }).trainTaskTypes.length, 1);
  for (const heldOutFraction of [0, 1, NaN, -1]) {
    assert.throws(() => splitByTaskType(EXAMPLES, { heldOutFraction, seed: 0 }), /cannot be held out/);
  }
  assert.throws(
    () => splitByTaskType(EXAMPLES.slice(0, 3), { heldOutFraction: 0.5, seed: 0 }),
    /all rows are of one task type/,
  );
});

test("a task or a source data set on both sides is an error that names the rows", () => {
  const choice = { heldOutTaskTypes: ["type-3"] };
  const sameTask = [
    ...EXAMPLES,
    exampleWith({ id: "x", task: "task-6", taskType: "type-9", source: "other" }),
  ];
  assert.throws(
    () => splitByTaskType(sameTask, choice),
    /the task "task-6" is on both sides.*"x" \(type-9\)/,
  );
  const sameSource = [
    ...EXAMPLES,
    exampleWith({ id: "x", task: "new", taskType: "type-9", source: "other + type-3" }),
  ];
  assert.throws(() => splitByTaskType(sameSource, choice), /the source "type-3" is on both sides/);
  assert.equal(splitByTaskType(sameSource, choice, { sharedSources: "allow" }).heldOut.length, 6);
  assert.throws(() => splitByTaskType(sameTask, choice, { sharedSources: "allow" }), /the task "task-6"/);
});

test("inputs on both sides are listed with their rows; empty inputs are not", () => {
  const [row] = EXAMPLES;
  assert.ok(row);
  const rows = [
    ...EXAMPLES,
    exampleWith({ id: "copy", task: "new", taskType: "new", source: "new", input: row.input }),
    exampleWith({ id: "none", task: "new", taskType: "new", source: "new", input: "" }),
    exampleWith({ id: "none-too", task: "newer", taskType: "newer", source: "newer", input: "" }),
  ];
  const { sharedInputs } = splitByTaskType(rows, { heldOutTaskTypes: ["new"] });
  assert.deepEqual(sharedInputs, [
    { input: "0", trainId: "0", trainTask: "task-0", heldOutId: "copy", heldOutTask: "new" },
  ]);
});
