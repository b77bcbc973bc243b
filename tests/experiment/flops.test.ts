import assert from "node:assert/strict";
import { test } from "node:test";
import { paceOf } from "../../src/experiment/cost/estimate.js";
import {
  adapterWeights,
  forwardFlops,
  multipliedWeights,
  rowLengths,
  trainerBudget,
  trainingFlops,
} from "../../src/experiment/cost/flops.js";
import { costOf } from "../../src/experiment/cost/size.js";
import { type DecoderConfig, headShape } from "../../src/model/config.js";
import { parameterSpecs } from "../../src/model/parameters.js";

const GPT: DecoderConfig = {
  vocabularySize: 10,
  width: 4,
  layers: 2,
  heads: 2,
  feedForwardWidth: 6,
  contextLength: 8,
  positions: { kind: "rotary", base: 10_000 },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: false,
  tiedHead: true,
};

test("the count is that of a hand count, product by product", () => {
  // Each layer: query, key, value, output 4 x 4 each; up 4 x 6, down 6 x 4. Head: 4 x 10.
  assert.equal(multipliedWeights(GPT), 2 * (4 * 16 + 2 * 24) + 40);
  // One row of 3 tokens: 2 x 264 x 3 for the matrices; in each layer and of each of 2 heads of 2 features, 9 pairs of
  // tokens with 2 multiply-adds for the score and 2 for the value: 2 x 2 x 9 x 2 x (2 + 2).
  assert.equal(forwardFlops(GPT, rowLengths([3])), 2 * 264 * 3 + 2 * 2 * 9 * (2 * 2 + 2 * 2));
  assert.equal(trainingFlops(GPT, rowLengths([3])), 3 * forwardFlops(GPT, rowLengths([3])));
  // Two rows are not one row of their length together: they do not see each other.
  assert.ok(forwardFlops(GPT, rowLengths([3, 3])) < forwardFlops(GPT, rowLengths([6])));
});

test("grouped queries and a gate are counted as they are", () => {
  const llama: DecoderConfig = { ...GPT, keyValueHeads: 1, activation: "swiglu", tiedHead: false };
  assert.equal(headShape(llama).headWidth, 2);
  assert.equal(multipliedWeights(llama), 2 * (4 * (2 + 2) * 2 + 16 + 3 * 24) + 40);
});

test("an untied head's matrices are the parameters without embedding and norms", () => {
  const untied = { ...GPT, tiedHead: false };
  const matrices = parameterSpecs(untied)
    .filter(({ name, shape }) => shape.length === 2 && name !== "embedding.token")
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  assert.equal(multipliedWeights(untied), matrices);
});

test("a budget of operations becomes tokens of these rows, and the cost comes out as the budget", () => {
  const lengths = rowLengths([3, 5]);
  const perToken = trainingFlops(GPT, lengths) / 8;
  assert.deepEqual(trainerBudget({ unit: "flops", amount: 100.5 * perToken }, GPT, lengths), {
    unit: "total-tokens",
    amount: 100,
  });
  const size = {
    decoder: GPT,
    rowsPerStep: 2,
    sample: { rows: 2, supervisedTokens: 4, lengths },
    asked: { prompts: 1, lengths: rowLengths([6]) },
  };
  const cost = costOf({ ...size, budget: { unit: "flops", amount: 800 * perToken } });
  assert.ok(Math.abs(cost.trainingFlops - 800 * perToken) < 1e-6 * cost.trainingFlops);
  assert.deepEqual([cost.totalTokens, cost.supervisedTokens, cost.steps], [800, 400, 100]);
  assert.equal(costOf({ ...size, budget: { unit: "steps", amount: 100 } }).totalTokens, 800);
  assert.equal(costOf({ ...size, budget: { unit: "supervised-tokens", amount: 400 } }).steps, 100);
});

test("an adapter's training lacks the gradients of the weights that stay, and has its own", () => {
  const lora = { rank: 2, targets: ["attention.query", "feedForward.down"] };
  // In each of 2 layers: query 4 -> 4 and down 6 -> 4, each with two matrices of rank 2.
  assert.equal(adapterWeights(GPT, lora), 2 * (2 * (4 + 4) + 2 * (6 + 4)));
  // One row of 3 tokens. 264 weights: forward and gradient of the input; 72 of the adapter and all pairs: three products.
  const pairs = forwardFlops(GPT, rowLengths([3])) - 2 * 264 * 3;
  assert.equal(trainingFlops(GPT, rowLengths([3]), lora), 2 * 2 * 264 * 3 + 3 * 2 * 72 * 3 + 3 * pairs);
  // The control: full training takes more, here and in what a budget of operations buys.
  assert.ok(trainingFlops(GPT, rowLengths([3]), lora) < trainingFlops(GPT, rowLengths([3])));
  const budget = { unit: "flops", amount: 1e6 } as const;
  const tokens = (...own: [] | [typeof lora]): number =>
    trainerBudget(budget, GPT, rowLengths([3]), ...own).amount;
  assert.ok(tokens(lora) > tokens());
  const size = {
    decoder: GPT,
    budget: { unit: "steps", amount: 1 } as const,
    rowsPerStep: 1,
    sample: { rows: 1, supervisedTokens: 1, lengths: rowLengths([3]) },
    asked: { prompts: 1, lengths: rowLengths([3]) },
  };
  const adapted = costOf({ ...size, lora: { ...lora, alpha: 2, dropout: 0, seed: 1 } });
  assert.equal(adapted.trainingFlops, trainingFlops(GPT, rowLengths([3]), lora));
  assert.equal(costOf(size).trainingFlops, trainingFlops(GPT, rowLengths([3])));
});

test("the pace is the median of the runs that were done", () => {
  assert.equal(paceOf([]), undefined);
  const run = (trainingSeconds: number): Parameters<typeof paceOf>[0][number] => ({
    flops: 100,
    trainingSeconds,
    seconds: trainingSeconds + 2,
  });
  const pace = paceOf([run(1), run(10), run(2)]);
  assert.deepEqual([pace?.flopsPerSecond, pace?.otherSeconds], [50, 2]);
});
