import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Spans } from "../../src/data/spans.js";
import type { GraphNode } from "../../src/engine/compile/graph.js";
import { typeOf } from "../../src/engine/compile/graph.js";
import { useBfloat16 } from "../../src/engine/compile/passes/bfloat16.js";
import { startEngine } from "../../src/engine/start.js";
import { Decoder } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import type { TrainConfig } from "../../src/train/config.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { recordLoss } from "../../src/train/step/record-loss.js";
import { train, type TrainOptions, type TrainResult } from "../../src/train/train.js";
import { LLAMA_PARTS, TINY_GPT2, spansOf, waveRows } from "./stand-in.js";

const WIDER = { ...TINY_GPT2, width: 32, feedForwardWidth: 64 };
const LLAMA = {
  ...WIDER,
  ...LLAMA_PARTS,
} as const;
const CONFIG: TrainConfig = {
  budget: { unit: "steps", amount: 60 },
  batch: { kind: "bucketed", rowsPerStep: 16 },
  optimizer: { learningRate: 0.004, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
};
const PACKED = { ...CONFIG, batch: { kind: "packed", tokensPerRow: 24, rowsPerStep: 8 } } as const;

const folder = mkdtempSync(join(tmpdir(), "ift-kit-bf16-"));
after(() => rmSync(folder, { recursive: true }));
before(async () => {
  await startEngine({ backend: "tensorflow", threads: 1 });
});

/** Rows that cannot be learned by heart in so few steps: a rule with noise, so that the loss stays well above 0. */
function noisyRows(count: number): Spans[] {
  const random = new Random(7);
  return Array.from({ length: count }, (_, row) => {
    const ids = [random.integer(16)];
    while (ids.length < 12) {
      ids.push(random.next() < 0.7 ? ((ids.at(-1) ?? 0) * 3 + 1) % 16 : random.integer(16));
    }
    return spansOf(`row${row}`, ids, 8);
  });
}

async function run(
  model: Decoder,
  config: TrainConfig,
  options: TrainOptions = {},
): Promise<{ readonly result: TrainResult; readonly values: Float32Array }> {
  try {
    const result = await train(model, noisyRows(400), config, options);
    const values = [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
    return { result, values: Float32Array.from(values) };
  } finally {
    model.dispose();
  }
}

/** Mean of the last ten losses. */
function endOf({ history }: TrainResult): number {
  return history.slice(-10).reduce((sum, { loss }) => sum + loss / 10, 0);
}

const base = (): Decoder => Decoder.create(WIDER, 1);
const LORA_TARGETS = ["attention.queryKeyValue", "feedForward.*"];
const adapted = (): Decoder =>
  base().withAdapter(
    LoraAdapter.create(WIDER, { rank: 4, alpha: 16, dropout: 0.05, targets: LORA_TARGETS, seed: 1 }),
  );
const CASES: readonly [string, () => Decoder, TrainConfig][] = [
  ["GPT-2", base, CONFIG],
  ["Llama, packed", () => Decoder.create(LLAMA, 1), PACKED],
  ["accumulated", base, { ...CONFIG, microBatchRows: 5 }],
  ["LoRA with dropout", adapted, { ...CONFIG, optimizer: { ...CONFIG.optimizer, learningRate: 0.02 } }],
];
for (const [name, model, config] of CASES) {
  test(`${name}: the loss ends within 1 % of float32, which it is not`, async () => {
    const wide = await run(model(), config);
    const narrow = await run(model(), { ...config, precision: "bfloat16" });
    const [wanted, found] = [endOf(wide.result), endOf(narrow.result)];
    assert.ok(wanted > 0.5 && wanted < (wide.result.history[0]?.loss ?? 0), `learns something: ${wanted}`);
    assert.ok(Math.abs(found - wanted) < 0.01 * wanted, `${found}, float32 ${wanted}`);
    const worst = Math.max(
      ...narrow.result.history.map(({ loss }, step) =>
        Math.abs(loss - (wide.result.history[step]?.loss ?? 0)),
      ),
    );
    assert.ok(worst > 1e-5, `float32 products would differ by rounding only: ${worst}`);
    // The parameters are float32: bfloat16 has 16 bits less, which would be 0.
    const bits = new Uint32Array(narrow.values.buffer);
    assert.ok(bits.filter((value) => (value & 0xffff) !== 0).length > 0.9 * bits.length);
    // The control: a quarter of the learning rate ends elsewhere.
    if (name !== "GPT-2") return;
    const slow = { ...config, optimizer: { ...config.optimizer, learningRate: 0.001 } };
    const other = endOf((await run(model(), { ...slow, precision: "bfloat16" })).result);
    assert.ok(Math.abs(other - wanted) > 0.01 * wanted, `${other}, float32 ${wanted}`);
  });
}

test("a bfloat16 run that is stopped and resumed is the uninterrupted one, and no float32 run", async () => {
  const short: TrainConfig = {
    ...CONFIG,
    budget: { unit: "steps", amount: 10 },
    microBatchRows: 6,
    precision: "bfloat16",
  };
  const whole = await run(base(), short);
  const config: TrainConfig = { ...short, checkpoint: { directory: join(folder, "run"), everySteps: 3 } };
  const controller = new AbortController();
  const onStep: TrainOptions["onStep"] = ({ step }) => {
    if (step === 5) controller.abort();
  };
  await run(base(), config, { signal: controller.signal, onStep });
  await assert.rejects(run(base(), { ...config, precision: "float32" }, { resume: true }), (error) => {
    assert.ok(error instanceof KitError);
    assert.match(error.message, /"bfloat16" here, now it is absent/);
    return true;
  });
  const resumed = await run(base(), config, { resume: true });
  assert.deepEqual(resumed.values, whole.values);
  const other = await run(base(), { ...short, precision: "float32" });
  assert.notDeepEqual(other.values, whole.values);
});

test("bfloat16 without a compiled step is an error with its cure", async () => {
  const model = base();
  const config: TrainConfig = { ...CONFIG, precision: "bfloat16" };
  await assert.rejects(
    train(model, waveRows(20), config, { compile: false }),
    /compiling is turned off.*--eager.*or train in float32/,
  );
  model.dispose();
});

test("products are bfloat16, also what is moved between them; norms, softmax and the loss are float32", () => {
  const model = base();
  const graph = useBfloat16(recordLoss(nextToken(model), { longestRow: 24, packed: false }));
  model.dispose();
  const typesOf = (op: string): Set<string> =>
    new Set(
      graph.nodes
        .filter((node) => node.op === op)
        .flatMap(({ outputs }) => outputs.map(({ dtype }) => dtype)),
    );
  for (const op of ["MatMul", "BatchMatMulV2", "BiasAdd", "Unpack", "Pack", "Transpose"]) {
    const types = [...typesOf(op)].filter((type) => type !== "int32");
    assert.deepEqual(types, ["bfloat16"], op);
  }
  for (const op of ["Softmax", "Mean", "Rsqrt", "Log", "Sum", "BiasAddGrad", "TensorScatterSub"]) {
    assert.deepEqual([...typesOf(op)], ["float32"], op);
  }
  const isCast = (node: GraphNode | undefined): boolean => node?.op === "Cast";
  const twice = graph.nodes.filter(
    (node) => isCast(node) && isCast(node.inputs[0]?.node) && typeOf({ node, index: 0 }).dtype === "bfloat16",
  );
  assert.equal(twice.length, 0, "nothing is widened only to be rounded again");
});
