import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { exampleWith, temporaryFolder } from "./fixtures.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");

function iftKit(folder: string, ...options: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, "data", ...options], {
    cwd: folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, error: stderr };
}

/** A folder with rows, a tokenizer with a chat template, and a file for each kind of template. */
function workspace(context: TestContext): string {
  const folder = temporaryFolder(context);
  const rows = ["open_qa", "open_qa", "open_qa"].map((category, index) => ({
    instruction: "Shorten the text.",
    input: `a text of number ${index}`,
    output: `text ${index}`,
    category,
  }));
  writeFileSync(join(folder, "rows.json"), JSON.stringify(rows));
  trainByteLevelBpe(["a text"], {
    vocabularySize: 300,
    minFrequency: 1,
    addedTokens: ["<|im_start|>", "<|im_end|>"],
  }).save(join(folder, "tok"));
  const file = join(folder, "tok/tokenizer_config.json");
  const chatTemplate =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
    "{% if add_generation_prompt %}<|im_start|>assistant\n{{ '' }}{% endif %}";
  const config = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...config, chat_template: chatTemplate }));
  const pattern = { name: "mine", format: "ift", prompt: "{instruction} {input}: " };
  writeFileSync(join(folder, "mine.json"), JSON.stringify(pattern));
  const chat = { name: "talk", format: "ift", chatTemplate, specialTokens: ["<|im_start|>", "<|im_end|>"] };
  writeFileSync(join(folder, "talk.json"), JSON.stringify(chat));
  writeFileSync(join(folder, "wrong.json"), JSON.stringify({ ...pattern, promt: "x" }));
  return folder;
}

test("data render takes templates by name, from a file and from the tokenizer, with demonstrations from rows", (context) => {
  const folder = workspace(context);
  const render = (template: string, ...more: string[]): Record<string, unknown>[] => {
    const done = iftKit(
      folder,
      "render",
      "rows.json",
      "--template",
      template,
      "--tokenizer",
      "tok",
      "--out",
      "o",
      ...more,
    );
    assert.deepEqual([done.code, done.error], [0, ""], template);
    return readFileSync(join(folder, "o"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  assert.equal(
    render("mine.json")[0]?.text,
    "<|bos|>Shorten the text. a text of number 0: text 0<|endoftext|>",
  );
  const chatText =
    "<|bos|><|im_start|>user\nShorten the text.\n\na text of number 0<|im_end|>\n<|im_start|>assistant\ntext 0<|im_end|>";
  for (const template of ["chat", "talk.json", "chatml"]) assert.equal(render(template)[0]?.text, chatText);
  const yaml =
    "dataset: mine\ntemplates:\n  a-1: !Template\n    id: a-1\n    name: Ask\n    answer_choices: null\n" +
    "    jinja: 'Shorten: {{text}} ||| {{short}}'\n    metadata: !TemplateMetadata\n      original_task: true\n";
  writeFileSync(join(folder, "templates.yaml"), yaml);
  const raw = exampleWith({ fields: { text: "long", short: "l" } });
  writeFileSync(join(folder, "raw.jsonl"), `${JSON.stringify(raw)}\n`);
  const asked = iftKit(folder, "look", "raw.jsonl", "--tokenizer", "tok", "--template", "templates.yaml#Ask");
  assert.match(asked.out, /Shorten:·[^]*input +long[^]*\* response +l/, asked.error);
  const unknown = iftKit(
    folder,
    "look",
    "raw.jsonl",
    "--tokenizer",
    "tok",
    "--template",
    "templates.yaml#No",
  );
  assert.match(unknown.error, /there is no template "No".*templates\.yaml#Ask/);
  const shown = render("flan-fs-noopt", "--shots", "2", "--shots-from", "rows.json", "--shot-seed", "1");
  assert.equal(String(shown[0]?.text).match(/Example Input:/g)?.length, 3);
  assert.equal(String(shown[0]?.text).match(/number 0/g)?.length, 1, "the row itself is no demonstration");
});

test("data look and data lint, as text and as JSON", (context) => {
  const folder = workspace(context);
  const look = ["look", "rows.json", "--tokenizer", "tok", "--row", "2", "--template", "sft-plain", "alpaca"];
  const looked = iftKit(folder, ...look);
  assert.deepEqual([looked.code, looked.error], [0, ""]);
  assert.match(looked.out, /^sft-plain · \S+ +\| alpaca · /);
  assert.match(looked.out, /\* response/);
  assert.ok(!looked.out.includes("\u001b"), "no colours into a pipe");
  const { looks } = JSON.parse(iftKit(folder, ...look, "--json").out) as { looks: { title: string }[] };
  assert.equal(looks.length, 2);

  const lint = ["lint", "rows.json", "--tokenizer", "tok", "--template"];
  const clean = iftKit(folder, ...lint, "alpaca");
  assert.deepEqual([clean.code, clean.out], [0, "alpaca on 3 rows: nothing found\n"]);
  const found = iftKit(folder, ...lint, "mine.json");
  assert.equal(found.code, 0, "a warning is no failure");
  assert.match(found.out, /trailing-white-space +warning +3/);
  const failed = iftKit(folder, ...lint, "flan-zs-opt", "--json");
  assert.equal(failed.code, 1);
  const { reports } = JSON.parse(failed.out) as { reports: { findings: { rule: string }[] }[] };
  assert.deepEqual(
    reports[0]?.findings.map(({ rule }) => rule),
    ["not-renderable"],
  );
});

test("a template that is none is one line", (context) => {
  const folder = workspace(context);
  const cases: [string[], RegExp][] = [
    [["--template", "nothing"], /there is no template "nothing".*sft-plain/],
    [["--template", "nothing.json"], /nothing\.json: no such file/],
    [["--template", "wrong.json"], /wrong\.json, field "promt": the template has no such field/],
    [["--template", "alpaca", "--shots", "2"], /field "shots": template "alpaca" shows no demonstrations/],
    [["--template", "alpaca", "--row", "9"], /there is no row 9.*from 1 to 3/],
  ];
  for (const [options, says] of cases) {
    const result = iftKit(folder, "look", "rows.json", "--tokenizer", "tok", ...options);
    assert.equal(result.code, 1, options.join(" "));
    assert.match(result.error, says);
    assert.equal(result.error.trimEnd().split("\n").length, 1);
  }
});
