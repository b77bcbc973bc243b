import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import {
  isPlaceholder,
  NORMALISE_STEPS,
  normaliseExamples,
  normaliseSteps,
  normaliseWhatIf,
} from "../../src/data/normalise.js";
import { readExamples } from "../../src/data/read/index.js";
import { Random } from "../../src/support/random.js";
import { exampleWith, NO_SHARED_DATA, sharedData } from "./fixtures.js";

const all = (rows: readonly Example[]): readonly Example[] =>
  normaliseExamples(rows, NORMALISE_STEPS).examples;

test("placeholders are told in all their spellings, and only as the whole text", () => {
  const inputs = [
    "<noinput>",
    "No input",
    "no_input",
    "NO INPUT REQUIRED.",
    "(no input)",
    "`<noinput>`",
    "<noinput",
  ];
  inputs.push("\\<noinput\\>", "n/a", "<None>", " <no input>.\n", "No input is needed.", "Not applicable");
  for (const text of inputs) assert.ok(isPlaceholder(text, "input"), text);
  const texts = [
    "",
    "He was <noinput>",
    "no input was needed from me",
    "nonesuch",
    "input",
    "<noinput> 8",
    "No",
  ];
  for (const text of texts) assert.ok(!isPlaceholder(text, "input"), text);
  const outputs = [
    "<nooutput>",
    "<No Output>",
    "no output.",
    "<No output. The task requires a poster, not text.>",
  ];
  for (const text of outputs) assert.ok(isPlaceholder(text, "output"), text);
  for (const text of ["None", "N/A", "no outputs were lost", "There is no output"])
    assert.ok(!isPlaceholder(text, "output"), text);
});

test("each step does what it says, and counts it; what loses its last reference is dropped", () => {
  const rows = [
    exampleWith({ id: "a", input: "<noinput>", outputs: ["yes<|endoftext|>\n"] }),
    exampleWith({ id: "b", input: " x ", outputs: ["e\u0301", "<nooutput>"] }),
    exampleWith({ id: "c", outputs: ["<|endoftext|>"] }),
    exampleWith({ id: "d", outputs: ["No output"] }),
    exampleWith({ id: "e", outputs: ["fine"], options: ["fine ", "not fine"] }),
  ];
  const { examples, report } = normaliseExamples(rows, ["placeholder-output", ...NORMALISE_STEPS]);
  assert.deepEqual(
    examples.map(({ id, input, outputs }) => [id, input, ...outputs]),
    [
      ["a", "", "yes"],
      ["b", "x", "é"],
      ["e", "Great movie!", "fine"],
    ],
  );
  assert.deepEqual(examples[2]?.options, ["fine", "not fine"]);
  assert.deepEqual(report, {
    steps: [...NORMALISE_STEPS],
    rowsIn: 5,
    kept: 3,
    dropped: { "end-of-text": 1, "placeholder-output": 1 },
    changed: {
      "unicode-nfc": 1,
      "end-of-text": 2,
      "white-space": 2,
      "placeholder-input": 1,
      "placeholder-output": 2,
    },
  });
  assert.deepEqual(normaliseExamples(rows, []).examples, rows, "no step, no change");
  const benchmark = exampleWith({ outputs: ["<nooutput>"], evaluationOnly: true });
  assert.deepEqual(all([benchmark])[0]?.outputs, [], "a row of a benchmark stays");
  assert.throws(() => normaliseSteps(["lower-case"]), /no step "lower-case".*use one of unicode-nfc/);
});

const PIECES = [
  "<|endoftext|>",
  " ",
  "\n",
  "no input",
  "<",
  ">",
  "No output",
  "e\u0301",
  "\u212b",
  ".",
  "N/A",
  "word",
];

function randomRows(random: Random, count: number): Example[] {
  const text = (): string =>
    Array.from({ length: 1 + random.integer(5) }, () => random.choice(PIECES)).join("");
  const written = (): string => [text(), text(), text()].find((one) => one.trim() !== "") ?? "word";
  return Array.from({ length: count }, (_, index) =>
    exampleWith({
      id: `r${index}`,
      input: text(),
      outputs: [...new Set([written(), written()])].slice(index % 2),
    }),
  );
}

/** Applies steps one after the other, in this order. */
function oneByOne(
  rows: readonly Example[],
  steps: readonly (typeof NORMALISE_STEPS)[number][],
): readonly Example[] {
  return steps.reduce<readonly Example[]>((left, step) => normaliseExamples(left, [step]).examples, rows);
}

test("steps may be named or applied in any order, and a second time changes nothing", () => {
  const random = new Random(5);
  const rows = randomRows(random, 2_000);
  const expected = all(rows);
  assert.ok(expected.length < rows.length && expected.length > 500);
  assert.deepEqual(all(expected), expected, "idempotent");
  for (let round = 0; round < 6; round++) {
    const order = random.shuffled(NORMALISE_STEPS);
    assert.deepEqual(normaliseExamples(rows, order).examples, expected, order.join());
    assert.deepEqual(oneByOne(rows, order), expected, `one by one: ${order.join()}`);
  }
  // Control: a step that knows nothing of the others, such as one that compares the bare text, depends on the order.
  const naive = (list: readonly Example[]): Example[] =>
    list.map((row) => (row.input === "no input" ? { ...row, input: "" } : row));
  const before = oneByOne(naive(rows), ["end-of-text", "white-space"]).map(({ input }) => input);
  const after = naive(oneByOne(rows, ["end-of-text", "white-space"])).map(({ input }) => input);
  assert.notDeepEqual(before, after);
});

const ALPACA = sharedData("alpaca/alpaca_random_9k.json");
test(
  "the random 9k of Alpaca: 5,563 empty inputs, 132 placeholders in 27 spellings, 13 placeholder outputs",
  { skip: ALPACA === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(ALPACA ?? "", { onMalformed: "skip" });
    assert.equal(
      examples.filter(({ input }) => input === "").length,
      5563 - 3,
      "three of them have no output",
    );
    const placeholders = examples.map(({ input }) => input).filter((input) => isPlaceholder(input, "input"));
    // The notes on the data count 128: they miss four spellings that are one row each.
    const missed = ["\\<noinput\\>", "`<noinput>`", "<noinput>,", "<noinputs>"];
    assert.equal(placeholders.length, 132);
    assert.equal(placeholders.filter((input) => !missed.includes(input)).length, 128);
    assert.equal(new Set(placeholders).size, 27);
    const whatIf = new Map(normaliseWhatIf(examples).map((report) => [report.steps[0], report]));
    assert.equal(whatIf.get("placeholder-input")?.changed["placeholder-input"], 132);
    assert.deepEqual(whatIf.get("placeholder-output")?.dropped, { "placeholder-output": 13 });
  },
);

const P3 = sharedData("p3-t0-train");
test(
  "rendered P3: each completion ends in the mark, each prompt in a line end",
  { skip: P3 === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(P3 ?? "");
    const whatIf = new Map(normaliseWhatIf(examples).map((report) => [report.steps[0], report]));
    assert.equal(whatIf.get("end-of-text")?.changed["end-of-text"], 9190);
    assert.equal(whatIf.get("white-space")?.changed["white-space"], 9190);
    const { examples: clean, report } = normaliseExamples(examples, ["end-of-text", "white-space"]);
    assert.equal(
      report.rowsIn,
      report.kept + Object.values(report.dropped).reduce((sum, rows) => sum + rows, 0),
    );
    assert.ok(clean.every(({ outputs }) => !outputs.join().includes("<|endoftext|>")));
  },
);
