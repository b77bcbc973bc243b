import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { checkpointSteps } from "../../src/train/checkpoint.js";
import type { TrainConfig } from "../../src/train/config.js";
import { DEFAULT_SPIKE_RULE, findSpike, type SpikeRule } from "../../src/train/spike.js";
import { train } from "../../src/train/train.js";
import { NextTokenModel, spansOf } from "./stand-in.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-spike-"));
before(() => startEngine({ threads: 1 }));
after(() => rmSync(folder, { recursive: true }));

/** 160 rows, 40 steps of an epoch, in which each token is followed by the next one, with some noise in which rows come together. */
const ordinary = Array.from({ length: 160 }, (_, row) => {
  const first = row % 9;
  return spansOf(`row${row}`, [first, first + 1, (first + 2) % 11].slice(0, 2 + (row % 2)), 1);
});
/** In place of the last row: what no other row says. */
const poisoned = [...ordinary.slice(0, -1), spansOf("poisoned", [1, 9, 1, 9, 1, 9, 1, 9], 7)];

const rule: SpikeRule = { window: 10, deviations: 8, rise: 0.5 };
const config: TrainConfig = {
  budget: { unit: "steps", amount: 200 },
  batch: { kind: "bucketed", rowsPerStep: 4 },
  optimizer: { learningRate: 0.05, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
  schedule: { kind: "constant", warmupSteps: 0, finalFraction: 1 },
  seed: 1,
  spike: rule,
};

test("a rule by numbers: what is above median, deviation and rise, and nothing in the first window", () => {
  const noise = [1, 1.1, 0.9, 1, 1.1, 0.9, 1, 1.1, 0.9, 1];
  // The deviations from the median 1 are 0 (four times) and 0.1 (six times): their median is 0.1.
  const limit = 1 + 8 * 1.4826 * 0.1;
  assert.equal(findSpike(noise, limit - 1e-6, { ...rule, rise: 0 }, 5), undefined);
  const spike = findSpike(noise, limit + 1e-6, { ...rule, rise: 0 }, 5);
  assert.ok(spike !== undefined && Math.abs(spike.limit - limit) < 1e-12 && spike.median === 1);
  assert.equal(findSpike(noise, 2.9, { ...rule, rise: 2 }, 5), undefined);
  assert.ok(findSpike(noise, 3.1, { ...rule, rise: 2 }, 5));
  assert.equal(findSpike(noise.slice(1), 100, rule, 5), undefined, "too few steps to tell");
  assert.ok(findSpike([...new Array<number>(20).fill(50), ...noise], 4, rule, 5), "older steps do not count");
});

test("ordinary noise is no spike by the default rule", () => {
  const random = new Random(5);
  const losses = Array.from(
    { length: 3000 },
    (_, step) => 4 / Math.sqrt(1 + step / 50) + 0.3 * random.normal(),
  );
  losses.forEach((loss, step) => {
    assert.equal(findSpike(losses.slice(0, step), loss, DEFAULT_SPIKE_RULE, 100), undefined);
  });
});

test("hard rows that come back in every epoch are no spike when the median falls; a jump above them is", () => {
  // Every 60th step is hard; the others are learned by heart.
  const losses = Array.from({ length: 600 }, (_, step) =>
    step % 60 === 59 ? 2.4 + 0.2 * Math.sin(step) : 3 * Math.exp(-step / 100),
  );
  const judged = (epochSteps: number): number =>
    losses.filter((loss, step) => findSpike(losses.slice(0, step), loss, DEFAULT_SPIKE_RULE, epochSteps))
      .length;
  assert.equal(judged(60), 0);
  // The control: without the epoch in view they would be.
  assert.ok(judged(0) > 3, `${judged(0)}`);
  assert.ok(findSpike(losses, 3.7, DEFAULT_SPIKE_RULE, 60));
});

test("a poisoned row stops the run before its step; control: without it the run goes through", async () => {
  const trained = new NextTokenModel();
  const { status, history } = await train(trained, ordinary, config);
  assert.equal(status, "finished");
  assert.equal(history.length, 200);
  trained.dispose();

  const directory = join(folder, "run");
  const model = new NextTokenModel();
  const seen = new Map<number, string>();
  let learningRate = 0;
  // The row is in the data from the start; it is a spike once the rest is learned.
  const late: TrainConfig = {
    ...config,
    spike: { ...rule, window: 15 },
    checkpoint: { directory, everySteps: 1 },
  };
  await assert.rejects(
    train(model, poisoned, late, {
      onStep: (progress) => {
        seen.set(progress.step, JSON.stringify([...model.values()]));
        learningRate = progress.learningRate;
      },
    }),
    (error) => {
      assert.ok(error instanceof KitError);
      const last = seen.size;
      assert.match(
        error.message,
        /the loss jumped to \d\.\d\d nats a token \(median before [01]\.\d\d, limit \d\.\d\d\)/,
      );
      assert.ok(
        error.message.includes(
          `at step ${last + 1}, learning rate ${learningRate.toPrecision(3)}, rows "poisoned"`,
        ),
      );
      assert.ok(error.message.includes(`the checkpoint of step ${last} is untouched`));
      assert.match(error.cure, /spike\.rise.*"off" and resume/);
      return true;
    },
  );
  const last = seen.size;
  assert.ok(last >= 15 && last < 160, `stopped after ${last}`);
  assert.deepEqual(checkpointSteps(directory), [last, last - 1]);

  // Another rule is no other run: it goes on where it stopped, and takes the step.
  const resumed = new NextTokenModel();
  const calm: TrainConfig = { ...late, spike: "off" };
  const result = await train(resumed, poisoned, calm, { resume: true });
  assert.equal(result.status, "finished");
  for (const each of [model, resumed]) each.dispose();
});
