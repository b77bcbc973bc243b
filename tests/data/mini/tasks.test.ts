import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../../src/data/example.js";
import { partition } from "../../../src/data/mini/partition.js";
import { ARTICLE_ROWS } from "../../../src/data/mini/tasks/article.js";
import { factAskedBy, factStatedBy } from "../../../src/data/mini/tasks/fact-of.js";
import { MINI_TASKS } from "../../../src/data/mini/tasks/index.js";
import { materialsOf } from "../../../src/data/mini/tasks/materials.js";
import {
  drawTaskRows,
  instructionsOf,
  solveTaskRow,
  splitOfInput,
  type TaskRowFields,
} from "../../../src/data/mini/tasks/rows.js";
import { groupBy } from "../../../src/support/group.js";
import { hashJson } from "../../../src/support/hash.js";

const SIZE = { train: 60, validation: 12, test: 24 };
const materials = materialsOf(1);
const rows = drawTaskRows(SIZE, 1);
const all = [...rows.train, ...rows.validation, ...rows.test];

function fieldsOf(row: Example): TaskRowFields {
  return row.fields as unknown as TaskRowFields;
}

test("thirty or more tasks in ten or more types, each with ten or more instructions", () => {
  const types = new Set(MINI_TASKS.map(({ taskType }) => taskType));
  assert.ok(MINI_TASKS.length >= 30, `${MINI_TASKS.length} tasks`);
  assert.ok(types.size >= 16, `${types.size} types`);
  assert.equal(new Set(MINI_TASKS.map(({ name }) => name)).size, MINI_TASKS.length);
  for (const { name, instructions, options } of MINI_TASKS) {
    assert.ok(new Set(instructions).size >= 10, `${name} has ${instructions.length} instructions`);
    const naming = instructions.filter((text) => options?.every((option) => text.includes(option)));
    if (options !== undefined) assert.equal(naming.length * 2, instructions.length, name);
  }
});

test("a perfect solver that reads the input alone answers every row, the article's own too", () => {
  for (const row of [...all, ...ARTICLE_ROWS]) {
    assert.equal(solveTaskRow(row, materials.test), row.outputs[0], `${row.task}: ${row.input}`);
  }
  // Negative control: the solver reads the input, it does not know the row.
  const [positive] = all.filter(
    ({ task, outputs }) => task === "mini-film-sentiment" && outputs[0] === "Positive",
  );
  assert.ok(positive !== undefined);
  assert.equal(solveTaskRow({ ...positive, input: "The movie was terrible!" }, materials.test), "Negative");
});

test("no input is in two splits or twice in one, and the article's rows are in none", () => {
  const article = new Set(ARTICLE_ROWS.map(({ input }) => input));
  for (const [task, group] of groupBy(all, (row) => row.task)) {
    assert.equal(new Set(group.map(({ input }) => input)).size, group.length, task);
    assert.ok(!group.some(({ input }) => article.has(input)), task);
  }
  for (const row of all) {
    const task = MINI_TASKS.find(({ name }) => `mini-${name}` === row.task);
    if (task?.separates === "inputs") assert.equal(splitOfInput(row.input), fieldsOf(row).split);
  }
});

test("the splits of tasks that separate their materials share no fact, opinion, thing, person or wording of a line", () => {
  const parts = Object.values(materials);
  const shared = (listOf: (part: (typeof parts)[number]) => Iterable<unknown>): number => {
    const lists = parts.map((part) => [...listOf(part)]);
    return lists.flat().length - new Set(lists.flat()).size;
  };
  assert.equal(
    shared(({ facts }) => [...facts.values()].flat()),
    0,
  );
  assert.equal(
    shared(({ people }) => people),
    0,
  );
  assert.equal(
    shared(({ things }) => things),
    0,
  );
  assert.equal(
    shared(({ praise, blame }) => [...praise, ...blame]),
    0,
  );
  assert.equal(
    shared(({ lines }) => lines),
    0,
  );
  assert.equal(
    shared(({ towns }) => towns),
    0,
  );
  const asked = (split: Example[]): Set<string> =>
    new Set(
      split
        .filter(({ taskType }) => taskType === "open-questions")
        .map(({ input, task }) => {
          const { relation, subject } = factAskedBy(input, materials.test.allFacts);
          return `${task}|${relation}|${subject}`;
        }),
    );
  const trained = asked([...rows.train]);
  assert.ok(trained.size > 100);
  for (const fact of asked([...rows.test, ...rows.validation])) assert.ok(!trained.has(fact), fact);
  // Negative control: two partitions with different labels do share facts.
  const other = partition(materials.test.allFacts, 1, "another partition");
  const first = partition(materials.test.allFacts, 1, "one partition");
  assert.ok(other.test.some((fact) => first.train.includes(fact)));
});

test("the classes of a task are equally many in each split, and the levels too", () => {
  for (const task of MINI_TASKS) {
    for (const [split, group] of Object.entries(rows)) {
      const own = group.filter((row) => row.task === `mini-${task.name}`);
      assert.ok(own.length > 0, `${task.name} has no row in ${split}`);
      if (task.options === undefined) continue;
      const counts = task.options.map((option) => own.filter(({ outputs }) => outputs[0] === option).length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${task.name} ${split}: ${counts.join(" ")}`);
    }
  }
  const levels = groupBy(
    rows.train.filter(({ task }) => task === "mini-film-sentiment"),
    (row) => fieldsOf(row).difficulty,
  );
  assert.deepEqual(
    [...levels.values()].map(({ length }) => length),
    [20, 20, 20],
  );
});

test("half of the test rows are asked in words that no training row has", () => {
  for (const task of MINI_TASKS) {
    const { trained, unseen } = instructionsOf(task, 1);
    assert.deepEqual([...trained, ...unseen].sort(), [...task.instructions].sort());
    const own = all.filter((row) => row.task === `mini-${task.name}`);
    for (const row of own) {
      const { wording } = fieldsOf(row);
      assert.ok({ trained, unseen }[wording].includes(row.instruction ?? ""), row.instruction);
      if (wording === "unseen") assert.notEqual(fieldsOf(row).split, "train");
    }
  }
  const unseen = rows.test.filter((row) => fieldsOf(row).wording === "unseen").length;
  assert.ok(Math.abs(unseen / rows.test.length - 0.5) < 0.02);
});

test("several references are given where there are several, the best first", () => {
  const several = new Set(all.filter(({ outputs }) => outputs.length > 1).map(({ task }) => task));
  for (const task of [
    "news-summary",
    "person-record",
    "question-from-fact",
    "paraphrase-voice",
    "market-summary",
  ]) {
    assert.ok(several.has(`mini-${task}`), task);
  }
  for (const { outputs } of all) assert.equal(new Set(outputs).size, outputs.length);
});

test("a sentence states one fact of the world, and a false one states none", () => {
  const { allFacts } = materials.test;
  assert.deepEqual(factStatedBy("Jane Austen is the author of 'Pride and Prejudice'.", allFacts), {
    relation: "book-author",
    subject: "Pride and Prejudice",
    object: "Jane Austen",
  });
  assert.throws(
    () => factStatedBy("Bram Stoker is the author of 'Pride and Prejudice'.", allFacts),
    /no fact/,
  );
});

test("task rows are the same on every machine, and others for another seed", () => {
  const hashOf = (seed: number): string => hashJson(drawTaskRows({ train: 6, validation: 2, test: 2 }, seed));
  assert.equal(hashOf(1), TASKS_HASH);
  assert.notEqual(hashOf(2), TASKS_HASH);
});

/** Of the first rows of every task of seed 1; a change of world, wording or drawing changes it. */
const TASKS_HASH = "34a83d68c2368ed7f634ff456798f929193be8d3f384cab1010b3eae823d8b50";
