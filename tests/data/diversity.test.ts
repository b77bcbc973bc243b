import assert from "node:assert/strict";
import { test } from "node:test";
import { instructionDiversity } from "../../src/data/diversity/index.js";
import { nearestNeighbours } from "../../src/data/diversity/nearest.js";
import { selfBleu } from "../../src/data/diversity/ngrams.js";
import { numberWords } from "../../src/data/diversity/word-numbers.js";
import { longestCommonSubsequence } from "../../src/support/subsequence.js";
import { Random } from "../../src/support/random.js";

const VERBS = ["Write", "Summarize", "Translate"];
const OBJECTS = ["story", "article", "sentence", "poem"];
const INSTRUCTIONS = VERBS.flatMap((verb) => OBJECTS.map((object) => `${verb} the ${object}.`));

test("verbs, pairs and repeated instructions are counted", () => {
  const found = instructionDiversity([...INSTRUCTIONS, ...INSTRUCTIONS, "What is it?"], { topObjects: 2 });
  assert.deepEqual(
    [found.instructions, found.withVerb, found.withObject, found.verbs, found.verbObjects, found.sampled],
    [13, 12, 12, 3, 12, 13],
  );
  assert.deepEqual(found.topVerbs[0], {
    verb: "summarize",
    count: 4,
    objects: [
      { object: "article", count: 1 },
      { object: "poem", count: 1 },
    ],
  });
});

test("one instruction and none at all have no neighbours", () => {
  for (const [instructions, count] of [
    [["Write a story."], 1],
    [[], 0],
  ] as const) {
    const found = instructionDiversity(instructions);
    assert.deepEqual([found.instructions, found.selfBleu, found.nearestRougeL], [count, null, null]);
  }
});

test("a sample is drawn by its seed, and only from so many instructions", () => {
  const sample = (seed: number): number =>
    instructionDiversity(INSTRUCTIONS, { sampleSize: 5, seed }).distinct[0];
  assert.equal(sample(1), sample(1));
  assert.ok(new Set([1, 2, 3, 4, 5].map(sample)).size > 1, "other seeds draw other samples");
  assert.equal(instructionDiversity(INSTRUCTIONS, { sampleSize: 5 }).sampled, 5);
});

test("the index finds the same nearest neighbours as all pairs do", () => {
  const random = new Random(3);
  const words = Array.from({ length: 30 }, (_, index) => `w${index}`);
  const texts = numberWords(
    Array.from({ length: 80 }, () =>
      Array.from({ length: 2 + random.integer(12) }, () => random.choice(words)).join(" "),
    ),
  );
  const all = texts.map((_, index) => index);
  const found = nearestNeighbours(texts, all);
  for (const own of all) {
    const a = texts[own] ?? new Int32Array();
    const scores = texts.map((b, other) =>
      other === own ? 0 : (2 * longestCommonSubsequence(a, b)) / (a.length + b.length),
    );
    assert.equal(found[own]?.score, Math.max(...scores));
  }
});

test("copies have self-BLEU 1, texts without a common word 0", () => {
  assert.ok(Math.abs((selfBleu(numberWords(["a b c d e", "a b c d e"])) ?? 0) - 1) < 1e-12);
  assert.equal(selfBleu(numberWords(["a b c d", "e f g h"])), 0);
  assert.equal(selfBleu(numberWords(["a b"])), undefined);
});
