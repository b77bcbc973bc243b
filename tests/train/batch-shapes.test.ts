import assert from "node:assert/strict";
import { before, test } from "node:test";
import { emitSavedModel } from "../../src/engine/compile/emit.js";
import { fuseRegions } from "../../src/engine/compile/passes/fuse.js";
import { shareEqualNodes } from "../../src/engine/compile/passes/share.js";
import { startEngine } from "../../src/engine/start.js";
import { Decoder } from "../../src/model/decoder.js";
import type { TrainConfig } from "../../src/train/config.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { prepareRows } from "../../src/train/rows.js";
import { fillUp, planShapes } from "../../src/train/step/batch-shapes.js";
import { CompiledStep } from "../../src/train/step/compiled-step.js";
import { recordLoss } from "../../src/train/step/record-loss.js";
import { TINY_GPT2, waveRows } from "./stand-in.js";

const OPTIMIZER = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 1,
} as const;
const PLAN = { longestRow: 24, packed: true, timeUnit: 1, fuse: false };
const BATCH = {
  batch: 2,
  time: 3,
  ids: Int32Array.of(1, 2, 3, 4, 5, 6),
  positions: Int32Array.of(0, 1, 0, 0, 1, 2),
  segments: Int32Array.of(1, 1, 2, 1, 1, 1),
  targets: Int32Array.of(2, 5, 6),
  targetPositions: Int32Array.of(0, 3, 5),
};

before(async () => {
  await startEngine({ backend: "tensorflow" });
});

test("rows are filled up at their end, and targets stay where they are", () => {
  const filled = fillUp(BATCH, { timeUnit: 8, longestRow: 5 });
  assert.deepEqual(filled, {
    ...BATCH,
    time: 5,
    ids: Int32Array.of(1, 2, 3, 0, 0, 4, 5, 6, 0, 0),
    positions: Int32Array.of(0, 1, 0, 0, 0, 0, 1, 2, 0, 0),
    segments: Int32Array.of(1, 1, 2, 0, 0, 1, 1, 1, 0, 0),
    targetPositions: Int32Array.of(0, 5, 7),
  });
  assert.equal(fillUp(BATCH, { timeUnit: 1, longestRow: 24 }), BATCH);
  assert.equal(fillUp(BATCH, { timeUnit: 3, longestRow: 24 }), BATCH);
});

test("filled-up rows and fused regions change nothing but rounding", () => {
  const losses = [PLAN, { ...PLAN, timeUnit: 24 }, { ...PLAN, timeUnit: 24, fuse: true }].map((plan) => {
    const model = Decoder.create(TINY_GPT2, 1);
    const step = new CompiledStep(nextToken(model), { optimizer: OPTIMIZER }, plan);
    const result: number[] = [];
    for (let count = 0; count < 20; count++) {
      const { loss, gradientNorm } = step.measure([BATCH]);
      step.update(0.01, gradientNorm);
      result.push(loss);
    }
    step.dispose();
    model.dispose();
    return result;
  });
  const [plain = [], ...others] = losses;
  const apart = (one: readonly number[]): number =>
    Math.max(...one.map((loss, index) => Math.abs(loss - (plain[index] ?? NaN)) / loss));
  for (const other of others) assert.ok(apart(other) < 1e-4, `differs by ${apart(other)}`);
  // The control: targets that do not move along with the filled-up rows are others.
  const model = Decoder.create(TINY_GPT2, 1);
  const step = new CompiledStep(nextToken(model), { optimizer: OPTIMIZER }, PLAN);
  const wrong = fillUp(BATCH, { timeUnit: 24, longestRow: 24 });
  const { loss } = step.measure([{ ...wrong, targetPositions: BATCH.targetPositions }]);
  assert.ok(apart([loss]) > 1e-3);
  step.dispose();
  model.dispose();
});

test("layers share their regions, and what depends on the number of targets is in none", () => {
  const model = Decoder.create({ ...TINY_GPT2, layers: 3 }, 1);
  const graph = fuseRegions(shareEqualNodes(recordLoss(nextToken(model), PLAN)), ["targetCount"]);
  const calls = graph.nodes.filter(({ op }) => op === "PartitionedCall");
  const kinds = new Set(calls.map(({ body }) => body?.key));
  assert.ok(calls.length >= 3 * kinds.size - 6 && kinds.size >= 5, `${calls.length} calls of ${kinds.size}`);
  for (const { inputs, outputs } of calls) {
    const types = [...inputs.map(({ node, index }) => node.outputs[index]), ...outputs];
    assert.ok(types.every((type) => type?.varies?.includes("targetCount") !== true));
  }
  assert.ok(emitSavedModel(graph).bytes.length > 1000);
  model.dispose();
});

test("regions are compiled where the run is long for the number of its shapes", () => {
  const model = Decoder.create(TINY_GPT2, 1);
  const rows = prepareRows(waveRows(40), model.config);
  const config = (amount: number, batch: TrainConfig["batch"]): TrainConfig => ({
    budget: { unit: "steps", amount },
    batch,
    optimizer: OPTIMIZER,
    schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
    seed: 1,
  });
  const bucketed = { kind: "bucketed", rowsPerStep: 8 } as const;
  const packed = { kind: "packed", tokensPerRow: 24, rowsPerStep: 4 } as const;
  assert.deepEqual(planShapes(rows, config(10, bucketed), nextToken(model)), {
    longestRow: 9,
    packed: false,
    timeUnit: 1,
    precision: "float32",
    fuse: false,
    querySlices: 1,
  });
  assert.equal(planShapes(rows, config(10_000_000, bucketed), nextToken(model)).fuse, true);
  assert.deepEqual(planShapes(rows, config(10_000_000, packed), nextToken(model)), {
    longestRow: 24,
    packed: true,
    timeUnit: 24,
    precision: "float32",
    fuse: true,
    querySlices: 1,
  });
  model.dispose();
});

test("attention is cut into slices where the average token stands in a long row, and only where all rows can be", () => {
  const model = Decoder.create({ ...TINY_GPT2, contextLength: 256 }, 1);
  const slicesOf = (count: number, length: number, tokensPerRow: number): number | undefined => {
    const rows = prepareRows(
      waveRows(count).map((spans, row) => ({
        ...spans,
        ids: Array.from({ length }, (_, place) => (row + place) % 16),
        supervised: Array.from({ length }, (_, place) => place > 0),
      })),
      model.config,
    );
    const config: TrainConfig = {
      budget: { unit: "steps", amount: 10 },
      batch: { kind: "packed", tokensPerRow, rowsPerStep: 4 },
      optimizer: OPTIMIZER,
      schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
      seed: 1,
    };
    return planShapes(rows, config, nextToken(model)).querySlices;
  };
  assert.equal(slicesOf(40, 30, 256), 4);
  assert.equal(slicesOf(40, 30, 250), 1);
  assert.equal(slicesOf(40, 30, 64), 1);
  model.dispose();
});
