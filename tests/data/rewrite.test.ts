import assert from "node:assert/strict";
import { test } from "node:test";
import { numberTasks, withShuffledInstructions, withTaskTags } from "../../src/data/rewrite/arms.js";
import { applyRule, drawInput, drawRules, type RewriteLanguage } from "../../src/data/rewrite/rule.js";
import { drawRewriteSuite, type RewriteSuiteSize } from "../../src/data/rewrite/suite.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";

const language: RewriteLanguage = {
  alphabet: "abcdef",
  leftLength: { min: 1, max: 3 },
  rightLength: { min: 2, max: 3 },
  inputLength: { min: 3, max: 6 },
};
const size: RewriteSuiteSize = { trainingRules: 60, trainingRows: 600, heldOutRules: 20, testRows: 100 };

test("a rule rewrites the first occurrence of its left side", () => {
  assert.equal(applyRule({ left: "ab", right: "xyz" }, "cabd"), "cxyzd");
  assert.equal(applyRule({ left: "a", right: "bb" }, "aca"), "bbca");
  assert.equal(applyRule({ left: "q", right: "bb" }, "aca"), "aca");
});

test("inputs hold the left side exactly once, so that there is one answer", () => {
  const random = new Random(1);
  for (const rule of drawRules(language, 200, random)) {
    const input = drawInput(language, rule, random);
    let found = 0;
    for (let at = 0; at <= input.length - rule.left.length; at++)
      if (input.startsWith(rule.left, at)) found++;
    assert.equal(found, 1, `${rule.left} in ${input}`);
    assert.ok(input.length >= language.inputLength.min && input.length <= language.inputLength.max);
  }
});

test("held-out rules are in no training row, and every test row has its rule's answer", () => {
  const suite = drawRewriteSuite(language, size, 3);
  const trained = new Set(suite.train.map(({ task }) => task));
  assert.equal(trained.size, size.trainingRules);
  assert.equal(new Set(suite.heldOutTest.map(({ task }) => task)).size, size.heldOutRules);
  for (const { task } of suite.heldOutTest) assert.ok(!trained.has(task), task);
  for (const { task } of suite.seenTest) assert.ok(trained.has(task), task);
  const rows = new Set(suite.train.map(({ task, input }) => `${task}|${input}`));
  const repeated = suite.seenTest.filter(({ task, input }) => rows.has(`${task}|${input}`)).length;
  assert.ok(repeated <= 2, `${repeated} seen test rows are training rows`);
  for (const { instruction = "", input, outputs } of [...suite.train, ...suite.heldOutTest]) {
    const [left = "", right = ""] = instruction.split(">");
    assert.equal(outputs[0], input.replace(left, right));
  }
});

test("a smaller number of training rules is the beginning of a larger one, with the same held-out rows", () => {
  const large = drawRewriteSuite(language, size, 3);
  const small = drawRewriteSuite(language, { ...size, trainingRules: 10 }, 3);
  const rulesOf = (rows: typeof large.train): string[] => [...new Set(rows.map(({ task }) => task))];
  assert.deepEqual(rulesOf(small.train), rulesOf(large.train).slice(0, 10));
  assert.deepEqual(small.heldOutTest, large.heldOutTest);
  assert.equal(small.train.length, large.train.length);
  // Negative control: another seed has other rules.
  assert.notDeepEqual(drawRewriteSuite(language, size, 4).heldOutTest, large.heldOutTest);
});

test("the same seed gives the same rows", () => {
  assert.deepEqual(drawRewriteSuite(language, size, 5), drawRewriteSuite(language, size, 5));
});

test("shuffled instructions are the same texts, with other rows", () => {
  const { train } = drawRewriteSuite(language, size, 3);
  const shuffled = withShuffledInstructions(train, 3);
  const texts = (rows: typeof train): string[] => rows.map(({ instruction = "" }) => instruction).sort();
  assert.deepEqual(texts(shuffled), texts(train));
  const kept = shuffled.filter((row, index) => row.instruction === train[index]?.instruction).length;
  assert.ok(kept < train.length * 0.06, `${kept} of ${train.length} rows kept their own instruction`);
  assert.deepEqual(
    shuffled.map(({ input, outputs }) => [input, outputs]),
    train.map(({ input, outputs }) => [input, outputs]),
  );
});

test("a task tag is one symbol of its own for each task, held-out tasks included", () => {
  const suite = drawRewriteSuite(language, size, 3);
  const numbers = numberTasks([...suite.train, ...suite.heldOutTest]);
  const train = withTaskTags(suite.train, numbers);
  const heldOut = withTaskTags(suite.heldOutTest, numbers);
  const tagOf = new Map([...train, ...heldOut].map(({ task, instruction = "" }) => [task, instruction]));
  assert.equal(new Set(tagOf.values()).size, size.trainingRules + size.heldOutRules);
  for (const tag of tagOf.values()) assert.match(tag, /^\p{Co}$/u);
  const trainTags = new Set(train.map(({ instruction }) => instruction));
  assert.ok(heldOut.every(({ instruction }) => !trainTags.has(instruction)));
});

test("a language that cannot give that many rules, or that makes no sense, is an error", () => {
  const poor = {
    ...language,
    alphabet: "ab",
    leftLength: { min: 1, max: 1 },
    rightLength: { min: 2, max: 2 },
  };
  assert.throws(() => drawRules(poor, 100, new Random(1)), KitError);
  assert.throws(() => drawRewriteSuite({ ...language, alphabet: "aab" }, size, 1), /each once/);
  assert.throws(
    () => drawRewriteSuite({ ...language, inputLength: { min: 2, max: 6 } }, size, 1),
    /cannot hold/,
  );
});
