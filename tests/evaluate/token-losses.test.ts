import assert from "node:assert/strict";
import { test } from "node:test";
import { ARTICLE_ROWS } from "../../src/data/mini/tasks/article.js";
import { MINI_IFT } from "../../src/data/mini/template.js";
import { renderExamples } from "../../src/data/render-all.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { referenceProbabilities } from "../../src/evaluate/reference-probability.js";
import { partLosses, tokenLosses } from "../../src/evaluate/token-losses.js";
import { ARTICLE_POLICY, ARTICLE_SETTINGS, articleTraining } from "../../src/experiment/article/tune.js";
import { train } from "../../src/train/train.js";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-4 * Math.max(1, Math.abs(expected)), `${actual}, ${expected}`);

test("the losses of a row's response are its answer's probability, and those of a step what the trainer says", async () => {
  const model = await loadBase("decoder");
  const { spans } = renderExamples(ARTICLE_ROWS, MINI_IFT, model.tokenizer, ARTICLE_POLICY);
  const losses = await tokenLosses(model.decoder, spans);
  losses.forEach((row, index) => {
    assert.equal(row.length, spans[index]?.ids.length);
    assert.ok(Number.isNaN(row[0]));
  });
  const supervised = losses.map((row, index) => row.filter((_, at) => spans[index]?.supervised[at] === true));
  const probabilities = await referenceProbabilities(model, ARTICLE_ROWS, MINI_IFT, ARTICLE_POLICY);
  supervised.forEach((row, index) => near(sum(row), -Math.log(probabilities[index] ?? 0)));

  const parts = await partLosses(model.decoder, spans);
  const expected = sum(supervised.flat()) / supervised.flat().length;
  near(parts.response, expected);
  const all = losses.flatMap((row) => row.slice(1));
  const responses = supervised.flat().length;
  near(parts.prompt, (sum(all) - sum(supervised.flat())) / (all.length - responses));

  const settings = { ...ARTICLE_SETTINGS, steps: 1, rowsPerStep: spans.length };
  const { progress } = await train(model.decoder, spans, articleTraining(settings));
  near(progress.loss, expected);
  // The control: the mean of the rows' means is another number.
  const meanOfMeans = sum(supervised.map((row) => sum(row) / row.length)) / supervised.length;
  assert.ok(Math.abs(meanOfMeans - expected) > 0.01);
  model.decoder.dispose();
});
