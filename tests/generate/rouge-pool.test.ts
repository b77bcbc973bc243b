import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { rougeL } from "../../src/evaluate/metrics/rouge.js";
import { RougePool } from "../../src/generate/pipeline/rouge-pool.js";
import { Random } from "../../src/support/random.js";

/** Texts with few words, so that many share some; a third are changed copies of others. */
function randomTexts(count: number, random: Random): string[] {
  const texts: string[] = [];
  const word = (): string => `w${Math.floor(30 * random.next() ** 2)}`;
  for (let index = 0; index < count; index++) {
    const words =
      index > 0 && random.next() < 0.35
        ? random.choice(texts).split(" ")
        : Array.from({ length: 1 + random.integer(random.next() < 0.1 ? 80 : 14) }, word);
    const edits = random.integer(4);
    for (let edit = 0; edit < edits; edit++) words[random.integer(words.length)] = word();
    texts.push(words.join(" "));
  }
  return texts;
}

/** Whether any text of the pool is above the limit, by comparing all. */
function allPairs(pool: readonly string[], text: string, limit: number): boolean {
  return pool.some((other) => rougeL(text, [other], { stem: false }) > limit);
}

test("the index decides as comparing all pairs, at any limit, while the pool grows", () => {
  const random = Random.derive(1, "rouge pool");
  for (const limit of [0, 0.3, 0.5, 0.7, 0.9, 0.99]) {
    const pool: string[] = [];
    const index = new RougePool();
    let above = 0;
    for (const text of randomTexts(250, random)) {
      const found = index.findAbove(text, limit);
      assert.equal(found !== undefined, allPairs(pool, text, limit), `${limit}: ${text}`);
      if (found !== undefined) {
        above++;
        assert.equal(found.score, rougeL(text, [pool[found.index] ?? ""], { stem: false }));
      }
      pool.push(text);
      index.add(text);
    }
    assert.ok(above > 20 && above < 250, `both decisions occur at ${limit}: ${above}`);
  }
});

test("control: an index without its longest texts does not decide alike", () => {
  const random = Random.derive(2, "rouge pool");
  const texts = randomTexts(200, random);
  const index = new RougePool(texts.filter((text) => text.split(" ").length < 10));
  const wrong = randomTexts(200, random)
    .concat(texts.slice(0, 40).map((text) => `${text} w1`))
    .filter((text) => (index.findAbove(text, 0.7) !== undefined) !== allPairs(texts, text, 0.7));
  assert.ok(wrong.length > 0);
});

test("as rouge_score in Self-Instruct: decisions, the highest score, and the limit itself", () => {
  const { pool, cases } = JSON.parse(
    readFileSync(new URL("../parity/golden/rouge-filter.json", import.meta.url), "utf8"),
  ) as { pool: string[]; cases: { candidate: string; best: number; rejected: boolean }[] };
  const index = new RougePool(pool);
  for (const { candidate, best, rejected } of cases) {
    assert.equal(index.findAbove(candidate, 0.7) !== undefined, rejected, candidate);
    assert.ok(Math.abs((index.nearest(candidate)?.score ?? 0) - best) < 1e-12, candidate);
  }
  const atLimit = cases.filter(({ best }) => Math.abs(best - 0.7) < 1e-6);
  assert.ok(atLimit.length > 0 && cases.filter(({ rejected }) => rejected).length > 50);
});

test("long texts: more than one lane of bits", () => {
  const words = Array.from({ length: 150 }, (_, index) => `v${index % 41}`);
  const index = new RougePool([words.join(" ")]);
  const changed = words.map((word, at) => (at % 5 === 0 ? "other" : word)).join(" ");
  const expected = rougeL(changed, [words.join(" ")], { stem: false });
  assert.equal(index.nearest(changed)?.score, expected);
});
