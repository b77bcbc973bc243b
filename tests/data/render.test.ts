import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { fitPrompt, renderPrompt, renderSpans } from "../../src/data/render.js";
import { renderExamples } from "../../src/data/render-all.js";
import type { RenderPolicy, Spans } from "../../src/data/spans.js";
import type { Template } from "../../src/data/template.js";
import { alpaca, iftDefinition, patternTemplate, sftPlain } from "../../src/data/templates/index.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { exampleWith } from "./fixtures.js";

const ALPHABET = Array.from("abcdefgh ABC.,:!?\n\t0123éßλж中😀👩🏽\u0301\u200d\ufeff\u0085");

/** Rows of random text, with short and long inputs, and rows that are awkward on purpose. */
function makeExamples(): Example[] {
  const random = new Random(7);
  const text = (longest: number): string =>
    Array.from({ length: 1 + random.integer(longest) }, () => random.choice(ALPHABET)).join("");
  const rows = Array.from({ length: 40 }, (_, index) =>
    exampleWith({
      id: `random-${index}`,
      instruction: `x${text(30)}`,
      input: `x${text(80)}y`,
      outputs: [text(12)],
    }),
  );
  return [
    ...rows,
    exampleWith({ id: "specials", input: "<|endoftext|><|pad|><|bos|>", outputs: ["<|endoftext|>"] }),
    exampleWith({ id: "emoji", input: "👩🏽".repeat(30), outputs: ["👩🏽"] }),
    exampleWith({ id: "one word", input: "abc".repeat(60), outputs: [" abc"] }),
    exampleWith({ id: "colon", input: "abc", outputs: [":::"] }),
  ];
}

const EXAMPLES = makeExamples();
const TEXTS = EXAMPLES.flatMap(({ instruction = "", input, outputs }) => [instruction, input, ...outputs]);
const TWICE = patternTemplate({
  name: "twice",
  format: "ift",
  prompt: "{input}\n{instruction}\nOnce more: {input}\n=>",
});
const TEMPLATES: readonly Template[] = [sftPlain, iftDefinition, alpaca, TWICE];
const CHARACTERS = [...TEXTS, ...Array.from({ length: 95 }, (_, code) => String.fromCharCode(32 + code))];
const TOKENIZERS: readonly Tokenizer[] = [
  CharacterTokenizer.fromTexts(CHARACTERS),
  CharacterTokenizer.fromTexts(CHARACTERS, { bos: false }),
  trainByteLevelBpe([...TEXTS, ...TEXTS], { vocabularySize: 420 }),
  trainByteLevelBpe([...TEXTS, ...TEXTS], { vocabularySize: 420, bos: false }),
];
/** How many tokens too few a row gets. */
const SHORTER = [0, 1, 2, 9, 30];
const ROOMY: RenderPolicy = { maxTokens: 100_000, overlong: "drop", lossOn: "response" };

interface Case {
  readonly example: Example;
  readonly template: Template;
  readonly tokenizer: Tokenizer;
  readonly policy: RenderPolicy;
}

/** A tokenizer that does one thing otherwise. */
function changed(tokenizer: Tokenizer, change: Partial<Tokenizer>): Tokenizer {
  return {
    kind: "changed",
    vocabularySize: tokenizer.vocabularySize,
    special: tokenizer.special,
    hash: "changed",
    encode: (text) => tokenizer.encode(text),
    decode: (ids) => tokenizer.decode(ids),
    tokenText: (id) => tokenizer.tokenText(id),
    save: () => undefined,
    ...change,
  };
}

/** All that must hold of a rendered row; an assertion fails where it does not. */
function checkRow({ example, template, tokenizer, policy }: Case, spans: Spans, cut: number): void {
  const { ids, supervised, source, role, promptLength } = spans;
  const { bos, eos, pad } = tokenizer.special;
  const length = ids.length;
  assert.deepEqual([supervised.length, source.length, role.length], [length, length, length]);
  assert.ok(length <= policy.maxTokens, "the row is not longer than allowed");
  assert.equal(
    ids.filter((id) => id === bos).length,
    bos === undefined ? 0 : 1,
    "one BOS where there is one",
  );
  if (bos !== undefined) assert.equal(ids[0], bos, "the BOS comes first");
  assert.equal(ids.indexOf(eos), length - 1, "one EOS, at the end");
  assert.equal(supervised.at(-1), true, "the EOS is supervised");
  assert.ok(!ids.includes(pad), "no padding");
  const firstTarget = policy.lossOn === "response" ? promptLength : 1;
  assert.equal(supervised.indexOf(true), firstTarget, "the first target");
  assert.ok(supervised.slice(firstTarget).every(Boolean), "the targets are one run");
  assert.equal(
    tokenizer.decode(ids.slice(promptLength)),
    example.outputs[0],
    "the response is the reference exactly",
  );
  assert.ok(!source.slice(0, promptLength).includes("response"), "no response in the prompt");
  assert.ok(
    source.slice(promptLength, -1).every((part) => part === "response"),
    "nothing but response behind it",
  );
  assert.ok(role.every((who, index) => who === (index < promptLength ? "user" : "assistant")));
  checkPromptText(
    { example, template, tokenizer, policy },
    tokenizer.decode(ids.slice(0, promptLength)),
    cut,
  );
}

/** What is not input is all there; the input is whole, or its beginning or end where it was cut. */
function checkPromptText({ example, template, policy }: Case, text: string, cut: number): void {
  const segments = template.render(example)[0]?.segments ?? [];
  const whole = segments.map((segment) => segment.text).join("");
  if (cut === 0) {
    assert.equal(text, whole);
    return;
  }
  assert.notEqual(policy.overlong, "drop");
  const scaffold = segments.map((segment) => (segment.source === "input" ? undefined : segment.text));
  let rest = text;
  for (const [index, piece] of scaffold.entries()) {
    if (piece !== undefined) {
      assert.ok(rest.startsWith(piece), "scaffold and instruction are whole");
      rest = rest.slice(piece.length);
      continue;
    }
    const input = segments[index]?.text ?? "";
    const kept = longestKept(input, rest, scaffold[index + 1] ?? "", policy.overlong);
    assert.notEqual(kept, undefined, "what is left of the input is one end of it");
    rest = rest.slice(kept);
  }
  assert.equal(rest, "", "nothing is added");
}

function longestKept(
  input: string,
  rest: string,
  after: string,
  side: RenderPolicy["overlong"],
): number | undefined {
  for (let length = input.length; length >= 0; length--) {
    const kept = side === "cut-input-start" ? input.slice(input.length - length) : input.slice(0, length);
    if (rest.startsWith(kept + after)) return length;
  }
  return undefined;
}

test("every row keeps the invariants, for templates, tokenizers, cut sides and losses", () => {
  const seen = { rendered: 0, cut: 0, dropped: 0 };
  for (const template of TEMPLATES) {
    for (const tokenizer of TOKENIZERS) {
      for (const overlong of ["drop", "cut-input-start", "cut-input-end"] as const) {
        for (const [index, example] of EXAMPLES.entries()) {
          const full = renderSpans(example, template, tokenizer, ROOMY);
          assert.equal(full.kind, "rendered");
          const maxTokens = full.spans.ids.length - (SHORTER[index % SHORTER.length] ?? 0);
          const lossOn = index % 2 === 0 ? "response" : "all";
          const policy: RenderPolicy = { maxTokens, overlong, lossOn };
          const outcome = renderSpans(example, template, tokenizer, policy);
          if (outcome.kind === "dropped") {
            seen.dropped++;
            assert.equal(outcome.reason, "overlong");
            assert.equal(outcome.tokens, full.spans.ids.length);
            assert.ok(outcome.tokens > maxTokens);
            continue;
          }
          seen.rendered++;
          seen.cut += outcome.cut > 0 ? 1 : 0;
          checkRow({ example, template, tokenizer, policy }, outcome.spans, outcome.cut);
        }
      }
    }
  }
  assert.ok(seen.rendered > 800 && seen.cut > 500 && seen.dropped > 300, JSON.stringify(seen));
});

test("the check of the invariants fails for every broken row", () => {
  const [tokenizer] = TOKENIZERS;
  assert.ok(tokenizer?.special.bos !== undefined);
  const { bos, eos } = tokenizer.special;
  const example = exampleWith({});
  const row: Case = { example, template: iftDefinition, tokenizer, policy: { ...ROOMY, maxTokens: 1000 } };
  const outcome = renderSpans(example, iftDefinition, tokenizer, row.policy);
  assert.equal(outcome.kind, "rendered");
  const { spans } = outcome;
  const last = spans.ids.length - 1;
  const withoutToken = (at: number): Spans => ({
    ...spans,
    ids: spans.ids.toSpliced(at, 1),
    supervised: spans.supervised.toSpliced(at, 1),
    source: spans.source.toSpliced(at, 1),
    role: spans.role.toSpliced(at, 1),
    promptLength: spans.promptLength - (at < spans.promptLength ? 1 : 0),
  });
  const broken: Record<string, Spans> = {
    "no BOS": withoutToken(0),
    "two BOS": { ...spans, ids: spans.ids.with(1, bos) },
    "no EOS": withoutToken(last),
    "EOS inside": { ...spans, ids: spans.ids.with(3, eos) },
    "EOS not supervised": { ...spans, supervised: spans.supervised.with(last, false) },
    "mask one too early": { ...spans, supervised: spans.supervised.with(spans.promptLength - 1, true) },
    "mask one too late": { ...spans, supervised: spans.supervised.with(spans.promptLength, false) },
    "response cut": withoutToken(last - 1),
    "cue cut": withoutToken(spans.promptLength - 1),
    "instruction cut": withoutToken(15),
    "sources shifted": { ...spans, source: ["special", ...spans.source.slice(0, -1)] },
    "padding in the row": { ...spans, ids: spans.ids.with(5, tokenizer.special.pad) },
  };
  assert.doesNotThrow(() => checkRow(row, spans, 0));
  for (const [name, wrong] of Object.entries(broken)) {
    assert.throws(() => checkRow(row, wrong, 0), assert.AssertionError, name);
  }
  assert.throws(
    () => checkRow({ ...row, policy: { ...row.policy, maxTokens: 10 } }, spans, 0),
    assert.AssertionError,
  );
});

test("what inference is given is the training prompt, token by token", () => {
  for (const template of TEMPLATES) {
    for (const tokenizer of TOKENIZERS) {
      for (const example of EXAMPLES) {
        const outcome = renderSpans(example, template, tokenizer, ROOMY);
        assert.equal(outcome.kind, "rendered");
        const prompt = renderPrompt(example, template, tokenizer, ROOMY);
        assert.deepEqual(prompt, outcome.spans.ids.slice(0, outcome.spans.promptLength));
      }
    }
  }
});

test("prompt and response encoded as one text would give other tokens for some rows, so the border matters", () => {
  const tokenizer = trainByteLevelBpe(["a::: b::: c::: d:::"], { vocabularySize: 300 });
  const outcome = renderSpans(exampleWith({ outputs: [":::"] }), sftPlain, tokenizer, ROOMY);
  assert.equal(outcome.kind, "rendered");
  const { ids } = tokenizer.encode("Input: Great movie!\nOutput::::");
  assert.notDeepEqual(ids, outcome.spans.ids.slice(1, -1));
  assert.equal(tokenizer.decode(outcome.spans.ids), "Input: Great movie!\nOutput::::");
});

test("a token on a border belongs to the piece that holds its last byte", () => {
  const tokenizer = trainByteLevelBpe(["x Great x Great", "!\n !\n"], { vocabularySize: 275 });
  const outcome = renderSpans(exampleWith({}), sftPlain, tokenizer, ROOMY);
  assert.equal(outcome.kind, "rendered");
  const { ids, source } = outcome.spans;
  const labelled = ids.map((id, index) => `${tokenizer.tokenText(id)}=${source[index] ?? ""}`);
  assert.ok(labelled.includes(" Great=input"), labelled.join(" "));
  assert.ok(labelled.includes(":=scaffold"));
  assert.equal(source.filter((part) => part === "special").length, 2);
});

test("a response that the tokenizer does not give back is dropped, and so is one without tokens", () => {
  const characters = CharacterTokenizer.fromTexts(["Input: Great movie!\nOutput:Positive"]);
  const lossy = changed(characters, { decode: (ids) => characters.decode(ids).toLowerCase() });
  const outcome = renderSpans(exampleWith({}), sftPlain, lossy, ROOMY);
  assert.deepEqual(outcome, { kind: "dropped", reason: "response-not-restored", tokens: 8 });
  const empty = renderSpans(exampleWith({ outputs: [""] }), sftPlain, characters, ROOMY);
  assert.equal(empty.kind === "dropped" && empty.reason, "nothing-supervised");
  assert.equal(renderSpans(exampleWith({}), sftPlain, characters, ROOMY).kind, "rendered");
});

test("a tokenizer that turns text into a special token is refused", () => {
  const characters = CharacterTokenizer.fromTexts(["Input: Great movie!\nOutput:Positive"]);
  const { eos } = characters.special;
  const injecting = changed(characters, {
    encode: (text) => ({ ...characters.encode(text), ids: characters.encode(text).ids.with(0, eos) }),
    decode: () => "Positive",
  });
  assert.throws(() => renderSpans(exampleWith({}), sftPlain, injecting, ROOMY), /becomes the special token/);
});

test("a prompt for inference keeps room for the answer, whatever the reference is", () => {
  const [tokenizer] = TOKENIZERS;
  assert.ok(tokenizer);
  const example = exampleWith({ input: "abc".repeat(20) });
  const policy: RenderPolicy = { maxTokens: 60, overlong: "cut-input-end", lossOn: "response" };
  const fitted = fitPrompt(example, sftPlain, tokenizer, policy, 20);
  assert.equal(fitted?.ids.length, 40);
  assert.ok(fitted.cut > 0);
  const other = fitPrompt({ ...example, outputs: ["x".repeat(30)] }, sftPlain, tokenizer, policy, 20);
  assert.deepEqual(other, fitted);
  const drop: RenderPolicy = { ...policy, overlong: "drop" };
  assert.equal(fitPrompt(example, sftPlain, tokenizer, drop, 20), undefined);
  assert.throws(() => renderPrompt(example, sftPlain, tokenizer, drop, 20), /does not fit into 60 tokens/);
});

test("an empty prompt needs a BOS", () => {
  const bare = patternTemplate({ name: "bare", format: "sft", prompt: "" });
  const [withBos, withoutBos] = TOKENIZERS;
  assert.ok(withBos && withoutBos);
  assert.equal(renderSpans(exampleWith({}), bare, withBos, ROOMY).kind, "rendered");
  assert.throws(
    () => renderSpans(exampleWith({}), bare, withoutBos, ROOMY),
    /nothing comes before the answer/,
  );
});

test("the ledger adds up: each row is rendered or has a reason", () => {
  const [tokenizer] = TOKENIZERS;
  assert.ok(tokenizer);
  const examples = [
    exampleWith({ id: "a" }),
    exampleWith({ id: "b", input: "abc".repeat(30) }),
    exampleWith({ id: "c", input: "", taskType: "Other" }),
    exampleWith({ id: "d", outputs: ["x".repeat(100)], taskType: "Other" }),
    exampleWith({ id: "e", outputs: [""], taskType: "Other" }),
  ];
  const policy: RenderPolicy = { maxTokens: 60, overlong: "cut-input-end", lossOn: "response" };
  const { spans, ledger, dropped } = renderExamples(examples, sftPlain, tokenizer, policy, {
    onUnrenderable: "drop",
  });
  assert.deepEqual(
    spans.map(({ id }) => id),
    ["a", "b"],
  );
  assert.deepEqual(
    dropped.map(({ id }) => id),
    ["c", "d", "e"],
  );
  const [other, sentiment] = ledger.lines;
  assert.deepEqual(other?.dropped, { "not-renderable": 1, overlong: 1, "nothing-supervised": 1 });
  assert.deepEqual([sentiment?.rowsIn, sentiment?.rendered, sentiment?.truncated], [2, 2, 1]);
  assert.equal(ledger.total.supervisedTokens, 2 * "Positive\0".length);
  assert.equal(
    ledger.total.totalTokens,
    spans.reduce((sum, { ids }) => sum + ids.length, 0),
  );
  for (const line of [...ledger.lines, ledger.total]) {
    const droppedRows = Object.values(line.dropped).reduce((sum, rows) => sum + rows, 0);
    assert.equal(line.rowsIn, line.rendered + droppedRows);
  }
  assert.throws(() => renderExamples(examples, sftPlain, tokenizer, policy), /example "c" has no input/);
  assert.throws(
    () =>
      renderExamples(examples, sftPlain, tokenizer, { ...policy, maxTokens: 3 }, { onUnrenderable: "drop" }),
    (error) => error instanceof KitError && /no row is left to train on .*overlong/.test(error.message),
  );
});
