import assert from "node:assert/strict";
import { test } from "node:test";
import { ARTICLE_ROWS } from "../../src/data/mini/tasks/article.js";
import { MINI_IFT } from "../../src/data/mini/template.js";
import { renderSpans } from "../../src/data/render.js";
import { renderExamples } from "../../src/data/render-all.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { referenceProbabilities } from "../../src/evaluate/reference-probability.js";
import { ARTICLE_TASK_TYPES, drawArticleTasks, nearnessOf } from "../../src/experiment/article/rows.js";
import {
  answerArticle,
  ARTICLE_POLICY,
  ARTICLE_SETTINGS,
  articleTraining,
  tuneOnArticleTasks,
  tuneOnRows,
} from "../../src/experiment/article/tune.js";
import { scoreAnswers, taskScores } from "../../src/experiment/article/score.js";
import { train } from "../../src/train/train.js";

test("the article's rows are in no split, and rows like them are in training", () => {
  const splits = drawArticleTasks({ train: 60, validation: 10, test: 10 }, 1);
  const inputs = new Set(ARTICLE_ROWS.map(({ input }) => input));
  for (const rows of Object.values(splits)) {
    assert.ok(!rows.some(({ input }) => inputs.has(input)));
    assert.deepEqual(new Set(rows.map(({ taskType }) => taskType)), new Set(ARTICLE_TASK_TYPES));
  }
  const near = nearnessOf(splits.train);
  assert.deepEqual(
    near.map(({ sameInput }) => sameInput),
    [0, 0, 0],
  );
  // The control: a training set that holds the row itself is found out.
  const [row] = ARTICLE_ROWS;
  assert.ok(row !== undefined);
  assert.equal(nearnessOf([...splits.train, row])[0]?.sameInput, 1);
  assert.ok(nearnessOf(splits.train)[0]?.nearest.every((input) => input !== row.input));
});

test("every row fits into the policy of the tuning", async () => {
  const { decoder, tokenizer } = await loadBase("decoder");
  decoder.dispose();
  const { train: rows } = drawArticleTasks({ train: 60, validation: 1, test: 1 }, 2);
  for (const row of [...rows, ...ARTICLE_ROWS]) {
    assert.equal(renderSpans(row, MINI_IFT, tokenizer, ARTICLE_POLICY).kind, "rendered");
  }
});

test("before tuning the base answers none of the article's examples; some steps on one of them make it certain of that one", async () => {
  const model = await loadBase("decoder");
  const before = await answerArticle(model);
  assert.ok(before.every(({ right, probability }) => !right && probability < 0.01));
  const [, , question] = ARTICLE_ROWS;
  assert.ok(question !== undefined);
  const { spans } = renderExamples([question], MINI_IFT, model.tokenizer, ARTICLE_POLICY);
  await train(model.decoder, spans, articleTraining({ ...ARTICLE_SETTINGS, steps: 12, rowsPerStep: 1 }));
  const after = await answerArticle(model);
  assert.deepEqual(
    after.map(({ right }) => right),
    [false, false, true],
  );
  const [probability] = await referenceProbabilities(model, [question], MINI_IFT, ARTICLE_POLICY);
  assert.equal(probability, after[2]?.probability);
  assert.ok((probability ?? 0) > 0.9, `${probability ?? 0}`);
  model.decoder.dispose();
});

test("a short tuning lowers the loss", async () => {
  const model = await loadBase("decoder");
  const { rows, result } = await tuneOnArticleTasks(model, {
    ...ARTICLE_SETTINGS,
    rowsPerTask: 16,
    steps: 20,
    rowsPerStep: 8,
  });
  assert.equal(rows.length, 16 * new Set(rows.map(({ task }) => task)).size);
  const losses = result.history.map(({ loss }) => loss);
  assert.ok((losses.at(-1) ?? 9) < 0.7 * (losses[0] ?? 0), `${losses[0] ?? 0} to ${losses.at(-1) ?? 9}`);
  model.decoder.dispose();
});

test("answers are scored against all references, a task being the unit; loss on all supervises the prompt too", async () => {
  const model = await loadBase("decoder");
  const [film, , question] = ARTICLE_ROWS;
  assert.ok(film !== undefined && question !== undefined);
  const settings = { ...ARTICLE_SETTINGS, steps: 20, rowsPerStep: 1, template: MINI_IFT };
  const result = await tuneOnRows(model, [question], settings);
  const rows = [film, { ...question, outputs: ["somebody else", ...question.outputs] }];
  const answers = await scoreAnswers(model, rows, MINI_IFT);
  assert.deepEqual(
    answers.map(({ output, score }) => [output === "Jane Austen", score]),
    [
      [answers[0]?.output === "Jane Austen", 0],
      [true, 1],
    ],
  );
  assert.deepEqual(taskScores(answers, 7).at(-1), {
    seed: 7,
    taskType: question.task,
    id: question.id,
    score: 1,
  });
  const onAll = await tuneOnRows(model, [question], { ...settings, steps: 1, lossOn: "all" });
  const perRow = result.progress.supervisedTokens / result.progress.rows;
  assert.equal(onAll.progress.supervisedTokens, onAll.progress.totalTokens - 1);
  assert.ok(perRow < onAll.progress.supervisedTokens);
  const tooLong = { ...question, input: "who ".repeat(200) };
  await assert.rejects(scoreAnswers(model, [tooLong], MINI_IFT), /leaves no room/);
  model.decoder.dispose();
});
