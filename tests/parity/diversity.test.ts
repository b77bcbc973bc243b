import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nearestNeighbours } from "../../src/data/diversity/nearest.js";
import { distinctNgrams, selfBleu } from "../../src/data/diversity/ngrams.js";
import { numberWords } from "../../src/data/diversity/word-numbers.js";

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden", "diversity.json"), "utf8")) as {
  readonly texts: readonly string[];
  readonly selfBleu: number;
  readonly nearestRougeL: readonly number[];
  readonly distinct: readonly number[];
};
const texts = numberWords(golden.texts);

function assertClose(value: number | undefined, wanted: number | undefined): void {
  assert.ok(Math.abs((value ?? NaN) - (wanted ?? NaN)) < 1e-12, `${value} is not ${wanted}`);
}

test("self-BLEU equals NLTK's, one copy more does not", () => {
  assertClose(selfBleu(texts), golden.selfBleu);
  const [first = new Int32Array()] = texts;
  assert.ok((selfBleu([...texts, first]) ?? 0) > golden.selfBleu + 0.01);
});

test("the most similar other text has rouge_score's ROUGE-L", () => {
  const found = nearestNeighbours(
    texts,
    texts.map((_, index) => index),
  );
  found.forEach(({ score }, index) => assertClose(score, golden.nearestRougeL[index]));
  assert.deepEqual(
    [found[0]?.index, found[4]?.index, found[13]?.index],
    [1, 3, undefined],
    "the neighbour itself, and none for a text that shares no word",
  );
});

test("distinct-1 to distinct-4 equal those of the script", () => {
  distinctNgrams(texts).forEach((share, index) => assertClose(share, golden.distinct[index]));
});
