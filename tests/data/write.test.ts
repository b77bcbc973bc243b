import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { readExamples } from "../../src/data/read/index.js";
import { type WriteFormat, WRITE_FORMATS, writeExamples } from "../../src/data/write/index.js";
import { Random } from "../../src/support/random.js";
import { exampleWith, NO_SHARED_DATA, sharedData, temporaryFolder } from "./fixtures.js";

const PIECES = [
  "a",
  " ",
  "\n",
  "\r\n",
  '"',
  '""',
  ",",
  "\t",
  "é",
  "😀",
  "{",
  "\\n",
  "\u2028",
  "Zeile",
  "\n\n",
  "'",
  "\ufeff",
];

function randomText(random: Random): string {
  return `x${Array.from({ length: random.integer(8) }, () => random.choice(PIECES)).join("")}`;
}

/** Examples with awkward texts in the fields that the format holds. */
function examplesFor(format: WriteFormat, isTable: boolean, count: number): Example[] {
  const random = new Random(3);
  return Array.from({ length: count }, (_, index): Example => {
    const { instruction, ...plain } = exampleWith({
      id: `row "${index}"`,
      task: randomText(random),
      taskType: randomText(random),
      source: randomText(random),
      input: index % 3 === 0 ? "" : randomText(random),
      outputs: [randomText(random)],
    });
    const withInstruction =
      format === "alpaca" || (!isTable && format !== "sft-pairs" && index % 2 === 0)
        ? { ...plain, instruction: instruction === undefined ? "" : randomText(random) }
        : plain;
    if (isTable || !["alpaca", "messages"].includes(format) || index % 4 > 1) return withInstruction;
    const history = [
      { role: "system", text: "Be kind." },
      { role: "user", text: randomText(random) },
      { role: "assistant", text: randomText(random) },
    ] as const;
    if (format === "alpaca") return { ...withInstruction, history };
    const toolTurn = { role: "tool", text: randomText(random) } as const;
    return index % 8 === 0
      ? { ...plain, input: "", history: [...history, toolTurn], tools: "[{}]" }
      : { ...withInstruction, history };
  });
}

const FILES: readonly (readonly [WriteFormat, string])[] = [
  ["alpaca", "o.json"],
  ["alpaca", "o.jsonl"],
  ["alpaca", "o.csv"],
  ["alpaca", "o.tsv"],
  ["messages", "o.jsonl"],
  ["messages", "o.json"],
  ["prompt-completion", "o.jsonl"],
  ["prompt-completion", "o.csv"],
  ["sft-pairs", "o.jsonl"],
  ["sft-pairs", "o.csv"],
  ["sft-pairs", "o.tsv"],
];

for (const [format, name] of FILES) {
  test(`${format} in ${name}: reading back what was written gives the same examples`, async (context) => {
    const path = join(temporaryFolder(context), name);
    const examples = examplesFor(format, /[ct]sv$/.test(name), 200);
    const report = await writeExamples(examples, path, { format });
    assert.deepEqual(report, { rowsIn: 200, written: 200, leftOut: {}, lost: {} });
    const back = await readExamples(path);
    assert.equal(back.format, format);
    assert.deepEqual(back.examples, examples);
  });
}

test("what a format cannot hold is an error that names it, or counted; nothing is half written", async (context) => {
  const folder = temporaryFolder(context);
  const path = join(folder, "o.json");
  const rich = exampleWith({ id: "rich", outputs: ["a", "b"], rationale: "because", options: ["a", "b"] });
  const { instruction, ...bare } = exampleWith({ id: "bare" });
  assert.ok(instruction);
  const cases: readonly (readonly [Example, WriteFormat, RegExp])[] = [
    [rich, "alpaca", /field "outputs": alpaca cannot hold more than one reference, which example "rich" has/],
    [bare, "alpaca", /field "instruction": alpaca needs "instruction", which example "bare" lacks/],
    [exampleWith({}), "sft-pairs", /field "instruction": sft-pairs cannot hold "instruction"/],
    [exampleWith({ evaluationOnly: true }), "messages", /field "evaluationOnly"/],
    [
      exampleWith({ outputs: [], evaluationOnly: true }),
      "messages",
      /field "outputs": messages needs "outputs"/,
    ],
    [exampleWith({ history: [{ role: "tool", text: "x" }] }), "alpaca", /field "history"/],
  ];
  for (const [example, format, says] of cases) {
    await assert.rejects(writeExamples([example], path, { format }), says);
    assert.deepEqual(readdirSync(folder), [], "neither a file nor a part of one");
  }
  const report = await writeExamples([rich, bare, exampleWith({})], path, {
    format: "alpaca",
    onLoss: "count",
  });
  assert.deepEqual(report, {
    rowsIn: 3,
    written: 2,
    leftOut: { instruction: 1 },
    lost: { outputs: 1, rationale: 1, options: 1 },
  });
  assert.deepEqual((await readExamples(path)).examples[0], exampleWith({ id: "rich", outputs: ["a"] }));
  await assert.rejects(
    writeExamples([bare], join(folder, "o.csv"), { format: "messages" }),
    /use a name that ends in \.json or \.jsonl/,
  );
  await assert.rejects(
    writeExamples([], join(folder, "empty.json"), { format: "alpaca" }),
    /no row can be written/,
  );
  assert.ok(!existsSync(join(folder, "empty.json")));
});

test("an error on the way leaves the file that was there", async (context) => {
  const path = join(temporaryFolder(context), "o.jsonl");
  await writeExamples([exampleWith({})], path, { format: "messages" });
  const before = readFileSync(path, "utf8");
  function* failing(): Generator<Example> {
    yield exampleWith({ id: "other" });
    throw new Error("the source broke");
  }
  await assert.rejects(writeExamples(failing(), path, { format: "messages" }), /the source broke/);
  assert.equal(readFileSync(path, "utf8"), before);
});

const ALPACA = sharedData("alpaca/alpaca_random_9k.json");
test(
  "9,225 real Alpaca rows survive every format that holds them",
  { skip: ALPACA === undefined && NO_SHARED_DATA },
  async (context) => {
    const folder = temporaryFolder(context);
    const { examples } = await readExamples(ALPACA ?? "", { onMalformed: "skip" });
    for (const format of WRITE_FORMATS.filter((name) => name !== "sft-pairs")) {
      const path = join(folder, `${format}.jsonl`);
      await writeExamples(examples, path, { format });
      assert.deepEqual((await readExamples(path)).examples, examples, format);
    }
    // Control: the pairs lose the instruction, and the comparison sees it.
    const path = join(folder, "pairs.csv");
    const report = await writeExamples(examples, path, { format: "sft-pairs", onLoss: "count" });
    assert.deepEqual(report.lost, { instruction: 9225 });
    assert.notDeepEqual((await readExamples(path)).examples, examples);
  },
);

const CHATS = ["messages_content_parts_v1_sft_demo.jsonl", "sharegpt_glaive_toolcall_en_demo.json"].map(
  (name) => sharedData(`chat-formats/${name}`),
);
test(
  "real conversations with tools survive as messages",
  { skip: CHATS.includes(undefined) && NO_SHARED_DATA },
  async (context) => {
    for (const chat of CHATS) {
      const path = join(temporaryFolder(context), "o.jsonl");
      const { examples } = await readExamples(chat ?? "");
      await writeExamples(examples, path, { format: "messages" });
      assert.deepEqual((await readExamples(path)).examples, examples);
    }
  },
);
