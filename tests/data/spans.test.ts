import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf } from "../../src/data/answer.js";
import type { Example } from "../../src/data/example.js";
import { endToken, fitPrompt, renderSpans } from "../../src/data/render.js";
import { renderExamples } from "../../src/data/render-all.js";
import type { RenderPolicy, Spans } from "../../src/data/spans.js";
import type { Segment, Template } from "../../src/data/template.js";
import {
  chatTemplate,
  flanFewShot,
  flanZeroShot,
  templateByName,
  TEMPLATES,
  withParaphrases,
} from "../../src/data/templates/index.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { Random } from "../../src/support/random.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { exampleWith } from "./fixtures.js";

const ALPHABET = Array.from("abc de\n.:!?éß中😀👩🏽\u0301{}<|>");
const MARKERS = [
  "<|im_end|>",
  "<|im_start|>assistant\n",
  "<|endoftext|>",
  "<|eot_id|>",
  "{input}",
  "{{ x }}",
];

/** Rows with everything a template may show, of texts that are awkward: marks of templates, characters of several bytes. */
function makeExamples(): Example[] {
  const random = new Random(11);
  const text = (longest: number): string =>
    `x${Array.from({ length: random.integer(longest) }, () => random.choice(random.next() < 0.1 ? MARKERS : ALPHABET)).join("")}y`;
  return Array.from({ length: 24 }, (_, index) => {
    const output = index % 5 === 0 ? random.choice(MARKERS).trim() : text(10);
    return exampleWith({
      id: `row-${index}`,
      instruction: text(20),
      paraphrases: [text(20), text(20)],
      input: text(40),
      outputs: [output],
      options: [output, text(4)],
      rationale: text(20),
      positive: [
        { input: text(9), output, explanation: text(9) },
        { input: text(9), output: text(4) },
        { input: text(9), output: text(4) },
      ],
      negative: [{ input: text(9), output: text(4), explanation: text(4) }],
      history:
        index % 3 === 0
          ? [
              { role: "user", text: text(9) },
              { role: "assistant", text: output },
            ]
          : [],
    });
  });
}

const EXAMPLES = makeExamples();
/** A space before the answer and before its end, as in Llama 2. */
const SPACED = chatTemplate({
  name: "spaced",
  format: "ift",
  chatTemplate:
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]" +
    "{% else %} {{ m.content | trim }} {{ eos_token }}{% endif %}{% endfor %}",
  specialTokens: [],
  bosToken: "<s>",
  eosToken: "</s>",
});
const ALL: readonly Template[] = [
  ...TEMPLATES,
  SPACED,
  withParaphrases(templateByName("alpaca"), 5),
  ...[0, 1, 2, 4, 9].map((pattern) => flanFewShot({ name: `flan-fs-${pattern}`, pattern, options: true })),
  ...[0, 4, 5, 6].map((pattern) => flanZeroShot({ name: `flan-zs-${pattern}`, pattern, options: true })),
];
const TEXTS = EXAMPLES.flatMap((example) =>
  ALL.flatMap((template) =>
    template.render(example).flatMap(({ segments }) => segments.map(({ text }) => text)),
  ),
);
const ADDED = ["<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"];
const TOKENIZERS: readonly (readonly [name: string, tokenizer: Tokenizer])[] = [
  ["characters", CharacterTokenizer.fromTexts(TEXTS)],
  ["bytes", trainByteLevelBpe([], { vocabularySize: 259, addedTokens: [] })],
  // Merges over every border that the texts have: ":P", "\nx", ...
  ["merging", trainByteLevelBpe(TEXTS, { vocabularySize: 900, bos: false })],
  ["chat tokens", trainByteLevelBpe(TEXTS, { vocabularySize: 500, addedTokens: ADDED })],
];
const ROOMY: RenderPolicy = { maxTokens: 1_000_000, overlong: "drop", lossOn: "response" };

/** What may be trained on: the response of the template, then its stop token or the EOS. */
function assertTrainsTheResponse(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  spans: Spans,
): void {
  const response = template.render(example).at(-1)?.segments ?? [];
  const reference = response.filter(({ source }) => source === "response").map(({ text }) => text);
  const expected =
    template.answerIn === undefined ? [example.outputs[0]] : [example.rationale, example.outputs[0]];
  assert.deepEqual(reference, expected);
  const end = endToken(template, tokenizer);
  const trained = spans.ids.filter((_, index) => spans.supervised[index]);
  assert.equal(trained.at(-1), end, "the last target ends generation");
  assert.equal(trained.indexOf(end), trained.length - 1, "and only the last");
  const stopText =
    template.stopToken !== undefined && end === tokenizer.special.eos ? template.stopToken : "";
  const written = response
    .filter(({ source }) => source !== "special")
    .map(({ text }) => text)
    .join("");
  assert.equal(tokenizer.decode(trained), written + stopText);
  assert.equal(
    written.trim(),
    template.answerIn === undefined ? example.outputs[0]?.trim() : written.trim(),
    "nothing but white space is added to the reference",
  );
  const { bos } = tokenizer.special;
  assert.equal(spans.ids.filter((id) => id === bos).length, bos === undefined ? 0 : 1);
  assert.ok(spans.supervised.every((target, index) => target === index >= spans.promptLength));
}

/** Texts of the prompt by source. */
function textBySource(segments: readonly Segment[], source: string): string {
  return segments
    .filter((segment) => segment.source === source)
    .map(({ text }) => text)
    .join("");
}

test("spans hold for every template, tokenizer and side of truncation", () => {
  const seen = { rows: 0, cut: 0, shots: 0, dropped: 0 };
  for (const template of ALL) {
    for (const [name, tokenizer] of TOKENIZERS) {
      EXAMPLES.forEach((example, index) => {
        const what = `${template.name}, ${name}, ${example.id}`;
        const full = renderSpans(example, template, tokenizer, ROOMY);
        assert.equal(full.kind, "rendered", what);
        assertTrainsTheResponse(example, template, tokenizer, full.spans);
        for (const overlong of ["drop", "cut-input-start", "cut-input-end"] as const) {
          const demonstrations = index % 2 === 0 ? "drop-last" : "keep";
          const maxTokens = full.spans.ids.length - ([1, 5, 40][index % 3] ?? 0);
          const policy: RenderPolicy = { maxTokens, overlong, lossOn: "response", demonstrations };
          const outcome = renderSpans(example, template, tokenizer, policy);
          if (outcome.kind === "dropped") {
            seen.dropped++;
            assert.equal(outcome.reason, "overlong", what);
            continue;
          }
          seen.rows++;
          seen.cut += outcome.cut > 0 ? 1 : 0;
          seen.shots += outcome.demonstrationsDropped;
          assert.ok(outcome.spans.ids.length <= maxTokens, what);
          assert.ok(outcome.cut > 0 || outcome.demonstrationsDropped > 0, what);
          assertTrainsTheResponse(example, template, tokenizer, outcome.spans);
          const room = full.spans.ids.length - full.spans.promptLength;
          const prompt = fitPrompt(example, template, tokenizer, policy, room);
          assert.deepEqual(prompt?.ids, outcome.spans.ids.slice(0, outcome.spans.promptLength), what);
        }
      });
    }
  }
  assert.ok(
    seen.rows > 1000 && seen.cut > 1000 && seen.shots > 100 && seen.dropped > 100,
    JSON.stringify(seen),
  );
});

test("the check of the responses fails for rows that are off by a token", () => {
  const [, [, tokenizer] = ["", undefined]] = TOKENIZERS;
  assert.ok(tokenizer);
  const template = templateByName("alpaca");
  const example = exampleWith({});
  const outcome = renderSpans(example, template, tokenizer, ROOMY);
  assert.equal(outcome.kind, "rendered");
  const { spans } = outcome;
  const check = (changed: Partial<Spans>): void =>
    assertTrainsTheResponse(example, template, tokenizer, { ...spans, ...changed });
  assert.doesNotThrow(() => check({}));
  assert.throws(() => check({ supervised: spans.supervised.with(spans.promptLength, false) }));
  assert.throws(() => check({ supervised: spans.supervised.with(spans.promptLength - 1, true) }));
  assert.throws(() => check({ supervised: spans.supervised.with(-1, false) }));
  assert.throws(() => check({ ids: spans.ids.with(1, tokenizer.special.bos ?? 0) }));
});

test("the input is cut first and to nothing less than a token; then the last demonstrations go, and the ledger counts both", () => {
  const tokenizer = CharacterTokenizer.fromTexts(
    Array.from({ length: 95 }, (_, code) => String.fromCharCode(32 + code)).concat("\n"),
  );
  const template = templateByName("ift-positive");
  const example = exampleWith({
    input: "abcdefghij",
    positive: [
      { input: "first", output: "one" },
      { input: "second", output: "two" },
    ],
  });
  const full = renderSpans(example, template, tokenizer, ROOMY);
  assert.equal(full.kind, "rendered");
  const length = full.spans.ids.length;
  const at = (
    fewer: number,
    overlong: RenderPolicy["overlong"],
    demonstrations: "keep" | "drop-last",
  ): string => {
    const policy: RenderPolicy = { maxTokens: length - fewer, overlong, lossOn: "response", demonstrations };
    const outcome = renderSpans(example, template, tokenizer, policy);
    if (outcome.kind === "dropped") return outcome.reason;
    const text = tokenizer.decode(outcome.spans.ids);
    const shown = ["first", "second", "abcdefghij"].map((part) => (text.includes(part) ? "+" : "-")).join("");
    return `${shown} ${outcome.cut}/${outcome.demonstrationsDropped}`;
  };
  assert.equal(at(0, "drop", "keep"), "+++ 0/0");
  assert.equal(at(1, "drop", "keep"), "overlong");
  assert.equal(at(1, "drop", "drop-last"), "+-+ 0/1");
  assert.equal(at(9, "cut-input-end", "drop-last"), "++- 9/0");
  assert.equal(at(10, "cut-input-end", "drop-last"), "+-+ 0/1");
  assert.equal(at(10, "cut-input-end", "keep"), "overlong");
  const demonstration = " Positive Example 2 -\nInput: second.\n Output: two.\n\n".length;
  assert.equal(at(demonstration + 1, "drop", "drop-last"), "--+ 0/2");
  const policy: RenderPolicy = {
    maxTokens: length - 1,
    overlong: "drop",
    lossOn: "response",
    demonstrations: "drop-last",
  };
  const { ledger } = renderExamples([example], template, tokenizer, policy);
  assert.deepEqual([ledger.total.demonstrationsDropped, ledger.total.cutTokens], [1, 0]);
});

test("chain of thought: the answer is found behind the reasoning, and scored alone", () => {
  const { answerIn } = templateByName("flan-cot");
  assert.ok(answerIn);
  assert.equal(answerIn("Six is two times three.\nTherefore, the answer is 6."), "6");
  assert.equal(answerIn("Therefore, the answer is 5? No.\nTherefore, the answer is 6.5."), "6.5");
  assert.equal(answerIn("I do not know"), undefined);
  assert.equal(
    answerOf(templateByName("flan-cot"), "So it is.\nTherefore, the answer is Positive."),
    "Positive",
  );
  assert.equal(answerOf(templateByName("flan-cot"), "So it is."), "So it is.");
  assert.equal(answerOf(templateByName("chatml"), "Positive<|im_end|>\n<|im_start|>"), "Positive");
  assert.equal(answerOf(templateByName("alpaca"), "Positive<|im_end|>"), "Positive<|im_end|>");
  const segments = templateByName("flan-cot")
    .render(exampleWith({ rationale: "So." }))
    .flatMap((m) => m.segments);
  assert.equal(textBySource(segments, "response"), "So.Positive");
});
