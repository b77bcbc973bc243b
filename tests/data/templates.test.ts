import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf } from "../../src/data/answer.js";
import type { Example } from "../../src/data/example.js";
import { renderSpans } from "../../src/data/render.js";
import {
  alpaca,
  iftDefinition,
  patternTemplate,
  sftPlain,
  TEMPLATES,
  templateByName,
} from "../../src/data/templates/index.js";
import type { Template } from "../../src/data/template.js";
import { KitError } from "../../src/support/errors.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { exampleWith } from "./fixtures.js";

function prompt(template: Template, example: Example): string {
  const messages = template.render(example);
  assert.equal(messages.at(-1)?.role, "assistant");
  return messages
    .slice(0, -1)
    .flatMap(({ segments }) => segments.map(({ text }) => text))
    .join("");
}

function withoutInstruction(example: Example): Example {
  const entries = Object.entries(example).filter(([name]) => name !== "instruction");
  return Object.fromEntries(entries) as unknown as Example;
}

test("alpaca is Stanford's text, with and without input", () => {
  assert.equal(
    prompt(alpaca, exampleWith({ instruction: "Classify.", input: "Great movie!" })),
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nClassify.\n\n### Input:\nGreat movie!\n\n### Response:",
  );
  assert.equal(
    prompt(alpaca, exampleWith({ instruction: "Say hello.", input: "" })),
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nSay hello.\n\n### Response:",
  );
});

test("ift-definition is Tk-Instruct's text: trimmed, and with a full stop where no punctuation ends it", () => {
  assert.equal(
    prompt(iftDefinition, exampleWith({ instruction: " Classify the review \n", input: "Great movie" })),
    "Definition: Classify the review.\n\nNow complete the following example -\nInput: Great movie.\nOutput:",
  );
  assert.equal(
    prompt(iftDefinition, exampleWith({ instruction: "Classify?", input: "Great movie!" })),
    "Definition: Classify?\n\nNow complete the following example -\nInput: Great movie!\nOutput:",
  );
  assert.equal(
    prompt(iftDefinition, exampleWith({ instruction: "Say hello.", input: "" })),
    "Definition: Say hello.\n\nNow complete the following example -\nOutput:",
  );
});

test("sft-plain never shows the instruction and refuses a row without input", () => {
  assert.equal(prompt(sftPlain, exampleWith({})), "Input: Great movie!\nOutput:");
  assert.throws(() => sftPlain.render(exampleWith({ input: "" })), /"row-1" has no input/);
});

/** A row that has what any template shows. */
const FULL = exampleWith({
  instruction: "Classify:",
  positive: [{ input: "Bad.", output: "Negative", explanation: "It says so." }],
  negative: [{ input: "Good.", output: "Negative" }],
  options: ["Positive", "Negative"],
  rationale: "Great is praise.",
});

test("every segment carries its source", () => {
  for (const template of TEMPLATES) {
    const segments = template.render(FULL).flatMap((message) => message.segments);
    const textOf = (source: string): string =>
      segments
        .filter((segment) => segment.source === source)
        .map(({ text }) => text)
        .join("|");
    const { name, format } = template;
    assert.equal(textOf("input"), "Great movie!", name);
    assert.equal(textOf("instruction"), format === "ift" ? "Classify:" : "", name);
    assert.equal(textOf("response"), name === "flan-cot" ? "Great is praise.|Positive" : "Positive", name);
    assert.equal(textOf("options"), name.endsWith("-opt") ? "Positive|Negative" : "", name);
  }
});

test("an IFT template refuses a row without instruction, except where the template is the instruction", () => {
  const strict = TEMPLATES.filter(
    ({ format, name, stopToken }) =>
      format === "ift" && !name.startsWith("flan-cot") && stopToken === undefined,
  );
  for (const template of strict) {
    const example = { ...FULL, instruction: "" };
    assert.throws(() => template.render(example), /has no instruction/, template.name);
    assert.throws(() => template.render(withoutInstruction(example)), /has no instruction/, template.name);
  }
});

test("a chat template takes the turn of a conversation, which has no instruction apart from its input", () => {
  for (const template of TEMPLATES.filter(({ stopToken }) => stopToken !== undefined)) {
    const example = withoutInstruction(FULL);
    assert.match(prompt(template, example), /user\S*\s+Great movie!</, template.name);
    assert.throws(() => template.render({ ...example, input: "" }), /has no instruction/, template.name);
  }
});

test("a pattern fills its placeholders once: text of a row is never taken for a placeholder", () => {
  const template = patternTemplate({
    name: "tagged",
    format: "ift",
    prompt: "<{task}> {instruction} {{input}} {input} =>",
  });
  const example = exampleWith({ instruction: "Do {input}", input: "{task}", task: "t7" });
  assert.equal(prompt(template, example), "<t7> Do {input} {{task}} {task} =>");
});

test("an answer behind a blank has the tokens that it has in a text, and is read without the blank", () => {
  const tokenizer = trainByteLevelBpe(new Array<string>(3).fill("a red plum, a red plum"), {
    vocabularySize: 300,
  });
  const policy = { maxTokens: 99, overlong: "drop", lossOn: "response" } as const;
  const example = exampleWith({ input: "a red plum", outputs: ["plum red"] });
  const rendered = (response: "{output}" | " {output}"): { template: Template; answer: number[] } => {
    const template = patternTemplate({ name: "x", format: "sft", prompt: "{input}\n", response });
    const outcome = renderSpans(example, template, tokenizer, policy);
    assert.equal(outcome.kind, "rendered");
    return { template, answer: outcome.spans.ids.slice(outcome.spans.promptLength, -1) };
  };
  const inText = tokenizer.encode(" plum").ids;
  const behind = rendered(" {output}");
  assert.deepEqual(behind.answer.slice(0, inText.length), inText);
  assert.equal(tokenizer.decode(behind.answer), " plum red");
  assert.equal(answerOf(behind.template, tokenizer.decode(behind.answer)), "plum red");
  // Without the blank the same word is another token, and nothing is taken away.
  const plain = rendered("{output}");
  assert.notDeepEqual(plain.answer.slice(0, inText.length), inText);
  assert.equal(answerOf(plain.template, " plum red"), " plum red");
});

test("a pattern that cannot be right is refused", () => {
  const make = (fields: object): (() => Template) => {
    return () => patternTemplate({ name: "x", format: "ift", prompt: "{instruction} {input}", ...fields });
  };
  assert.doesNotThrow(make({}));
  assert.throws(make({ prompt: "{instruction} {inptu}" }), /unknown placeholder \{inptu\}/);
  assert.throws(make({ prompt: "{instruction} {output}" }), /the answer itself/);
  assert.throws(make({ prompt: "{input}" }), /does not show \{instruction\}/);
  assert.throws(make({ format: "sft" }), /shows \{instruction\}/);
  assert.throws(make({ response: "{output}!" }), /make it "\{output\}"/);
  assert.throws(make({ promptWithoutInput: "{instruction} {input}" }), KitError);
});

test("the hash says what decides the text, and nothing else", () => {
  const of = (fields: object): string =>
    patternTemplate({ name: "a", format: "sft", prompt: "{input}=", ...fields }).hash;
  assert.match(of({}), /^[0-9a-f]{64}$/);
  assert.equal(of({ name: "b" }), of({}));
  for (const change of [
    { prompt: "{input} =" },
    { promptWithoutInput: "=" },
    { stop: ["\n"] },
    { response: " {output}" },
  ]) {
    assert.notEqual(of(change), of({}));
  }
  assert.equal(new Set(TEMPLATES.map(({ hash }) => hash)).size, TEMPLATES.length);
});

test("templates are found by name", () => {
  for (const template of TEMPLATES) assert.equal(templateByName(template.name), template);
  assert.throws(
    () => templateByName("alpacca"),
    /there is no template "alpacca".*sft-plain, task-prefix, .*ift-definition, .*alpaca, .*chatml/,
  );
});
