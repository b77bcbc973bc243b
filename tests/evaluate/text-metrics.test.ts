import assert from "node:assert/strict";
import { test } from "node:test";
import { corpusBleu, sentenceBleu } from "../../src/evaluate/metrics/bleu.js";
import { brierScore, calibration } from "../../src/evaluate/metrics/calibration.js";
import { classificationScores, labelSpaceValidity } from "../../src/evaluate/metrics/classification.js";
import { isLower, isUpper, splitWords, strip } from "../../src/evaluate/metrics/python-text.js";
import { squadScores, squadWords } from "../../src/evaluate/metrics/squad.js";
import { KitError } from "../../src/support/errors.js";

test("SQuAD's words have no articles, punctuation or case", () => {
  assert.deepEqual(squadWords("The U.S.A., an example!"), ["usa", "example"]);
  assert.deepEqual(squadScores("the cat", ["a dog", "Cat"]), { exactMatch: 1, f1: 1 });
  assert.deepEqual(squadScores("the", [""]), { exactMatch: 1, f1: 1 }, "no word on either side");
  assert.deepEqual(squadScores("", ["cat"]), { exactMatch: 0, f1: 0 });
  assert.equal(squadScores("black cat", ["cat sat"]).f1, 0.5);
});

test("corpus BLEU is not a mean of sentence scores", () => {
  const pairs = [
    { prediction: "the cat sat on the mat", references: ["the cat sat on the mat"] },
    { prediction: "dogs", references: ["a dog ran away from us over the hills and far away"] },
  ];
  const mean =
    pairs.reduce((sum, { prediction, references }) => sum + sentenceBleu(prediction, references).score, 0) /
    2;
  assert.ok(Math.abs(corpusBleu(pairs).score - mean) > 5);
});

test("a classifier that says one label has no correlation, and one that swaps two labels has -1", () => {
  const wanted = ["yes", "no", "yes", "no"];
  assert.equal(classificationScores({ wanted, predicted: wanted }).matthews, 1);
  assert.equal(classificationScores({ wanted, predicted: ["yes", "yes", "yes", "yes"] }).matthews, 0);
  assert.equal(classificationScores({ wanted, predicted: ["no", "yes", "no", "yes"] }).matthews, -1);
});

test("validity counts answers that are a label, right or not", () => {
  const labels = ["yes", "no"];
  const rows = ["yes", "no", "maybe", "Yes"].map((answer) => ({ answer, labels }));
  assert.equal(labelSpaceValidity(rows), 0.5);
  assert.equal(
    labelSpaceValidity(rows, (answer, label) => answer.toLowerCase() === label),
    0.75,
  );
});

test("calibration of hand-worked answers", () => {
  const answers = [0.95, 0.95, 0.55, 0.55].map((probability, index) => ({ probability, right: index < 3 }));
  const { expectedError, largestError, bins } = calibration(answers, 10);
  // Two answers at 0.95, both right; two at 0.55, one right.
  assert.ok(Math.abs(expectedError - 0.05) < 1e-12);
  assert.ok(Math.abs(largestError - 0.05) < 1e-12);
  assert.deepEqual(
    bins.map(({ rows }) => rows),
    [0, 0, 0, 0, 0, 2, 0, 0, 0, 2],
  );
  assert.equal(calibration([{ probability: 0, right: false }], 10).bins[0]?.rows, 1, "0 is in the first bin");
  assert.equal(brierScore([{ probabilities: [1, 0], right: 1 }]), 2);
});

test("what has no score is an error that names the row", () => {
  const refuses = (run: () => unknown, message: RegExp): void => {
    assert.throws(run, (error) => error instanceof KitError && message.test(error.message));
  };
  refuses(() => corpusBleu([]), /BLEU of no texts/);
  refuses(() => sentenceBleu("a", []), /without a reference/);
  refuses(() => classificationScores({ wanted: ["a"], predicted: [] }), /0 predicted labels for 1 rows/);
  refuses(() => calibration([{ probability: 1.5, right: true }], 10), /row 1: a probability of 1.5/);
  refuses(() => brierScore([{ probabilities: [0.5, 0.4], right: 0 }]), /row 1: .*add up to 0.9/);
});

test("white space and case are Python's", () => {
  assert.deepEqual(splitWords(" a\u001fb\u00a0c\ufeffd "), ["a", "b", "c\ufeffd"]);
  assert.equal(strip("\n\u2003 a b \t"), "a b");
  assert.ok(isUpper("A 1!") && !isUpper("1!") && !isUpper("Ab") && !isUpper("ǅ"));
  assert.ok(isLower("a 1!") && !isLower("1!") && !isLower("aB"));
});
