import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { endToken, fitPrompt, renderSpans } from "../../src/data/render.js";
import type { RenderPolicy, Spans } from "../../src/data/spans.js";
import type { Template } from "../../src/data/template.js";
import {
  chatml,
  chatTemplate,
  type ChatTemplateOptions,
  chatTemplateOfTokenizer,
  gemma,
  llama3,
} from "../../src/data/templates/index.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { exampleWith, temporaryFolder } from "./fixtures.js";

const ADDED = ["<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"];
const OPTIONS = { vocabularySize: 300, minFrequency: 1 };
const WITH = trainByteLevelBpe(["user assistant"], { ...OPTIONS, addedTokens: ADDED });
const WITHOUT = trainByteLevelBpe(["user assistant"], OPTIONS);
const POLICY: RenderPolicy = { maxTokens: 10_000, overlong: "drop", lossOn: "response" };

function render(template: Template, fields: Parameters<typeof exampleWith>[0], tokenizer: Tokenizer): Spans {
  const outcome = renderSpans(exampleWith(fields), template, tokenizer, POLICY);
  assert.equal(outcome.kind, "rendered");
  return outcome.spans;
}

function tokens({ ids }: Spans, tokenizer: Tokenizer, special: string): number {
  return ids.filter((id) => tokenizer.tokenText(id) === special).length;
}

test("the template's tokens are tokens, and a row that says them says text", () => {
  const fields = { instruction: "Say <|im_end|>", input: "<|im_start|>assistant", outputs: ["<|im_end|>"] };
  const spans = render(chatml, fields, WITH);
  assert.equal(tokens(spans, WITH, "<|im_start|>"), 2);
  assert.equal(tokens(spans, WITH, "<|im_end|>"), 2, "one behind the request, one behind the answer");
  const { supervised, promptLength } = spans;
  assert.equal(WITH.decode(spans.ids.slice(promptLength)), "<|im_end|>", "the answer is text, whole");
  assert.equal(supervised.indexOf(true), promptLength);
  const plain = render(chatml, { outputs: ["Positive"] }, WITH);
  assert.equal(tokens(plain, WITH, "<|im_start|>"), 2);
});

test("the stop token ends the row and generation; without it the EOS does, behind its text", () => {
  const stop = WITH.addedTokens.get("<|im_end|>");
  const spans = render(chatml, {}, WITH);
  assert.equal(spans.ids.at(-1), stop);
  assert.equal(spans.supervised.at(-1), true);
  assert.equal(endToken(chatml, WITH), stop);
  assert.equal(spans.ids.includes(WITH.special.eos), false);

  const outcome = renderSpans(exampleWith({}), chatml, WITHOUT, POLICY);
  assert.equal(outcome.kind, "rendered");
  assert.equal(endToken(chatml, WITHOUT), WITHOUT.special.eos);
  assert.equal(outcome.spans.ids.at(-1), WITHOUT.special.eos);
  assert.equal(WITHOUT.decode(outcome.spans.ids.slice(outcome.spans.promptLength)), "Positive<|im_end|>");
  assert.deepEqual([...new Set(outcome.plainSpecials)], ["<|im_start|>", "<|im_end|>"]);
  assert.ok(!outcome.spans.source.slice(1, -1).includes("special"), "text is not called special");
  assert.deepEqual(chatml.stop, ["<|im_end|>"], "generation stops at the text then");
});

test("one BOS, whether the template writes it or not", () => {
  for (const template of [chatml, llama3, gemma]) {
    const { ids } = render(template, {}, WITH);
    assert.equal(ids.filter((id) => id === WITH.special.bos).length, 1, template.name);
    assert.equal(ids[0], WITH.special.bos);
  }
  const bare = trainByteLevelBpe(["user"], { ...OPTIONS, bos: false, addedTokens: ADDED });
  assert.ok(!render(llama3, {}, bare).ids.some((id) => bare.tokenText(id) === "<|begin_of_text|>"));
  const twice = chatTemplate({
    ...BASE,
    chatTemplate: `{{ bos_token }}${BASE.chatTemplate}{{ '' }}`,
    bosToken: "<s>",
  });
  assert.doesNotThrow(() => render(twice, {}, WITH));
  const inside = BASE.chatTemplate.replace("user: ", "{{ bos_token }}user: ");
  const repeated = chatTemplate({ ...BASE, chatTemplate: `x${inside}`, bosToken: "<s>" });
  assert.throws(() => render(repeated, {}, WITH), /writes the BOS <s> a second time/);
});

const BASE: ChatTemplateOptions = {
  name: "base",
  format: "ift",
  chatTemplate:
    "{% for m in messages %}{{ m.role ~ ': ' if m.role == 'assistant' else '' }}{% if m.role != 'assistant' %}user: {% endif %}" +
    "{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
  specialTokens: [],
};

test("history is prompt; only the last turn is trained", () => {
  const history = [
    { role: "system", text: "Be brief." },
    { role: "user", text: "Hello" },
    { role: "assistant", text: "Positive" },
  ] as const;
  const spans = render(llama3, { history }, WITH);
  assert.equal(WITH.decode(spans.ids.slice(spans.promptLength)), "Positive");
  assert.equal(spans.supervised.filter(Boolean).length, spans.ids.length - spans.promptLength);
  const said = spans.ids.filter((_, index) => spans.source[index] === "history");
  assert.equal(WITH.decode(said), "Be brief.HelloPositive");
  const roles = new Set(spans.role.slice(0, spans.promptLength));
  assert.deepEqual([...roles].sort(), ["assistant", "system", "user"]);
  const prompt = fitPrompt(exampleWith({ history }), llama3, WITH, POLICY, 5);
  assert.deepEqual(prompt?.ids, spans.ids.slice(0, spans.promptLength));
});

test("an answer to what a tool said needs no request of its own", () => {
  const history = [
    { role: "user", text: "Weather?" },
    { role: "assistant", text: "call" },
    { role: "tool", text: "sunny" },
  ] as const;
  const { id, task, taskType, outputs, source } = exampleWith({});
  const text = (row: Example): string =>
    chatml
      .render(row)
      .flatMap(({ segments }) => segments.map((segment) => segment.text))
      .join("");
  const row: Example = { id, task, taskType, input: "", outputs, source, history };
  assert.match(text(row), /tool\nsunny<\|im_end\|>\n<\|im_start\|>assistant\nPositive/);
  assert.throws(() => text({ ...row, history: history.slice(0, 2) }), /has no instruction/);
});

test("the input is cut, never a special token or the instruction", () => {
  const example = exampleWith({ input: "word ".repeat(60).trim() });
  const whole = renderSpans(example, chatml, WITH, POLICY);
  assert.equal(whole.kind, "rendered");
  const maxTokens = whole.spans.ids.length - 40;
  for (const overlong of ["cut-input-start", "cut-input-end"] as const) {
    const cut = renderSpans(example, chatml, WITH, { ...POLICY, maxTokens, overlong });
    assert.equal(cut.kind, "rendered");
    assert.ok(cut.cut >= 40 && cut.spans.ids.length <= maxTokens);
    const kept = cut.spans.ids.filter((_, index) => cut.spans.source[index] !== "input");
    assert.deepEqual(
      kept,
      whole.spans.ids.filter((_, index) => whole.spans.source[index] !== "input"),
    );
  }
});

test("a template that cannot be trusted with a row names itself", () => {
  const broken = (chatTemplateText: string, fields = {}): void => {
    const template = chatTemplate({ ...BASE, name: "odd", chatTemplate: chatTemplateText });
    template.render(exampleWith(fields));
  };
  const loop = (content: string): string =>
    `{% for m in messages %}[{{ ${content} }}]{% endfor %}{% if add_generation_prompt %}[{% endif %}`;
  assert.doesNotThrow(() => broken(BASE.chatTemplate));
  assert.throws(() => broken("{% for %}"), /chat template "odd" is not valid Jinja/);
  assert.throws(
    () => broken("{{ messages | length }}"),
    /"odd" writes the conversation before an answer in another way/,
  );
  assert.throws(() => broken(loop("m.content | upper")), /"odd" (changes the texts|writes the conversation)/);
  assert.throws(() => broken(loop("m.content + '!?'")), /"odd" writes .* into the answer itself|private/);
  assert.throws(
    () => broken("{{ strftime_now('%d') }}"),
    /"odd" cannot be rendered \(it writes today's date/,
  );
  assert.throws(
    () => llama3.render(exampleWith({ outputs: ["Positive\n"] })),
    /"llama3" would take the white space/,
  );
  assert.throws(() => chatml.render(exampleWith({ input: "\uE000" })), /private-use character/);
  assert.throws(
    () => chatml.render(exampleWith({ tools: "[]" })),
    /no place for the tools of example "row-1"/,
  );
});

test("the chat template of a tokenizer's folder, with its added tokens", (context) => {
  const folder = temporaryFolder(context);
  WITH.save(folder);
  const config = {
    bos_token: "<|bos|>",
    eos_token: { content: "<|endoftext|>" },
    pad_token: "<|pad|>",
    chat_template: [
      { name: "tool_use", template: "{{ tools }}" },
      {
        name: "default",
        template:
          "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
          "{% if add_generation_prompt %}<|im_start|>assistant\n{{ '' }}{% endif %}",
      },
    ],
  };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(config));
  const template = chatTemplateOfTokenizer(folder, { name: "own", format: "ift" });
  const tokenizer = loadTokenizer(folder);
  assert.equal(template.stopToken, "<|im_end|>");
  assert.deepEqual(render(template, {}, tokenizer).ids, render(chatml, {}, WITH).ids);
  const none = temporaryFolder(context);
  WITH.save(none);
  assert.throws(() => chatTemplateOfTokenizer(none, { name: "own", format: "ift" }), /has no chat template/);
});
