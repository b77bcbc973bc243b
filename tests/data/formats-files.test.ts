import assert from "node:assert/strict";
import { test } from "node:test";
import { readExamples, readRecords } from "../../src/data/read/index.js";
import { jsonLines, put, temporaryFolder } from "./fixtures.js";

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
  put(
    folder,
    "data/glue_qqp_same.jsonl",
    jsonLines({ prompt: "Same? a b\n", completion: "no<|endoftext|>" }),
  );
  put(folder, "data/glue_other.jsonl", jsonLines({ prompt: "Hm?\n", completion: "no" }));
  const entry = { cluster: "paraphrase", rows: 1, rows_upstream: 9 };
  put(
    folder,
    "index.jsonl",
    jsonLines({ template: "glue_qqp_same", ...entry }, { template: "glue_other", ...entry }),
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
  put(folder, "a/rows.jsonl", jsonLines({ prompt: "p", completion: "c" }));
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
