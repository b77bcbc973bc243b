import assert from "node:assert/strict";
import { test } from "node:test";
import { dedupe } from "../../src/similarity/dedupe.js";
import { findDuplicates } from "../../src/similarity/duplicates.js";
import { jaccard, shinglesOf } from "../../src/similarity/shingles.js";
import { UnionFind } from "../../src/similarity/union-find.js";
import { Random } from "../../src/support/random.js";
import { exampleWith } from "../data/fixtures.js";
import { randomText, withNewWords } from "./fixtures.js";

test("union-find: sets are named by their first row", () => {
  const sets = new UnionFind(6);
  assert.equal(sets.union(4, 2), true);
  assert.equal(sets.union(5, 4), true);
  assert.equal(sets.union(2, 5), false);
  assert.equal(sets.find(5), 2);
  assert.deepEqual(sets.sets(), [[2, 4, 5]]);
});

test("exact duplicates are found first, whatever their case and white space", () => {
  const { pairs, clusters } = findDuplicates(["A b", "c", "a  B ", "?", "!", "c"], { threshold: 0.9 });
  assert.deepEqual(pairs, [
    { a: 0, b: 2, kind: "exact", similarity: 1 },
    { a: 1, b: 5, kind: "exact", similarity: 1 },
  ]);
  assert.deepEqual(clusters, [
    [0, 2],
    [1, 5],
  ]);
});

test("every pair that is found is one, and hardly any is missed", () => {
  const random = new Random(21);
  const texts = Array.from({ length: 300 }, () => randomText(40, 5000, random));
  for (let row = 0; row < 200; row++) texts.push(withNewWords(texts[row] ?? "", row % 5, random));
  const threshold = 0.7;
  const sets = texts.map((text) => shinglesOf(text, { size: 3 }));
  const expected = new Map<string, number>();
  for (let a = 0; a < texts.length; a++) {
    for (let b = a + 1; b < texts.length; b++) {
      const similarity = jaccard(sets[a] ?? new Float64Array(), sets[b] ?? new Float64Array());
      if (similarity >= threshold) expected.set(`${a} ${b}`, similarity);
    }
  }
  const { pairs, clusters } = findDuplicates(texts, { threshold });
  for (const { a, b, similarity } of pairs) assert.equal(similarity, expected.get(`${a} ${b}`), `${a} ${b}`);
  assert.ok(
    expected.size > 100 && pairs.length > 0.95 * expected.size,
    `${pairs.length} of ${expected.size}`,
  );
  // Only the links: the same clusters.
  assert.deepEqual(findDuplicates(texts, { threshold, linksOnly: true }).clusters, clusters);
  // Negative control: bands that suit another threshold miss many.
  const poor = findDuplicates(texts, { threshold, banding: { bands: 1, slots: 128 } });
  assert.ok(poor.pairs.length < 0.7 * expected.size, `${poor.pairs.length}`);
});

test("only wanted pairs are kept and joined", () => {
  const texts = ["one two three four", "one two three four!", "five six seven", "Five six seven."];
  const { pairs, clusters } = findDuplicates(texts, { threshold: 0.8, wantsPair: (a) => a >= 2 });
  assert.deepEqual(pairs, [{ a: 2, b: 3, kind: "near", similarity: 1 }]);
  assert.deepEqual(clusters, [[2, 3]]);
});

test("dedupe keeps the first of those that are alike and books the rest", () => {
  const long = "a review of a film that was long and good and that I would see again with all of my friends";
  const rows = [
    exampleWith({ id: "1", task: "b", input: long }),
    exampleWith({ id: "2", task: "a", input: "another text of its own" }),
    exampleWith({ id: "3", task: "a", input: long.toUpperCase() }),
    exampleWith({ id: "4", task: "b", input: `${long} today` }),
    exampleWith({ id: "5", task: "b", input: "", instruction: "Another text of its own" }),
  ];
  const { examples, ledger } = dedupe(rows, { threshold: 0.8, on: "input" });
  assert.deepEqual(
    examples.map(({ id }) => id),
    ["1", "2"],
  );
  assert.deepEqual(ledger.dropped, [
    { id: "3", task: "a", keptId: "1", kind: "exact", similarity: 1 },
    { id: "4", task: "b", keptId: "1", kind: "near", similarity: 19 / 20 },
    { id: "5", task: "b", keptId: "2", kind: "exact", similarity: 1 },
  ]);
  assert.deepEqual(ledger.lines, [
    { task: "a", rowsIn: 2, kept: 1, exact: 1, near: 0 },
    { task: "b", rowsIn: 3, kept: 1, exact: 1, near: 1 },
  ]);
  assert.deepEqual(ledger.total, { task: "(all)", rowsIn: 5, kept: 2, exact: 2, near: 1 });
  // On the whole prompt the last row, which has another input field, is the same; on a part of one's own it is not.
  assert.equal(dedupe(rows, { threshold: 0.8, on: ({ id }) => id }).examples.length, 5);
  assert.throws(() => dedupe(rows, { threshold: 0, on: "row" }), /field "threshold"/);
});

test("each link of a chain names a row that is dropped", () => {
  const random = new Random(8);
  const chain = [randomText(60, 9000, random)];
  while (chain.length < 12) chain.push(withNewWords(chain.at(-1) ?? "", 1, random));
  const rows = random.shuffled(chain).map((input, index) => exampleWith({ id: `${index}`, input }));
  const { examples, ledger } = dedupe(rows, { threshold: 0.85, on: "input" });
  assert.equal(examples.length + ledger.dropped.length, 12);
  assert.equal(examples.length, 1);
  for (const { similarity } of ledger.dropped) assert.ok(similarity >= 0.85);
});
