import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { before, test } from "node:test";
import type { Graph } from "../../src/engine/compile/graph.js";
import { fuseRegions } from "../../src/engine/compile/passes/fuse.js";
import { rebuild } from "../../src/engine/compile/passes/rebuild.js";
import { shareEqualNodes } from "../../src/engine/compile/passes/share.js";
import { startEngine } from "../../src/engine/start.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import type { TrainConfig } from "../../src/train/config.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { recordLoss } from "../../src/train/step/record-loss.js";
import { train } from "../../src/train/train.js";
import { LLAMA_PARTS, TINY_GPT2, waveRows } from "./stand-in.js";

const LLAMA: DecoderConfig = {
  ...TINY_GPT2,
  ...LLAMA_PARTS,
};
const CONFIG = {
  budget: { unit: "steps", amount: 50 },
  batch: { kind: "packed", tokensPerRow: 24, rowsPerStep: 3 },
  microBatchRows: 2,
  optimizer: { learningRate: 0.005, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
} as const satisfies TrainConfig;

before(async () => {
  await startEngine({ backend: "tensorflow", threads: 1 });
});

interface Ran {
  readonly losses: readonly number[];
  readonly values: readonly number[];
}

async function trained(model: Decoder, config: TrainConfig): Promise<Ran> {
  const { history, step } = await train(model, waveRows(60, 16), config);
  assert.equal(step, "compiled");
  const values = [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
  return { losses: history.map(({ loss }) => loss), values };
}

const apart = (some: Ran, others: Ran): number =>
  Math.max(...some.losses.map((loss, index) => Math.abs(loss / (others.losses[index] ?? NaN) - 1)));

/** Largest difference of two vectors, as a part of the largest of how far the second is from a third. */
const gap = (some: readonly number[], others: readonly number[], start: readonly number[]): number => {
  const largest = (from: readonly number[]): number =>
    Math.max(...others.map((value, index) => Math.abs(value - (from[index] ?? NaN))));
  return largest(some) / largest(start);
};

/** One step of which the parameters move by their gradients. */
const ONE_STEP = {
  budget: { unit: "steps", amount: 1 },
  schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
  optimizer: { kind: "sgd", learningRate: 1, momentum: 0, nesterov: false, weightDecay: 0, clipNorm: "off" },
} as const satisfies Partial<TrainConfig>;

/** A decoder, or an adapter with dropout on it. */
function modelOf(config: DecoderConfig, withAdapter: boolean): { model: Decoder; dispose: () => void } {
  const base = Decoder.create(config, 1);
  if (!withAdapter) return { model: base, dispose: () => base.dispose() };
  const rules = {
    rank: 2,
    alpha: 4,
    dropout: 0.5,
    targets: ["attention.query", "feedForward.down"],
    seed: 5,
  };
  const model = base.withAdapter(LoraAdapter.create(config, rules));
  return {
    model,
    dispose: () => {
      model.dispose();
      base.dispose();
    },
  };
}

for (const [name, config, withAdapter, precision, tolerance] of [
  ["GPT-2", TINY_GPT2, false, "float32", 1e-6],
  ["Llama", LLAMA, false, "float32", 1e-6],
  // The first step was the same bit for bit; what rounding to bfloat16 does later grows.
  ["Llama in bfloat16", LLAMA, false, "bfloat16", 1e-2],
  ["an adapter with dropout", LLAMA, true, "float32", 1e-6],
] as const) {
  test(`${name}: gradients and 50 steps with blocks computed again are those without`, async (context) => {
    const run = async (changes: Partial<TrainConfig>): Promise<Ran> => {
      const { model, dispose } = modelOf(config, withAdapter);
      try {
        return await trained(model, { ...CONFIG, precision, ...changes });
      } finally {
        dispose();
      }
    };
    const activationCheckpointing = true;
    const { model, dispose } = modelOf(config, withAdapter);
    const start = [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
    dispose();
    const one = await run(ONE_STEP);
    const oneAgain = await run({ ...ONE_STEP, activationCheckpointing });
    const gradients = gap(oneAgain.values, one.values, start);
    const kept = await run({});
    assert.equal(kept.losses.length, 50);
    const again = await run({ activationCheckpointing });
    context.diagnostic(`apart: gradients ${gradients}, losses ${apart(again, kept)}`);
    assert.ok(gradients < tolerance, `gradients: ${gradients}`);
    assert.ok(apart(again, kept) < tolerance, `losses: ${apart(again, kept)}`);
    // Controls: other rows are other gradients, and a little more of the learning rate shows.
    assert.ok(gap((await run({ ...ONE_STEP, seed: 2 })).values, one.values, start) > tolerance);
    const learningRate = CONFIG.optimizer.learningRate * (precision === "bfloat16" ? 2 : 1.001);
    const other = await run({ optimizer: { ...CONFIG.optimizer, learningRate } });
    assert.ok(apart(other, kept) > tolerance, `control: ${apart(other, kept)}`);
  });
}

const PLAN = { longestRow: 24, packed: true };
const products = ({ nodes }: Graph): number =>
  nodes.filter(({ op }) => op === "MatMul" || op === "BatchMatMulV2").length;

test("the two computations stay two where equal nodes are merged, because of the barriers alone", () => {
  const layers = 3;
  const model = Decoder.create({ ...LLAMA, layers }, 1);
  const kept = recordLoss(nextToken(model), PLAN);
  const again = recordLoss(nextToken(model), PLAN, { recomputeBlocks: true });
  const shared = shareEqualNodes(again);
  assert.equal(products(shared), products(again));
  assert.ok(products(shared) - products(kept) >= 7 * layers, "the products of each block once more");
  // The control: without the barriers one of the two is left.
  const open = rebuild(again, (node, builder) =>
    node.op === "Identity" && node.control.length > 0 ? node.inputs : builder.push(node),
  );
  assert.equal(products(shareEqualNodes(open)), products(shareEqualNodes(kept)));
  // Regions keep the order too: each barrier still waits for a node of the graph.
  const fused = fuseRegions(shared, []);
  const barriers = fused.nodes.filter(({ op, control }) => op === "Identity" && control.length > 0);
  assert.ok(barriers.length >= layers);
  for (const { control } of barriers) for (const node of control) assert.ok(fused.nodes.includes(node));
  model.dispose();
});

for (const family of ["decoder", "bert", "t5"])
  test(`${family}: a step of a deep model takes less memory`, (context) => {
    const peak = (again: boolean): number => {
      const child = fileURLToPath(new URL("recompute-child.ts", import.meta.url));
      const run = spawnSync(
        process.execPath,
        [...process.execArgv.filter((arg) => arg !== "--test"), child, family, String(again)],
        {
          encoding: "utf8",
        },
      );
      assert.equal(run.status, 0, run.stderr);
      return Number(run.stdout.trim());
    };
    const [kept, again] = [peak(false), peak(true)];
    context.diagnostic(
      `the first steps of 8 layers took ${kept} MiB, ${again} MiB where blocks are computed again`,
    );
    assert.ok(again < 0.75 * kept, `${again} MiB of ${kept} MiB`);
  });
