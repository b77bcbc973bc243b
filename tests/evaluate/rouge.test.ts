import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { stem } from "../../src/evaluate/metrics/porter.js";
import { rougeL, rougeTokens } from "../../src/evaluate/metrics/rouge.js";
import { longestCommonSubsequence } from "../../src/support/subsequence.js";
import { KitError } from "../../src/support/errors.js";

function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../parity/golden/${name}`, import.meta.url), "utf8"));
}

interface RougeCase {
  readonly prediction: string;
  readonly references: readonly string[];
  readonly stemmed: number;
  readonly plain: number;
}

test("the stemmer gives NLTK's stems", () => {
  const stems = Object.entries(golden("porter.json") as Record<string, string>);
  assert.ok(stems.length > 3000);
  const wrong = stems.filter(([word, wanted]) => stem(word) !== wanted);
  assert.deepEqual(wrong, []);
});

test("ROUGE-L equals rouge_score to 1e-9, with stemming and without", () => {
  const cases = golden("rouge.json") as RougeCase[];
  assert.ok(cases.length >= 500);
  for (const { prediction, references, stemmed, plain } of cases) {
    const message = JSON.stringify({ prediction, references });
    assert.ok(Math.abs(rougeL(prediction, references, { stem: true }) - stemmed) < 1e-9, message);
    assert.ok(Math.abs(rougeL(prediction, references, { stem: false }) - plain) < 1e-9, message);
  }
});

test("the goldens tell stemming from no stemming, and the best reference from the first", () => {
  const cases = golden("rouge.json") as RougeCase[];
  const off = (score: (one: RougeCase) => number): number =>
    cases.filter((one) => Math.abs(score(one) - one.stemmed) > 1e-9).length;
  assert.ok(off(({ prediction, references }) => rougeL(prediction, references, { stem: false })) > 50);
  assert.ok(
    off(({ prediction, references }) => rougeL(prediction, references.slice(0, 1), { stem: true })) > 20,
  );
});

test("words of up to three characters are not stemmed, and other letters separate", () => {
  assert.deepEqual(rougeTokens("Yes, gas is naïve: running!", { stem: true }), [
    "yes",
    "gas",
    "is",
    "na",
    "ve",
    "run",
  ]);
});

test("the longest common subsequence of hand-worked cases", () => {
  const letters = (text: string): string[] => text.split("");
  assert.equal(longestCommonSubsequence(letters("abcbdab"), letters("bdcaba")), 4);
  assert.equal(longestCommonSubsequence(letters("abc"), []), 0);
  assert.equal(longestCommonSubsequence(letters("aaa"), letters("aa")), 2);
});

test("ROUGE-L without a reference is an error", () => {
  assert.throws(() => rougeL("a", [], { stem: true }), KitError);
});
