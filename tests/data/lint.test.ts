import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { lintTemplate, type LintRule } from "../../src/data/lint.js";
import { lintPromptSource } from "../../src/data/lint-promptsource.js";
import { readExamples } from "../../src/data/read/index.js";
import type { Message, Segment, Template } from "../../src/data/template.js";
import {
  alpaca,
  chatml,
  patternTemplate,
  sftPlain,
  TEMPLATES,
  templateByName,
} from "../../src/data/templates/index.js";
import { readPromptSource } from "../../src/data/templates/promptsource.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { readJsonFile } from "../../src/support/files.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { join } from "node:path";
import { exampleWith, NO_SHARED_DATA, sharedData } from "./fixtures.js";

const TOKENIZER = trainByteLevelBpe(["Great movie"], {
  vocabularySize: 300,
  minFrequency: 1,
  addedTokens: ["<|im_start|>", "<|im_end|>"],
});
const WITHOUT_BOS = trainByteLevelBpe(["Great movie"], { vocabularySize: 300, minFrequency: 1, bos: false });
const ROW = exampleWith({
  positive: [{ input: "Bad", output: "Negative" }],
  options: ["Positive", "Negative"],
});

interface Control {
  readonly template: Template;
  readonly example?: Example;
  readonly tokenizer?: Tokenizer;
}

/** A template that writes what it is told. */
function writing(
  prompt: readonly Segment[],
  response: readonly Segment[],
  more: Partial<Template> = {},
): Template {
  const messages: readonly Message[] = [
    { role: "user", segments: prompt },
    { role: "assistant", segments: response },
  ];
  return { name: "written", format: "sft", stop: [], hash: "0", render: () => messages, ...more };
}

const INPUT: Segment = { text: ROW.input, source: "input" };
const ANSWER: Segment = { text: "Positive", source: "response" };
const CUE: Segment = { text: " =>", source: "scaffold" };
const BOS: Segment = { text: "<s>", source: "special", token: "bos" };

/** For each rule a fault, and the same without it. */
const CASES: readonly (readonly [rule: LintRule, fault: Control, clean: Control])[] = [
  ["not-renderable", { template: alpaca, example: exampleWith({ instruction: "" }) }, { template: alpaca }],
  [
    "unused-field",
    { template: writing([{ text: "Say:", source: "scaffold" }], [ANSWER]) },
    { template: writing([INPUT, CUE], [ANSWER]) },
  ],
  [
    "missing-bos",
    { template: writing([BOS, INPUT, CUE], [ANSWER]), tokenizer: WITHOUT_BOS },
    { template: writing([BOS, INPUT, CUE], [ANSWER]) },
  ],
  [
    "doubled-bos",
    { template: patternTemplate({ name: "b", format: "sft", prompt: "<|bos|>{input} =>" }) },
    { template: patternTemplate({ name: "b", format: "sft", prompt: "<bos>{input} =>" }) },
  ],
  [
    "doubled-bos",
    { template: writing([INPUT, BOS, CUE], [ANSWER]) },
    { template: writing([BOS, INPUT], [ANSWER]) },
  ],
  [
    "answer-in-prompt",
    {
      template: writing(
        [
          { text: "great  movie!", source: "demonstration", demonstration: 0 },
          { text: "Positive", source: "demonstration", demonstration: 0 },
          INPUT,
          CUE,
        ],
        [ANSWER],
      ),
    },
    { template: templateByName("ift-positive") },
  ],
  [
    "answer-in-prompt",
    {
      template: writing(
        [INPUT, { text: " the answer is a long one =>", source: "scaffold" }],
        [{ text: "The answer is a long one", source: "response" }],
      ),
    },
    { template: writing([INPUT, CUE], [{ text: "The answer is a long one", source: "response" }]) },
  ],
  [
    "options-miss-target",
    { template: templateByName("flan-zs-opt"), example: { ...ROW, options: ["positive", "negative"] } },
    { template: templateByName("flan-zs-opt") },
  ],
  [
    "trailing-white-space",
    { template: patternTemplate({ name: "t", format: "sft", prompt: "{input} => " }) },
    { template: patternTemplate({ name: "t", format: "sft", prompt: "{input} =>" }) },
  ],
  [
    "end-not-supervised",
    { template: writing([INPUT, CUE], [ANSWER], { stopToken: "<|im_end|>", stop: ["<|im_end|>"] }) },
    {
      template: writing([INPUT, CUE], [ANSWER, { text: "<|im_end|>", source: "special" }], {
        stopToken: "<|im_end|>",
      }),
    },
  ],
  [
    "end-as-text",
    { template: sftPlain, example: { ...ROW, outputs: ["Positive<|endoftext|>"] } },
    { template: sftPlain },
  ],
  ["response-not-exact", { template: sftPlain, tokenizer: lossy(TOKENIZER) }, { template: sftPlain }],
  [
    "stray-placeholder",
    { template: patternTemplate({ name: "p", format: "sft", prompt: "{{input}} =>" }) },
    { template: patternTemplate({ name: "p", format: "sft", prompt: "{input} {1} { } =>" }) },
  ],
  ["special-as-text", { template: chatml, tokenizer: WITHOUT_BOS }, { template: chatml }],
];

function lossy(tokenizer: Tokenizer): Tokenizer {
  return new Proxy(tokenizer, {
    get(target, name) {
      if (name === "decode") return (ids: readonly number[]) => target.decode(ids).toLowerCase();
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function rulesOf({ template, example = ROW, tokenizer = TOKENIZER }: Control): LintRule[] {
  return lintTemplate(template, [example], tokenizer).findings.map(({ rule }) => rule);
}

test("each rule finds its fault, and nothing where the fault is mended", () => {
  for (const [rule, fault, clean] of CASES) {
    assert.ok(rulesOf(fault).includes(rule), `${rule}: ${rulesOf(fault).join(", ")}`);
    assert.ok(!rulesOf(clean).includes(rule), `${rule} in the clean template`);
  }
});

test("a finding says how many rows, the first of them, an excerpt and a cure; errors come first", () => {
  const rows = [1, 2, 3].map((id) => exampleWith({ id: `r${id}`, outputs: ["x<|endoftext|>"] }));
  const template = patternTemplate({ name: "t", format: "sft", prompt: "{input} " });
  const { findings } = lintTemplate(template, rows, TOKENIZER);
  assert.deepEqual(
    findings.map(({ rule, severity, row, rows: count }) => [rule, severity, row, count]),
    [
      ["end-as-text", "error", "r1", 3],
      ["trailing-white-space", "warning", "r1", 3],
    ],
  );
  for (const { excerpt, cure } of findings) assert.ok(excerpt !== "" && cure !== "");
});

test("the kit's own templates are clean", () => {
  const rationale = "It is praise.";
  for (const template of TEMPLATES) {
    const { findings } = lintTemplate(template, [{ ...ROW, rationale }], TOKENIZER);
    const serious = findings.filter(({ rule }) => rule !== "special-as-text" && rule !== "unused-field");
    assert.deepEqual(serious, [], template.name);
  }
});

test("PromptSource: unknown variables, choices that miss the target, answers in the prompt, rows passed over", () => {
  const base = { dataset: "d", id: "1", name: "n", answerChoices: "no ||| yes" };
  const lint = (jinja: string, fields: object): string[] =>
    lintPromptSource({ ...base, jinja }, [{ id: "r", fields: { ...fields } }]).findings.map(
      ({ rule }) => rule,
    );
  assert.deepEqual(lint("{{ text }} ||| {{ answer_choices[label] }}", { text: "t", label: 1 }), []);
  assert.deepEqual(lint("{{ txt }}x ||| {{ answer_choices[label] }}", { text: "t", label: 1 }), [
    "stray-placeholder",
  ]);
  assert.deepEqual(lint("{{ text }} ||| Yes", { text: "t" }), ["options-miss-target"]);
  assert.deepEqual(lint("{{ text }} ||| {{ label.a.b }}", { text: "t" }), [
    "stray-placeholder",
    "not-renderable",
  ]);
  const { passedOver } = lintPromptSource({ ...base, jinja: "{{ text }} ||| " }, [
    { id: "r", fields: { text: "t" } },
  ]);
  assert.equal(passedOver, 1);
});

const PROMPTSOURCE = sharedData("promptsource-templates/templates");
test(
  "the shared PromptSource templates on made-up rows: what the linter finds",
  { skip: PROMPTSOURCE === undefined && NO_SHARED_DATA },
  () => {
    const { cases } = readJsonFile(join(import.meta.dirname, "../parity/golden/promptsource.json")) as {
      readonly cases: readonly (readonly [string, Record<string, unknown>, string])[];
    };
    const rows = new Map(cases.map(([id, fields]) => [id, { id, fields }]));
    const counts: Partial<Record<LintRule, number>> = {};
    let linted = 0;
    for (const template of readPromptSource(PROMPTSOURCE ?? "")) {
      const row = rows.get(template.id);
      if (row === undefined) continue;
      linted++;
      for (const { rule } of lintPromptSource(template, [row]).findings)
        counts[rule] = (counts[rule] ?? 0) + 1;
    }
    assert.equal(linted, cases.length);
    // The rows have every field that is read, so no variable is unknown and every template renders.
    assert.deepEqual([counts["not-renderable"], counts["stray-placeholder"]], [undefined, undefined]);
    assert.ok((counts["options-miss-target"] ?? 0) > 0, JSON.stringify(counts));
  },
);

const P3 = sharedData("p3-t0-train");
test(
  "shared P3 rows spell out the end of text, and the linter says so",
  { skip: P3 === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(P3 ?? "", { onMalformed: "skip", limitPerTask: 1 });
    const raw = examples.map((example) => ({
      ...example,
      outputs: [`${example.outputs[0] ?? ""}<|endoftext|>`],
    }));
    const { findings } = lintTemplate(sftPlain, raw, TOKENIZER);
    assert.equal(findings.find(({ rule }) => rule === "end-as-text")?.rows, raw.length);
  },
);
