import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Demonstration, Example, Turn } from "../../src/data/example.js";
import { renderSpans } from "../../src/data/render.js";
import type { RenderPolicy } from "../../src/data/spans.js";
import type { Template } from "../../src/data/template.js";
import { chatTemplate, templateByName, TEMPLATE_NAMES } from "../../src/data/templates/index.js";
import { readJsonFile } from "../../src/support/files.js";
import { sha256 } from "../../src/support/hash.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { exampleWith, temporaryFolder } from "../data/fixtures.js";

interface Row {
  readonly id: string;
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
  readonly positive: readonly Demonstration[];
  readonly negative: readonly Demonstration[];
  readonly options: readonly string[];
  readonly rationale: string;
  readonly history?: readonly Turn[];
  readonly tools?: string;
}

interface Rendered {
  readonly prompt: string;
  readonly response: string;
  readonly ids: readonly number[];
  readonly supervised: readonly number[];
}

/** Made by make_template_goldens.py with transformers, tokenizers and ports of the published code. */
const GOLDEN = readJsonFile(join(import.meta.dirname, "golden/templates.json")) as {
  readonly texts: readonly string[];
  readonly addedTokens: readonly string[];
  readonly tokenizerFile: string;
  readonly rows: readonly Row[];
  readonly conversations: readonly Row[];
  readonly chatTemplates: Readonly<Record<string, { readonly chat_template: string }>>;
  readonly plain: Readonly<Record<string, Readonly<Record<string, Rendered>>>>;
  readonly chat: Readonly<Record<string, Readonly<Record<string, Rendered | { readonly error: string }>>>>;
};
const TOKENIZER = trainByteLevelBpe(GOLDEN.texts, { vocabularySize: 520, addedTokens: GOLDEN.addedTokens });
const POLICY: RenderPolicy = { maxTokens: 100_000, overlong: "drop", lossOn: "response" };

function toExample({ output, ...fields }: Row): Example {
  return exampleWith({ ...fields, outputs: [output] });
}

/** Ids, mask and text of the row are those that Python found. */
function assertSame(template: Template, example: Example, golden: Rendered, what: string): void {
  const [prompt, response] = [template.render(example).slice(0, -1), template.render(example).slice(-1)].map(
    (messages) =>
      messages
        .flatMap(({ segments }) => segments)
        .filter(({ token }) => token !== "bos")
        .map(({ text, token }) => (token === "eos" ? "<|endoftext|>" : text))
        .join(""),
  );
  assert.equal(prompt, golden.prompt, what);
  const outcome = renderSpans(example, template, TOKENIZER, POLICY);
  assert.equal(outcome.kind, "rendered", what);
  assert.deepEqual(outcome.spans.ids, golden.ids, what);
  assert.deepEqual(outcome.spans.supervised.map(Number), golden.supervised, what);
  const eosIsWritten = response?.endsWith("<|endoftext|>") === true || template.stopToken !== undefined;
  assert.equal(eosIsWritten ? response : `${response}<|endoftext|>`, golden.response, what);
}

test("the tokenizer is the one that Python loaded", (context) => {
  const folder = temporaryFolder(context);
  TOKENIZER.save(folder);
  assert.equal(sha256(readFileSync(join(folder, "tokenizer.json"))), GOLDEN.tokenizerFile);
});

test("Alpaca, Tk-Instruct and FLAN: the text and the ids of the published code", () => {
  for (const row of GOLDEN.rows) {
    for (const [name, golden] of Object.entries(GOLDEN.plain[row.id] ?? {})) {
      assert.ok(TEMPLATE_NAMES.includes(name));
      assertSame(templateByName(name), toExample(row), golden, `${name} on ${row.id}`);
    }
  }
});

/** With all added tokens of the tokenizer, as `chatTemplateOfTokenizer` has it. */
const PUBLISHED = Object.entries(GOLDEN.chatTemplates).map(([name, { chat_template }]) =>
  chatTemplate({
    name,
    format: "ift",
    chatTemplate: chat_template,
    specialTokens: GOLDEN.addedTokens,
    bosToken: "<|bos|>",
    eosToken: "<|endoftext|>",
  }),
);

test("published chat templates: apply_chat_template's text and ids, with system prompt, turns and tools", () => {
  let rendered = 0;
  for (const row of GOLDEN.conversations) {
    for (const template of PUBLISHED) {
      const golden = GOLDEN.chat[row.id]?.[template.name];
      assert.ok(golden);
      const what = `${template.name} on ${row.id}`;
      if ("error" in golden) {
        assert.throws(
          () => renderSpans(toExample(row), template, TOKENIZER, POLICY),
          /BOS|cannot be rendered|no place for the tools/,
          what,
        );
        continue;
      }
      assertSame(template, toExample(row), golden, what);
      rendered++;
    }
  }
  assert.equal(rendered, 28);
});

test("the kit's own ChatML, Llama 3 and Gemma are the published ones", () => {
  for (const row of GOLDEN.conversations) {
    for (const name of ["chatml", "llama3", "gemma"]) {
      const golden = GOLDEN.chat[row.id]?.[name];
      assert.ok(golden);
      const template = templateByName(name);
      if ("error" in golden) assert.throws(() => template.render(toExample(row)), /cannot be rendered|tools/);
      else assertSame(template, toExample(row), golden, `${name} on ${row.id}`);
    }
  }
});

test("another text gives other ids: the comparison can fail", () => {
  const [row] = GOLDEN.rows;
  assert.ok(row);
  const golden = GOLDEN.plain[row.id]?.alpaca;
  assert.ok(golden);
  const other = { ...toExample(row), input: "Great movie" };
  assert.throws(() => assertSame(templateByName("alpaca"), other, golden, "control"), /control/);
});
