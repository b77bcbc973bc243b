import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { floors } from "../../src/evaluate/floors.js";
import { exactMatch, normalizeAnswer } from "../../src/evaluate/metrics/exact-match.js";

test("a strict match is to the character, a normalized one as Super-NaturalInstructions has it", () => {
  assert.equal(exactMatch("Yes.", ["yes"], "strict"), 0);
  assert.equal(exactMatch("Yes.", ["no", "yes"], "normalized"), 1);
  assert.equal(exactMatch("yes", ["no"], "normalized"), 0);
  assert.equal(exactMatch("", [""], "strict"), 1);
  assert.equal(exactMatch("?!", [""], "normalized"), 1);
  assert.equal(exactMatch("the cat", ["cat"], "normalized"), 0, "articles stay, unlike in SQuAD");
  assert.equal(exactMatch("x", [], "normalized"), 0);
});

test("normalization takes Python's lower case, punctuation and white space", () => {
  assert.equal(normalizeAnswer("  It's \t a\u00a0TEST\u2003 — really!\n"), "its a test — really");
  assert.equal(normalizeAnswer("a\u001fb\u0085c"), "a b c");
  assert.equal(normalizeAnswer("\ufeffa"), "\ufeffa", "Python does not split at a byte order mark");
  assert.equal(normalizeAnswer("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), "");
});

function row(
  id: string,
  task: string,
  taskType: string,
  input: string,
  output: string,
  demonstrations: string[] = [],
): Example {
  return {
    id,
    task,
    taskType,
    input,
    outputs: [output],
    positive: demonstrations.map((text) => ({ input: "x", output: text })),
    source: task,
  };
}

const HELD_OUT = [
  row("1", "sentiment", "Classification", "good film", "Yes", ["yes", "no"]),
  row("2", "sentiment", "Classification", "bad film", "No", ["yes", "no"]),
  row("3", "sentiment", "Classification", "fine film", "yes.", ["yes", "no"]),
  row("4", "topic", "Classification", "sport", "sport", ["news"]),
  row("5", "echo", "Writing", "a b c d", "a b"),
];

test("floors of hand-worked rows", () => {
  const [classification, writing] = floors([], HELD_OUT, { match: "normalized", stem: true });
  assert.equal(classification?.taskType, "Classification");
  // "Yes" and "yes." count together, so the best constant answer is right on 2 of 3, and on the only row of the other task.
  assert.equal(classification.majorityLabel.exactMatch, 0.75);
  assert.equal(classification.majorityFrom, "held-out");
  assert.equal(classification.copyInput.exactMatch, 0.25);
  // A random one of two demonstrations is right half of the time on each of three rows, never on the fourth.
  assert.equal(classification.copyDemonstration?.exactMatch, 0.375);
  assert.equal(classification.copyDemonstration.rows, 4);
  assert.equal(writing?.taskType, "Writing");
  assert.ok(Math.abs(writing.copyInput.rougeL - (2 * 0.5 * 1) / 1.5) < 1e-12);
  assert.equal(writing.copyDemonstration, undefined);
});

test("strict matching counts spellings apart", () => {
  const [classification] = floors([], HELD_OUT, { match: "strict", stem: true });
  assert.equal(classification?.majorityLabel.exactMatch, 0.5);
});

test("the majority label of a task that was trained on is that of its training rows", () => {
  const train = [row("t", "sentiment", "Classification", "poor film", "No")];
  const [classification] = floors(train, HELD_OUT, { match: "normalized", stem: true });
  assert.equal(classification?.majorityLabel.exactMatch, 0.5);
  assert.equal(classification.majorityFrom, "both");
});
