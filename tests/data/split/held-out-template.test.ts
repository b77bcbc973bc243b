import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../../src/data/example.js";
import { makeSplit } from "../../../src/data/split/choice.js";
import type { TemplateChoice } from "../../../src/data/split/held-out-template.js";
import { carveValidation } from "../../../src/data/split/validation.js";
import { exampleWith } from "../fixtures.js";

const TEMPLATES = ["plain", "question", "choices", "cloze"];

/** Forty examples under four templates each; the example is named in the input. */
const ROWS: readonly Example[] = TEMPLATES.flatMap((template) =>
  Array.from({ length: 40 }, (_, number) =>
    exampleWith({
      id: `${template}-${number}`,
      task: `reviews, ${template}`,
      input: `${template}: text ${number}`,
    }),
  ),
);
const templateOf = ({ task }: Example): string => task;
const exampleOf = ({ input }: Example): string => input.replace(/^.*: /, "");
const CHOICE: TemplateChoice = {
  kind: "templates",
  templateOf,
  exampleOf,
  heldOut: ["reviews, cloze", "reviews, choices"],
  testShare: 0.25,
  seed: 3,
};

/** Values that stand on both sides. */
function shared(
  valueOf: (row: Example) => string,
  train: readonly Example[],
  heldOut: readonly Example[],
): string[] {
  const trained = new Set(train.map(valueOf));
  return [...new Set(heldOut.map(valueOf))].filter((value) => trained.has(value));
}

test("held-out templates: no template and no example stands on both sides", () => {
  const { train, heldOut, excluded } = makeSplit(ROWS, CHOICE);
  assert.deepEqual([train.length, heldOut.length], [2 * 30, 2 * 10]);
  assert.deepEqual(shared(templateOf, train, heldOut), []);
  assert.deepEqual(shared(exampleOf, train, heldOut), []);
  assert.deepEqual(
    excluded.map(({ name, rows, why }) => [name, rows, why]),
    [
      ["reviews, plain", 10, "their examples are tested under another template"],
      ["reviews, question", 10, "their examples are tested under another template"],
      ["reviews, choices", 30, "their template is held out"],
      ["reviews, cloze", 30, "their template is held out"],
    ],
  );
  // Negative control: divided by rendered row, examples do stand on both sides.
  const careless = makeSplit(ROWS, { ...CHOICE, exampleOf: ({ id }) => id });
  assert.ok(shared(exampleOf, careless.train, careless.heldOut).length > 0);
  assert.deepEqual(
    makeSplit([...ROWS].reverse(), CHOICE)
      .heldOut.map(({ id }) => id)
      .sort(),
    heldOut.map(({ id }) => id).sort(),
  );
});

test("held-out templates: what cannot be held out is an error", () => {
  assert.throws(() => makeSplit(ROWS, { ...CHOICE, heldOut: ["none"] }), /no row has the template "none"/);
  assert.throws(() => makeSplit(ROWS, { ...CHOICE, heldOut: [] }), /no row is held out/);
  assert.throws(() => makeSplit(ROWS, { ...CHOICE, testShare: 1 }), /cannot be for testing/);
});

const TRAIN: readonly Example[] = Array.from({ length: 120 }, (_, at) =>
  exampleWith({
    id: `${at}`,
    taskType: `type-${at % 4}`,
    // Each input twice, in two task types.
    input: `text ${Math.floor(at / 2)}`,
  }),
);

test("validation by row: each task type gives its share, and an input stays on one side", () => {
  const choice = { by: "row", share: 0.2, seed: 1 } as const;
  const { train, validation } = carveValidation(TRAIN, choice);
  assert.equal(train.length + validation.length, 120);
  for (let type = 0; type < 4; type++) {
    const count = validation.filter(({ taskType }) => taskType === `type-${type}`).length;
    assert.equal(count, 6);
  }
  assert.deepEqual(
    shared(({ input }) => input, train, validation),
    [],
  );
  // Negative control: kept together by id, inputs stand on both sides.
  const careless = carveValidation(TRAIN, { ...choice, groupOf: ({ id }) => id });
  assert.ok(shared(({ input }) => input, careless.train, careless.validation).length > 0);
  assert.deepEqual(carveValidation(TRAIN, choice), { train, validation });
  assert.notDeepEqual(carveValidation(TRAIN, { ...choice, seed: 2 }).validation, validation);
});

test("validation by task type sets whole types aside; a share that leaves a side empty is an error", () => {
  const { train, validation } = carveValidation(TRAIN, { by: "task type", share: 0.25, seed: 1 });
  assert.deepEqual([validation.length, shared(({ taskType }) => taskType, train, validation)], [30, []]);
  assert.throws(
    () => carveValidation(TRAIN.slice(0, 2), { by: "row", share: 0.01, seed: 1 }),
    /0 would be for validation/,
  );
  assert.throws(() => carveValidation(TRAIN, { by: "row", share: 1, seed: 1 }), /cannot be for validation/);
});
