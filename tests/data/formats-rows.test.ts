import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Example } from "../../src/data/example.js";
import { type FormatName, readExamples, type ReadOptions } from "../../src/data/read/index.js";
import { jsonLines, put, temporaryFolder } from "./fixtures.js";

/** Reads rows as JSON lines and says of which format they are. */
async function readRows(
  context: TestContext,
  rows: readonly unknown[],
  options: ReadOptions = {},
): Promise<{ readonly format: FormatName | "several"; readonly examples: readonly Example[] }> {
  return readExamples(put(temporaryFolder(context), "rows.jsonl", jsonLines(...rows)), options);
}

const BASE = { task: "rows", taskType: "rows", source: "rows" } as const;

/** One row of each row format and the example that it makes. */
const ROW_FORMATS: readonly (readonly [format: FormatName, row: object, example: Partial<Example>])[] = [
  [
    "alpaca",
    { instruction: "Add.", input: "1 1", output: "2", system: "Be brief.", history: [["Hi", "Hello"]] },
    {
      ...BASE,
      id: "rows-1",
      instruction: "Add.",
      input: "1 1",
      outputs: ["2"],
      history: [
        { role: "system", text: "Be brief." },
        { role: "user", text: "Hi" },
        { role: "assistant", text: "Hello" },
      ],
    },
  ],
  [
    "dolly",
    { instruction: "Who?", context: "Ann wrote it.", response: "Ann", category: "closed_qa" },
    {
      id: "rows-1",
      task: "rows/closed_qa",
      taskType: "closed_qa",
      source: "rows",
      instruction: "Who?",
      input: "Ann wrote it.",
      outputs: ["Ann"],
    },
  ],
  [
    "unnatural-instructions",
    {
      instruction: "Say it in French.",
      instances: [
        {
          input: "cat",
          instruction_with_input: "Say it in French.\ncat",
          constraints: "One word.",
          output: "chat",
        },
      ],
      reformulations: [
        {
          instruction: "Translate {INPUT} into French.",
          instruction_with_input: "-",
          input: "cat",
          output: "chat",
        },
        { instruction: "Say it in French.", instruction_with_input: "-", input: "cat", output: "chat" },
      ],
    },
    {
      id: "rows-1",
      task: "rows-1",
      taskType: "rows",
      source: "rows",
      instruction: "Say it in French.\nOne word.",
      input: "cat",
      outputs: ["chat"],
      paraphrases: ["Translate {INPUT} into French."],
    },
  ],
  [
    "tk-instruct",
    {
      Task: "task9_add",
      Categories: ["Arithmetic"],
      Definition: ["Add."],
      "Positive Examples": [{ input: "1 1", output: "2", explanation: "" }],
      Instance: { id: "task9-a", input: "2 2", output: ["4", "four"] },
    },
    {
      id: "task9-a",
      task: "task9_add",
      taskType: "Arithmetic",
      source: "task9_add",
      instruction: "Add.",
      input: "2 2",
      outputs: ["4", "four"],
      positive: [{ input: "1 1", output: "2" }],
      negative: [],
    },
  ],
  [
    "alpaca-eval",
    { dataset: "vicuna", instruction: "Tell a joke.", output: "No.", generator: "some-model" },
    {
      id: "rows-1",
      task: "rows/vicuna",
      taskType: "vicuna",
      source: "vicuna",
      instruction: "Tell a joke.",
      input: "",
      outputs: ["No."],
      evaluationOnly: true,
    },
  ],
  [
    "ifeval",
    {
      key: 7,
      prompt: "Write without commas.",
      instruction_id_list: ["punctuation:no_comma", "length:words"],
      kwargs: [{}, { num_words: 9, relation: null }],
    },
    {
      id: "rows-7",
      task: "rows/punctuation",
      taskType: "punctuation",
      source: "rows",
      input: "Write without commas.",
      outputs: [],
      constraints: [
        { kind: "punctuation:no_comma", settings: {} },
        { kind: "length:words", settings: { num_words: 9 } },
      ],
      evaluationOnly: true,
    },
  ],
  [
    "mt-bench",
    { question_id: 81, category: "writing", turns: ["Write.", "Rewrite."] },
    {
      id: "rows-81",
      task: "rows/writing",
      taskType: "writing",
      source: "rows",
      input: "Write.",
      outputs: [],
      evaluationOnly: true,
      fields: { turns: ["Write.", "Rewrite."] },
    },
  ],
  [
    "flan",
    {
      inputs: "Is it so?\n\nOPTIONS:\n- yes\n- no",
      targets: "yes",
      task_source: "Flan2021",
      task_name: "bool_q",
      template_type: "zs_opt",
    },
    {
      id: "rows-1",
      task: "bool_q",
      taskType: "bool_q",
      source: "bool_q",
      input: "Is it so?\n\nOPTIONS:\n- yes\n- no",
      outputs: ["yes"],
    },
  ],
  [
    "p3",
    {
      inputs_pretokenized: "Good or bad? Great!",
      targets_pretokenized: "good",
      answer_choices: ["good", "bad"],
      inputs: [1, 2],
      targets: [3],
    },
    { ...BASE, id: "rows-1", input: "Good or bad? Great!", outputs: ["good"], options: ["good", "bad"] },
  ],
  [
    "prompt-completion",
    { prompt: "Good or bad? Great!\n", completion: "good<|endoftext|>" },
    { ...BASE, id: "rows-1", input: "Good or bad? Great!\n", outputs: ["good<|endoftext|>"] },
  ],
  ["sft-pairs", { question: "2+2?", answer: 4 }, { ...BASE, id: "rows-1", input: "2+2?", outputs: ["4"] }],
];

for (const [format, row, example] of ROW_FORMATS) {
  test(`${format}: a row becomes an example, from JSON lines, a JSON array and Parquet alike`, async (context) => {
    const result = await readRows(context, [row]);
    assert.equal(result.format, format);
    assert.deepEqual(result.examples, [example]);
    const folder = temporaryFolder(context);
    const list = await readExamples(put(folder, "rows.json", JSON.stringify([row], undefined, 1)));
    assert.deepEqual([list.format, list.examples], [format, result.examples]);
    const packed = await readExamples(put(folder, "packed/rows.jsonl.gz", gzipSync(jsonLines(row))));
    assert.deepEqual([packed.format, packed.examples], [format, result.examples]);
    const columnData = Object.entries(row).map(([name, value]) => ({
      name,
      data: [value as unknown],
      type:
        typeof value === "string"
          ? ("STRING" as const)
          : typeof value === "number"
            ? ("DOUBLE" as const)
            : ("JSON" as const),
    }));
    const parquet = put(folder, "rows.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    const table = await readExamples(parquet);
    assert.deepEqual([table.format, table.examples], [format, result.examples]);
    const kept = await readRows(context, [row], { keepFields: true });
    assert.deepEqual(kept.examples[0]?.fields, row);
  });
}

const TURNS = [
  { from: "system", value: "Be kind." },
  { from: "human", value: "What is the time?" },
  { from: "function_call", value: '{"name": "clock"}' },
  { from: "observation", value: "12:00" },
  { from: "gpt", value: "Noon." },
  { from: "human", value: "Thanks" },
  { from: "gpt", value: "You are welcome." },
];

test("ShareGPT: an example for each assistant turn, what was said before in its history", async (context) => {
  const { examples, format } = await readRows(context, [
    { id: "c1", conversations: TURNS, tools: '[{"name": "clock"}]' },
  ]);
  assert.equal(format, "sharegpt");
  assert.deepEqual(
    examples.map(({ id, input, outputs, history = [] }) => [id, input, outputs[0], history.length]),
    [
      ["c1-turn-1", "What is the time?", '{"name": "clock"}', 1],
      ["c1-turn-2", "", "Noon.", 4],
      ["c1-turn-3", "Thanks", "You are welcome.", 5],
    ],
  );
  assert.deepEqual(examples[1]?.history?.at(-1), { role: "tool", text: "12:00" });
  assert.equal(examples[0]?.tools, '[{"name": "clock"}]');
  const last = await readRows(context, [{ id: "c1", conversations: TURNS }], { turns: "last" });
  assert.deepEqual(
    last.examples.map(({ id, input }) => [id, input]),
    [["c1", "Thanks"]],
  );
});

test("messages: content parts, roles, weights; a turn of weight 0 is shown but not trained", async (context) => {
  const part = (value: string, key = "text"): object[] => [{ type: "text", [key]: value }];
  const folder = temporaryFolder(context);
  const row = {
    dataset: "small",
    messages: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: part("Hi", "value"), loss_weight: 0 },
      { role: "assistant", content: part("Hello"), loss_weight: 0 },
      { role: "user", content: "Time?" },
      { role: "assistant", content: null, tool_calls: [{ function: { name: "clock" } }] },
      { role: "tool", content: "12:00" },
      { role: "assistant", content: "Noon.", weight: 1 },
    ],
    tools: [{ type: "function" }],
  };
  const begun = { id: 5, messages: row.messages.slice(2, 4).concat(row.messages.slice(6)) };
  const { examples, ledger, format } = await readExamples(put(folder, "rows.jsonl", jsonLines(row, begun)));
  assert.equal(format, "messages");
  assert.deepEqual(
    examples.map(({ id, task, input, outputs }) => [id, task, input, outputs[0]]),
    [
      ["rows-1-turn-2", "small", "Time?", '[{"function":{"name":"clock"}}]'],
      ["rows-1-turn-3", "small", "", "Noon."],
      ["5", "rows", "Time?", "Noon."],
    ],
  );
  assert.equal(examples[0]?.tools, '[{"type":"function"}]');
  assert.deepEqual(
    [ledger.rowsIn, ledger.kept, ledger.examples, ledger.untrainedTurns],
    [2, 2, 3, 2],
    "the turns of weight 0: one answers, one begins the conversation",
  );
  const wrong = [
    [{ ...row, messages: [{ role: "boss", content: "x" }] }, /messages\.0\.role.*one of system/],
    [{ messages: [{ role: "assistant", content: "x", loss_weight: 0.5 }] }, /loss_weight.*0 or 1/],
    [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, /messages\.0\.content/],
    [{ messages: [{ role: "assistant", content: "x" }] }, /the row has no output/],
  ] as const;
  for (const [bad, says] of wrong) await assert.rejects(readRows(context, [bad]), says);
});
