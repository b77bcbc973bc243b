import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compareFormats, type Formats, matchFormats } from "../../src/data/compare/index.js";
import { labelBalance } from "../../src/data/compare/labels.js";
import { distributionOf } from "../../src/data/compare/lengths.js";
import type { Example } from "../../src/data/example.js";
import { readExamples } from "../../src/data/read/index.js";
import type { RenderPolicy } from "../../src/data/spans.js";
import type { Template } from "../../src/data/template.js";
import { alpaca, iftDefinition, patternTemplate, sftPlain } from "../../src/data/templates/index.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { KitError } from "../../src/support/errors.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { exampleWith, NO_SHARED_DATA, sharedData } from "./fixtures.js";

/** The article's three examples, and its "Great movie!" pair as a row of its own type. */
const ARTICLE: readonly Example[] = [
  ["Classify the sentiment of the following review.", "The movie was fantastic!", "Positive"],
  [
    "Summarize the following article.",
    "The stock market saw significant gains today, driven by…",
    "The stock market experienced gains due to increased investor confidence.",
  ],
  ["Answer the following question.", "Who is the author of 'Pride and Prejudice'?", "Jane Austen"],
].map(([instruction = "", input = "", output = ""], index) =>
  exampleWith({
    id: `article-${index}`,
    task: `task-${index}`,
    taskType: ["Sentiment", "Summarization", "Open QA"][index] ?? "",
    instruction,
    input,
    outputs: [output],
  }),
);
const NO_INPUT = exampleWith({
  id: "great-movie",
  instruction: "Classify the sentiment of 'Great movie!'",
  input: "",
  outputs: ["The sentiment is positive."],
});
const POLICY: RenderPolicy = { maxTokens: 2000, overlong: "drop", lossOn: "response" };
const FORMATS: Formats = { sft: sftPlain, ift: iftDefinition };
const KNOWN = ARTICLE.concat(NO_INPUT).flatMap(({ instruction = "", input, outputs }) => [
  instruction,
  input,
  ...outputs,
]);
const SFT_TEXTS = [
  "Input: The movie was fantastic!\nOutput:",
  "Input: The stock market saw significant gains today, driven by…\nOutput:",
  "Input: Who is the author of 'Pride and Prejudice'?\nOutput:",
];
const IFT_TEXTS = [
  "Definition: Classify the sentiment of the following review.\n\nNow complete the following example -\nInput: The movie was fantastic!\nOutput:",
  "Definition: Summarize the following article.\n\nNow complete the following example -\nInput: The stock market saw significant gains today, driven by….\nOutput:",
  "Definition: Answer the following question.\n\nNow complete the following example -\nInput: Who is the author of 'Pride and Prejudice'?\nOutput:",
];
/** One token a character, so that tokens can be counted in the texts of this file. */
const characters: Tokenizer = CharacterTokenizer.fromTexts([...KNOWN, ...SFT_TEXTS, ...IFT_TEXTS]);

const total = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

test("the article's rows: the same targets, and tokens as counted in the texts", () => {
  const { total: all, taskTypes } = compareFormats(ARTICLE, FORMATS, characters, POLICY);
  const [sft, ift] = all.formats;
  const outputs = total(ARTICLE.flatMap((row) => row.outputs));
  assert.deepEqual([all.rowsIn, all.rows, all.tasks], [3, 3, 3]);
  // A BOS and an EOS a row; the EOS is a target.
  assert.equal(sft?.totalTokens, total(SFT_TEXTS) + outputs + 6);
  assert.equal(ift?.totalTokens, total(IFT_TEXTS) + outputs + 6);
  assert.deepEqual([sft.supervisedTokens, ift.supervisedTokens], [outputs + 3, outputs + 3]);
  assert.equal(sft.tokensBySource.instruction, undefined);
  assert.equal(ift.tokensBySource.instruction, total(ARTICLE.map((row) => row.instruction ?? "")));
  assert.equal(ift.tokensBySource.input, total(ARTICLE.map((row) => row.input)));
  for (const { tokensBySource, totalTokens } of [sft, ift]) {
    assert.equal(
      Object.values(tokensBySource).reduce((sum, tokens) => sum + tokens, 0),
      totalTokens,
    );
  }
  assert.equal(ift.budget?.rowsAtSameSupervisedTokens, 1);
  assert.equal(ift.budget.rowsAtSameTotalTokens, sft.totalTokens / ift.totalTokens);
  assert.equal(ift.budget.extraTokensPerRow, (total(IFT_TEXTS) - total(SFT_TEXTS)) / 3);
  assert.equal(sft.diversity, null);
  assert.deepEqual([ift.diversity?.instructions, ift.diversity?.verbObjects], [3, 3]);
  assert.deepEqual(
    taskTypes.map(({ taskType, rows }) => [taskType, rows]),
    [
      ["Open QA", 1],
      ["Sentiment", 1],
      ["Summarization", 1],
    ],
  );
});

test("a row that one format cannot show counts in neither, and both ledgers say why", () => {
  const { total: all, leftOut } = compareFormats([...ARTICLE, NO_INPUT], FORMATS, characters, POLICY);
  const [sft, ift] = all.formats;
  assert.deepEqual([all.rowsIn, all.rows], [4, 3]);
  assert.deepEqual(sft?.dropped, { "not-renderable": 1 });
  assert.deepEqual(ift?.dropped, { "not-in-every-format": 1 });
  assert.deepEqual([sft.alone.rows, ift.alone.rows], [3, 4]);
  assert.equal(leftOut[0]?.id, "great-movie");
  assert.match(leftOut[0].reasons.sft ?? "", /has no input/);
  for (const { rowsIn, rendered, dropped } of all.formats)
    assert.equal(rowsIn, rendered + Object.values(dropped).reduce((sum, rows) => sum + rows, 0));
});

/** An IFT template that writes its answers in capitals: its targets are not those of the others. */
const shouting: Template = {
  ...iftDefinition,
  name: "shouting",
  hash: "shouting",
  render: (example) =>
    iftDefinition.render({ ...example, outputs: example.outputs.map((output) => output.toUpperCase()) }),
};

test("rows whose targets differ between the formats are reported, not compared", () => {
  const formats = { sft: sftPlain, ift: shouting };
  const tokenizer = trainByteLevelBpe(KNOWN, { vocabularySize: 300 });
  const { total: all, leftOut } = compareFormats(ARTICLE, formats, tokenizer, POLICY);
  assert.equal(all.rows, 0);
  assert.deepEqual(
    all.formats.map(({ dropped }) => dropped),
    [{ "target-differs": 3 }, { "target-differs": 3 }],
  );
  assert.deepEqual(leftOut[0]?.reasons, { sft: "target-differs", ift: "target-differs" });
  assert.throws(() => matchFormats(ARTICLE, formats, tokenizer, POLICY, STEPS), /target-differs/);
});

test("three formats; a comparison is plain data; its hash knows data, templates, tokenizer and policy", () => {
  const tokenizer = trainByteLevelBpe(KNOWN, { vocabularySize: 300 });
  const three: Formats = { sft: sftPlain, ift: iftDefinition, alpaca };
  const comparison = compareFormats(ARTICLE, three, tokenizer, POLICY);
  assert.deepEqual(JSON.parse(JSON.stringify(comparison)), comparison);
  assert.equal(comparison.total.formats.length, 3);
  assert.equal(compareFormats(ARTICLE, three, tokenizer, POLICY).hash, comparison.hash);
  const [first, ...others] = ARTICLE;
  const changed = [exampleWith({ ...first, input: "Another film." }), ...others];
  const other = patternTemplate({ name: "alpaca", format: "ift", prompt: "{instruction} {input}" });
  const hashes = [
    comparison,
    compareFormats(changed, three, tokenizer, POLICY),
    compareFormats(ARTICLE, { ...three, alpaca: other }, tokenizer, POLICY),
    compareFormats(ARTICLE, three, trainByteLevelBpe(KNOWN, { vocabularySize: 290 }), POLICY),
    compareFormats(ARTICLE, three, tokenizer, { ...POLICY, maxTokens: 1000 }),
  ].map(({ hash }) => hash);
  assert.equal(new Set(hashes).size, 5);
});

test("inputs that are cut in one format only are counted", () => {
  const maxTokens = SFT_TEXTS[0]?.length ?? 0;
  const policy: RenderPolicy = { ...POLICY, maxTokens: maxTokens + 100, overlong: "cut-input-end" };
  const { total: all } = compareFormats(ARTICLE.slice(0, 1), FORMATS, characters, policy);
  assert.deepEqual(
    [all.rows, all.cutUnequally, all.formats.map(({ truncated }) => truncated)],
    [1, 1, [0, 1]],
  );
  const whole = compareFormats(ARTICLE.slice(0, 1), FORMATS, characters, POLICY);
  assert.equal(whole.total.cutUnequally, 0);
});

const STEPS = { unit: "steps", amount: 10 } as const;

test("matched inputs are the same rows in the same order with one budget", () => {
  const rows = [NO_INPUT, ...ARTICLE];
  const budget = { unit: "supervised-tokens", amount: 1000 } as const;
  const { ids, inputs } = matchFormats(rows, FORMATS, characters, POLICY, budget);
  assert.deepEqual(ids, ["article-0", "article-1", "article-2"]);
  for (const { spans } of inputs)
    assert.deepEqual(
      spans.map(({ id }) => id),
      ids,
    );
  const [sft, ift] = inputs;
  const targets = (row: (typeof inputs)[number] | undefined): (number | undefined)[][] =>
    row?.spans.map(({ ids: tokens, supervised }) =>
      tokens.filter((_, index) => supervised[index] === true),
    ) ?? [];
  assert.deepEqual(targets(sft), targets(ift), "the targets are equal, token by token");
  assert.equal(sft?.epochs, ift?.epochs, "the same budget of supervised tokens is the same number of epochs");
  assert.deepEqual(ift?.ledger.total.dropped, { "not-in-every-format": 1 });
  const totals = matchFormats(rows, FORMATS, characters, POLICY, { unit: "total-tokens", amount: 1000 });
  const [sftTotal, iftTotal] = totals.inputs;
  assert.ok((sftTotal?.epochs ?? 0) > (iftTotal?.epochs ?? 0), "the longer format sees its rows less often");
  assert.equal(matchFormats(rows, FORMATS, characters, POLICY, STEPS).inputs[0]?.epochs, undefined);
});

test("what cannot be compared or trained on is one clear error", () => {
  const cases: [() => unknown, RegExp][] = [
    [() => compareFormats(ARTICLE, { sft: sftPlain }, characters, POLICY), /needs two formats, 1 is given/],
    [
      () => matchFormats([exampleWith({ evaluationOnly: true })], FORMATS, characters, POLICY, STEPS),
      /row "row-1" is for evaluation only/,
    ],
    [
      () => matchFormats([exampleWith({}), exampleWith({})], FORMATS, characters, POLICY, STEPS),
      /two rows have the id "row-1"/,
    ],
    [() => matchFormats([NO_INPUT], FORMATS, characters, POLICY, STEPS), /no row can be shown.*no input/],
    [
      () => matchFormats(ARTICLE, FORMATS, characters, POLICY, { unit: "steps", amount: 0 }),
      /a budget of 0 steps/,
    ],
  ];
  for (const [run, message] of cases) {
    assert.throws(run, (error) => error instanceof KitError && message.test(error.message));
  }
});

test("labels: tasks with few answers that repeat, each weighed by its rows", () => {
  const rows = (task: string, outputs: readonly string[]): Example[] =>
    outputs.map((output, index) => exampleWith({ id: `${task}-${index}`, task, outputs: [output] }));
  const balance = labelBalance([
    ...rows("even", ["yes", "no", "yes", "no"]),
    ...rows("skewed", ["a", "a", "a", "b"]),
    ...rows("free text", ["one", "two", "three"]),
  ]);
  const skewed = -(0.75 * Math.log2(0.75) + 0.25 * Math.log2(0.25));
  assert.deepEqual(balance, {
    tasks: 2,
    rows: 8,
    labels: 2,
    majorityShare: (0.5 + 0.75) / 2,
    entropy: (1 + skewed) / 2,
    evenness: (1 + skewed) / 2,
  });
  assert.equal(labelBalance(rows("free text", ["one", "two"])), undefined);
});

test("quantiles are interpolated", () => {
  const found = distributionOf([4, 1, 3, 2]);
  assert.deepEqual([found?.min, found?.p25, found?.median, found?.max, found?.mean], [1, 1.75, 2.5, 4, 2.5]);
  assert.equal(distributionOf([]), undefined);
});

test("on Super-NaturalInstructions every ledger adds up and the targets are equal", async (context) => {
  const path = sharedData("natural-instructions");
  if (path === undefined) {
    context.skip(NO_SHARED_DATA);
    return;
  }
  const { examples } = await readExamples(path, { limitPerTask: 1 });
  const tokenizer = trainByteLevelBpe(KNOWN, { vocabularySize: 300 });
  const policy: RenderPolicy = { ...POLICY, maxTokens: 4000 };
  const { total: all, taskTypes } = compareFormats(examples, FORMATS, tokenizer, policy, { sampleSize: 100 });
  assert.equal(all.rowsIn, examples.length);
  assert.ok(all.rows > 300);
  const [sft, ift] = all.formats;
  assert.equal(sft?.supervisedTokens, ift?.supervisedTokens);
  assert.ok((ift?.totalTokens ?? 0) > 1.5 * (sft?.totalTokens ?? 0));
  assert.equal(
    taskTypes.reduce((sum, { rows }) => sum + rows, 0),
    all.rows,
  );
});

test("every shared data set compares, and its rows are in the comparison or in the ledger", async (context) => {
  const root = sharedData("");
  if (root === undefined) {
    context.skip(NO_SHARED_DATA);
    return;
  }
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !["text", "promptsource-templates"].includes(entry.name))
    .map(({ name }) => name);
  const tokenizer = trainByteLevelBpe(KNOWN, { vocabularySize: 300 });
  assert.ok(folders.length > 10);
  for (const folder of folders) {
    const { examples } = await readExamples(join(root, folder), { limitPerTask: 1, onMalformed: "skip" });
    const { total: all } = compareFormats(examples.slice(0, 40), FORMATS, tokenizer, POLICY, {
      sampleSize: 20,
    });
    assert.equal(all.rowsIn, Math.min(40, examples.length), folder);
    for (const { rendered, dropped } of all.formats) {
      assert.equal(rendered, all.rows, folder);
      assert.equal(
        rendered + Object.values(dropped).reduce((sum, rows) => sum + rows, 0),
        all.rowsIn,
        folder,
      );
    }
  }
});
