import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { NativeAdamState } from "../../src/train/adam.js";
import { layOut } from "../../src/train/batch.js";
import { stepLoss } from "../../src/train/loss.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { AdamWRule } from "../../src/train/optimizers/adamw.js";
import type { AdamWConfig } from "../../src/train/optimizers/config.js";
import type { SavedOptimizer } from "../../src/train/optimizers/rule.js";
import { RuleState } from "../../src/train/optimizers/rule-state.js";
import { prepareRows } from "../../src/train/rows.js";
import { NextTokenModel, waveRows } from "./stand-in.js";

const OPTIMIZER: AdamWConfig = {
  learningRate: 0.05,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 0.1,
};

before(async () => {
  await startEngine();
});

const rows = prepareRows(waveRows(8), { vocabularySize: 11, contextLength: 32 });
const batches = [
  layOut(
    rows,
    rows.map((_, index) => [index]),
    "bucketed",
  ),
];
function steps(model: NextTokenModel, optimizer: Optimizer, count: number): number[] {
  return Array.from({ length: count }, () => {
    const loss = stepLoss(nextToken(model), batches, optimizer);
    optimizer.step(0.05, optimizer.gradientNorm());
    return loss;
  });
}

test("an optimizer made again from its moments goes on with the same bits; controls: without moments or count", () => {
  const whole = new NextTokenModel();
  const wholeOptimizer = new Optimizer(whole.parameters, OPTIMIZER);
  const losses = steps(whole, wholeOptimizer, 8);
  const resumedWith = (change: (saved: SavedOptimizer) => SavedOptimizer): number[] => {
    const model = new NextTokenModel();
    const first = new Optimizer(model.parameters, OPTIMIZER);
    const before = steps(model, first, 3);
    const saved = change({ count: first.count, slots: first.slots() });
    first.dispose();
    const second = new Optimizer(model.parameters, OPTIMIZER, { saved });
    const after = steps(model, second, 5);
    second.dispose();
    model.dispose();
    return [...before, ...after];
  };
  assert.deepEqual(
    resumedWith((saved) => saved),
    losses,
  );
  const differs = (other: readonly number[]): boolean =>
    other.some((loss, index) => Math.abs(loss / (losses[index] ?? NaN) - 1) > 1e-4);
  assert.ok(differs(resumedWith(({ count }) => ({ count, slots: new Map() }))));
  assert.ok(differs(resumedWith(({ slots }) => ({ count: 0, slots }))));
  wholeOptimizer.dispose();
  whole.dispose();
});

test("the fused kernel and the portable operations agree over 300 steps", () => {
  const size = 50;
  const start = {
    parameters: Float32Array.from({ length: size }, (_, index) => Math.sin(index)),
    slots: { first: new Float32Array(size), second: new Float32Array(size) },
    shape: [5, 10],
  };
  const config: AdamWConfig = { ...OPTIMIZER, weightDecay: 0.1 };
  const [native, portable] = [
    new NativeAdamState(config, start),
    new RuleState(new AdamWRule(config), start),
  ];
  for (let count = 1; count <= 300; count++) {
    const step = { learningRate: 0.01, count };
    const [a, b] = tf.tidy(() => {
      const gradient = tf.tensor1d(start.parameters.map((value, index) => Math.cos(value * count + index)));
      return [native.apply(gradient, step).dataSync(), portable.apply(gradient, step).dataSync()];
    });
    a.forEach((value, index) => assert.ok(Math.abs(value - (b[index] ?? NaN)) < 2e-5, `step ${count}`));
  }
  for (const state of [native, portable]) state.dispose();
});

test("the gradient norm is over all parameters, and clipping bounds it", () => {
  const model = new NextTokenModel();
  const optimizer = new Optimizer(model.parameters, OPTIMIZER);
  stepLoss(nextToken(model), batches, optimizer);
  const squares = [...optimizer.gradients().values()].map((values) =>
    values.reduce((sum, value) => sum + value * value, 0),
  );
  const norm = Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
  assert.ok(Math.abs(optimizer.gradientNorm() / norm - 1) < 1e-6);
  assert.ok(norm > 0.2, "clipping at 0.1 has something to do");
  optimizer.step(0.05, norm);
  // After one step the first moment is (1 - beta1) times the clipped gradient.
  const first = [...optimizer.slots().values()].flatMap(({ first = new Float32Array() }) => [...first]);
  const clipped = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0)) / (1 - OPTIMIZER.beta1);
  assert.ok(Math.abs(clipped / 0.1 - 1) < 1e-4, `${clipped}`);
  optimizer.dispose();
  model.dispose();
});

test("gains and biases do not decay, matrices do", () => {
  const matrix = tf.variable(tf.ones([2, 2]));
  const bias = tf.variable(tf.ones([2]));
  const optimizer = new Optimizer(
    new Map([
      ["matrix", matrix],
      ["bias", bias],
    ]),
    OPTIMIZER,
  );
  optimizer.accumulate({ [matrix.name]: tf.zeros([2, 2]), [bias.name]: tf.zeros([2]) });
  optimizer.step(0.05, 0);
  assert.deepEqual([...bias.dataSync()], [1, 1]);
  assert.ok(matrix.dataSync().every((value) => Math.abs(value - (1 - 0.05 * 0.1)) < 1e-6));
  optimizer.dispose();
  tf.dispose([matrix, bias]);
});

test("a large parameter is updated like small ones, and freed", () => {
  const large = tf.variable(tf.ones([1100, 1000]));
  const small = tf.variable(tf.ones([10, 10]));
  const parameters = new Map([
    ["large", large],
    ["small", small],
  ]);
  const memory = (): number => process.memoryUsage().rss;
  const once = (): void => {
    const optimizer = new Optimizer(parameters, OPTIMIZER);
    tf.tidy(() => {
      optimizer.accumulate({
        [large.name]: tf.fill([1100, 1000], 0.5),
        [small.name]: tf.fill([10, 10], 0.5),
      });
    });
    optimizer.step(0.01, optimizer.gradientNorm());
    optimizer.dispose();
  };
  once();
  const [one, other] = [large.dataSync()[1099999] ?? NaN, small.dataSync()[99] ?? NaN];
  assert.ok(one < 1 && Math.abs(one - other) < 1e-6);
  for (let warm = 0; warm < 5; warm++) once();
  const before = memory();
  for (let more = 0; more < 20; more++) once(); // 3 variables of 4.4 MB each: 264 MB if they stayed.
  assert.ok(memory() - before < 100e6, `${(memory() - before) / 1e6} MB more`);
  tf.dispose([large, small]);
});

test("a parameter that the loss does not depend on is a defect, not a silent zero", () => {
  const model = new NextTokenModel();
  const optimizer = new Optimizer(model.parameters, OPTIMIZER);
  assert.throws(() => optimizer.accumulate({}), /does not depend on the parameter/);
  assert.throws(() => optimizer.step(0.1, 1), /without a gradient/);
  optimizer.dispose();
  model.dispose();
});
