import assert from "node:assert/strict";
import { test } from "node:test";
import { jaccard, shinglesOf, shingleTexts } from "../../src/similarity/shingles.js";
import { plainText, wordsOf } from "../../src/similarity/words.js";
import { Random } from "../../src/support/random.js";
import { randomText } from "./fixtures.js";

test("words: case and punctuation do not matter, operators and scripts without blanks do", () => {
  assert.deepEqual(wordsOf("Great movie! It’s “good”."), ["great", "movie", "it", "s", "good"]);
  assert.deepEqual(wordsOf("2+3 = 5"), ["2", "+", "3", "=", "5"]);
  assert.notDeepEqual(wordsOf("2 - 3"), wordsOf("2 + 3"));
  assert.deepEqual(wordsOf("学习 AI学"), ["学", "习", "ai", "学"]);
  assert.deepEqual(wordsOf("ｆｕｌｌ　ｗｉｄｔｈ"), ["full", "width"]);
  assert.deepEqual(wordsOf(" ... !? "), []);
  assert.equal(plainText("  A\n\tb  C! "), "a b c!");
});

test("shingles are the different runs of words; a short text is one shingle, an empty one none", () => {
  assert.equal(shinglesOf("a b c d", { size: 3 }).length, 2);
  assert.equal(shinglesOf("a a a a a", { size: 3 }).length, 1, "the same run counts once");
  assert.equal(shinglesOf("a b", { size: 3 }).length, 1);
  assert.equal(shinglesOf("?", { size: 3 }).length, 0);
  assert.deepEqual(shinglesOf("A, b C", { size: 3 }), shinglesOf("a b c!", { size: 3 }));
  assert.notDeepEqual(
    shinglesOf("a b c", { size: 3 }),
    shinglesOf("c b a", { size: 3 }),
    "the order matters",
  );
  assert.notDeepEqual(shinglesOf("ab c", { size: 2 }), shinglesOf("a bc", { size: 2 }));
  assert.throws(() => shinglesOf("a", { size: 0 }), RangeError);
});

test("tokens of a tokenizer can stand for words", () => {
  const tokenIds = (text: string): number[] => Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
  assert.equal(shinglesOf("abcabc", { size: 3, tokenIds }).length, 3);
});

test("Jaccard of hashed shingles is that of sets of strings", () => {
  const random = new Random(5);
  const runs = (text: string): Set<string> => {
    const words = text.split(" ");
    return new Set(words.slice(0, -1).map((word, at) => `${word} ${words[at + 1] ?? ""}`));
  };
  for (let round = 0; round < 200; round++) {
    const [a, b] = [randomText(30, 6, random), randomText(20, 6, random)];
    const sets = shingleTexts([a, b], { size: 2 });
    const [setA, setB] = [runs(a), runs(b)];
    const shared = [...setA].filter((run) => setB.has(run)).length;
    assert.equal(jaccard(sets.of(0), sets.of(1)), shared / (setA.size + setB.size - shared));
  }
  assert.equal(jaccard(new Float64Array(), new Float64Array()), 0, "texts without words are like nothing");
});
