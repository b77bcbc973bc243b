import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Example } from "../../src/data/example.js";
import { type FormatName, readExamples, type ReadOptions, readRecords } from "../../src/data/read/index.js";
import { temporaryFolder } from "./fixtures.js";

function put(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const lines = (...rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Reads rows as JSON lines and says of which format they are. */
async function readRows(
  context: TestContext,
  rows: readonly unknown[],
  options: ReadOptions = {},
): Promise<{ readonly format: FormatName | "several"; readonly examples: readonly Example[] }> {
  return readExamples(put(temporaryFolder(context), "rows.jsonl", lines(...rows)), options);
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
    const packed = await readExamples(put(folder, "packed/rows.jsonl.gz", gzipSync(lines(row))));
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
  const { examples, ledger, format } = await readExamples(put(folder, "rows.jsonl", lines(row, begun)));
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

test("FLAN chain of thought: three cells between tabs, quotes are letters, \\n is a line end", async (context) => {
  const folder = temporaryFolder(context);
  const path = put(folder, "tiny_train.tsv", 'Is "it\\nso?\tyes\tBecause\\nit is.\nAnd 2?\tno\t\n');
  put(
    folder,
    "flan_collection_info.csv",
    "Source,Dataset,Specific Task Category,Generic Task Category,Languages\nCoT,stream_tiny,Reasoning,QA,English\n",
  );
  const { examples, format } = await readExamples(path);
  assert.equal(format, "flan-cot");
  assert.deepEqual(examples, [
    {
      id: "tiny_train-1",
      task: "tiny",
      taskType: "Reasoning",
      source: "tiny",
      input: 'Is "it\nso?',
      outputs: ["yes"],
      rationale: "Because\nit is.",
    },
    {
      id: "tiny_train-2",
      task: "tiny",
      taskType: "Reasoning",
      source: "tiny",
      input: "And 2?",
      outputs: ["no"],
    },
  ]);
  const short = put(folder, "short.tsv", "A b?\tyes\tso\nonly\ttwo\nC d?\tno\tso\n");
  const { ledger } = await readExamples(short, { onMalformed: "skip", format: "flan-cot" });
  assert.deepEqual([ledger.rowsIn, ledger.kept, ledger.dropped], [3, 2, { malformed: 1 }]);
});

test("Natural Instructions v1: the parts of the instruction under their names, demonstrations with reasons", async (context) => {
  const task = {
    Title: "Adding",
    Prompt: "Add the numbers.",
    Definition: "You get two numbers.",
    "Things to Avoid": "-",
    "Emphasis & Caution": "Mind the sign.",
    Examples: {
      "Positive Examples": [{ input: "1 1", output: "2", reason: "It is." }],
      "Negative Examples": [{ input: "1 1", output: "3", reason: "-" }],
    },
    Instances: [{ input: "2 2", output: ["4"] }],
  };
  const path = put(temporaryFolder(context), "subtask001_add.json", JSON.stringify(task));
  const { examples, format } = await readExamples(path);
  assert.equal(format, "natural-instructions-v1");
  assert.deepEqual(examples, [
    {
      id: "subtask001_add-1",
      task: "subtask001_add",
      taskType: "subtask001_add",
      source: "subtask001_add",
      instruction: "You get two numbers.\nEmphasis & Caution: Mind the sign.\nPrompt: Add the numbers.",
      positive: [{ input: "1 1", output: "2", explanation: "It is." }],
      negative: [{ input: "1 1", output: "3" }],
      input: "2 2",
      outputs: ["4"],
    },
  ]);
});

test("instruction induction: wordings, the kinds of rows, other right answers", async (context) => {
  const folder = temporaryFolder(context);
  const write = (task: string, rows: object[]): string =>
    put(
      folder,
      `raw/induce/${task}.json`,
      JSON.stringify({
        metadata: { num_examples: rows.length },
        examples: Object.fromEntries(rows.map((row, index) => [`${index + 1}`, row])),
      }),
    );
  const rhymes = write("rhymes", [{ input: "cat", output: "hat", other_rhymes: ["cat", "mat", "hat"] }]);
  put(
    folder,
    "annotations/rhymes.json",
    JSON.stringify({ annotations: ["Rhyme.", "Write a rhyme.", "Rhyme."] }),
  );
  write("common_concept", [
    { concept: "red", items: ["rose", "blood"], all_common_concepts: ["red", "a colour"] },
  ]);
  write("cause_and_effect", [
    { cause: "It rained.", effect: "It is wet." },
    { cause: "He fell.", effect: "He cried." },
    { cause: "She ran.", effect: "She won." },
    { cause: "They met.", effect: "They talked." },
    { cause: "The sun rose.", effect: "The snow melted." },
    { cause: "The cup fell.", effect: "The cup broke." },
    { cause: "I was hungry.", effect: "I ate." },
  ]);
  const one = await readExamples(rhymes);
  assert.equal(one.format, "instruction-induction");
  assert.deepEqual(one.examples, [
    {
      id: "rhymes-1",
      task: "rhymes",
      taskType: "Phonetics",
      source: "rhymes",
      instruction: "Rhyme.",
      paraphrases: ["Write a rhyme."],
      input: "cat",
      outputs: ["hat", "mat"],
    },
  ]);
  const { examples, sideFiles } = await readExamples(folder);
  assert.equal(sideFiles[0]?.what, "wordings of an instruction");
  const concept = examples.find(({ task }) => task === "common_concept");
  assert.deepEqual([concept?.input, concept?.outputs], ["rose, blood", ["red", "a colour"]]);
  const causes = examples.filter(({ task }) => task === "cause_and_effect");
  assert.deepEqual(causes[0]?.outputs, ["It rained."]);
  const isFirst = causes.map(({ input, outputs }) => input.startsWith(`Sentence 1: ${outputs[0] ?? ""}`));
  assert.deepEqual([...new Set(isFirst)].sort(), [false, true], "the cause stands in either place");
});

test("BIG-Bench Hard: instruction and demonstrations from the prompt file, options, never for training", async (context) => {
  const folder = temporaryFolder(context);
  const rows = [
    { input: "Is it?\nOptions:\n- Yes\n- No", target: "No" },
    { input: "Which?\nOptions:\n(A) this\n(B) that", target: "(B)" },
    { input: "Sort: b a", target: "a b" },
  ];
  put(folder, "bbh/sorting_three_objects.json", JSON.stringify({ canary: "never train", examples: rows }));
  put(
    folder,
    "cot-prompts/sorting_three_objects.txt",
    "BENCHMARK canary GUID\n-----\nDo as asked.\n\nQ: Sort: d c\nA: Let's think step by step.\nc is before d. So the answer is c d.\n",
  );
  const { examples, format } = await readExamples(folder);
  assert.equal(format, "big-bench-hard");
  assert.deepEqual(
    examples.map(({ options }) => options),
    [["Yes", "No"], ["(A)", "(B)"], undefined],
  );
  const [first] = examples;
  assert.deepEqual(
    [first?.taskType, first?.instruction, first?.evaluationOnly],
    ["sorting", "Do as asked.", true],
  );
  assert.equal(first?.positive?.[0]?.output, "c d");
  assert.match(first.positive[0].explanation ?? "", /c is before d/);
});

test("rendered P3: task, cluster and data set from the tables beside", async (context) => {
  const folder = temporaryFolder(context);
  put(folder, "data/glue_qqp_same.jsonl", lines({ prompt: "Same? a b\n", completion: "no<|endoftext|>" }));
  put(folder, "data/glue_other.jsonl", lines({ prompt: "Hm?\n", completion: "no" }));
  const entry = { cluster: "paraphrase", rows: 1, rows_upstream: 9 };
  put(
    folder,
    "index.jsonl",
    lines({ template: "glue_qqp_same", ...entry }, { template: "glue_other", ...entry }),
  );
  put(
    folder,
    "t0_datasets.csv",
    "HF_name,subset,task_by_convention,do_train,do_eval\nglue,qqp,paraphrase,BASE,\n",
  );
  const { examples, sideFiles } = await readExamples(folder);
  assert.deepEqual(
    examples.map(({ task, taskType, source }) => [task, taskType, source]),
    [
      ["glue_other", "paraphrase", "glue"],
      ["glue_qqp_same", "paraphrase", "glue/qqp"],
    ],
  );
  assert.equal(sideFiles.length, 2);
});

test("plain text: a row is a paragraph, or a stretch of characters cut at white space", async (context) => {
  const content = "\ufeffOne two\r\nthree.\r\n\r\n\r\nFour five six seven.\r\nEight";
  const path = put(temporaryFolder(context), "book.txt", content);
  const { examples, format } = await readExamples(path);
  assert.equal(format, "text");
  assert.deepEqual(
    examples.map(({ id, input, outputs }) => [id, input, outputs[0]]),
    [
      ["book-1", "", "One two\nthree."],
      ["book-2", "", "Four five six seven.\nEight"],
    ],
  );
  const stretches = await readExamples(path, { textRows: { characters: 12 } });
  const texts = stretches.examples.map(({ outputs }) => outputs[0] ?? "");
  assert.ok(texts.every((text) => text.length <= 12));
  assert.equal(texts.join(" ").replace(/\s+/g, " "), "One two three. Four five six seven. Eight");
});

test("pairs: CSV and TSV with quotes and line ends in cells, columns by usual or by given names", async (context) => {
  const folder = temporaryFolder(context);
  const csv = put(folder, "pairs.csv", '\ufefftext,label\r\n"a, ""b""\r\nc",pos\r\nd,neg\r\n');
  const { examples, format } = await readExamples(csv);
  assert.equal(format, "sft-pairs");
  assert.deepEqual(
    examples.map(({ input, outputs }) => [input, outputs[0]]),
    [
      ['a, "b"\r\nc', "pos"],
      ["d", "neg"],
    ],
  );
  const tsv = put(folder, "own.tsv", "review\tmood\tkind\tdo\ngood film\tglad\tfilm\tSay the mood.\n");
  await assert.rejects(
    readExamples(tsv),
    /the format is not known: it has the fields review, mood, kind, do/,
  );
  const columns = { input: "review", output: "mood", taskType: "kind", instruction: "do" };
  const own = await readExamples(tsv, { columns });
  assert.deepEqual(
    own.examples.map(({ instruction, input, outputs, taskType }) => [
      instruction,
      input,
      outputs[0],
      taskType,
    ]),
    [["Say the mood.", "good film", "glad", "film"]],
  );
  await assert.rejects(
    readExamples(tsv, { columns: { input: "review", output: "x" } }),
    /no column "x".*review, mood/,
  );
  const uneven = put(folder, "uneven.csv", "input,output\n1,2\n3\n4,5,6\n7,8\n");
  await assert.rejects(readExamples(uneven), /uneven\.csv, row 2: the row has 1 cells, the header has 2/);
  const { ledger } = await readExamples(uneven, { onMalformed: "skip" });
  assert.deepEqual([ledger.rowsIn, ledger.kept, ledger.dropped], [4, 2, { malformed: 2 }]);
  const quotes = put(folder, "quotes.csv", 'input,output\n1,2\n"3,4\n5,6\n');
  await assert.rejects(readExamples(quotes), /quotes\.csv, row \d: the quotes do not pair/);
  await assert.rejects(readExamples(put(folder, "twice.csv", "a,a\n1,2\n")), /two columns are named "a"/);
});

test("a folder of several files: each by its own format, names by path where two are alike", async (context) => {
  const folder = temporaryFolder(context);
  put(folder, "a/rows.jsonl", lines({ prompt: "p", completion: "c" }));
  put(folder, "b/rows.json", JSON.stringify([{ instruction: "i", input: "", output: "o" }]));
  put(folder, "README.md", "Rows.");
  const { examples, format, files, sideFiles } = await readExamples(folder);
  assert.equal(format, "several");
  assert.deepEqual(
    examples.map(({ id }) => id),
    ["a/rows-1", "b/rows-1"],
  );
  assert.deepEqual(
    files.map((file) => [file.format, file.rowsIn, file.examples]),
    [
      ["prompt-completion", 1, 1],
      ["alpaca", 1, 1],
    ],
  );
  assert.deepEqual(
    sideFiles.map(({ what }) => what),
    ["description"],
  );
  put(folder, "c.json", "{");
  await assert.rejects(readExamples(folder), /c\.json:1: not valid JSON: it breaks off/);
  const skipped = await readExamples(folder, { onMalformed: "skip" });
  assert.deepEqual([skipped.ledger.rowsIn, skipped.ledger.dropped], [3, { "unreadable-file": 1 }]);
});

test("raw records of any container, with their places", async (context) => {
  const folder = temporaryFolder(context);
  const csv = put(folder, "t.csv", "premise,label\nIt rains,0\n");
  for await (const record of readRecords(csv))
    assert.deepEqual(record, { fields: { premise: "It rains", label: "0" }, place: { file: csv, row: 1 } });
  const mixed = put(folder, "t.jsonl", `{"a": 1}\n[2]\n{"a"\n{"a": NaN}\n`);
  const problems: string[] = [];
  const fields: unknown[] = [];
  for await (const record of readRecords(mixed, ({ message }) => problems.push(message)))
    fields.push(record.fields);
  assert.deepEqual(fields, [{ a: 1 }, { a: null }]);
  assert.match(
    problems.join(),
    /t\.jsonl:2: the row is not an object.*t\.jsonl:3: the line is not valid JSON/,
  );
  await assert.rejects(async () => {
    for await (const record of readRecords(mixed)) assert.ok(record);
  }, /t\.jsonl:2/);
});
