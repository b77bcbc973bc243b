import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";
import { configIn } from "../../src/experiment/cost/folder-config.js";
import { measureTuning } from "../../src/experiment/cost/measure-tuning.js";
import { parametersOf, rowWork, type Tuning } from "../../src/experiment/cost/model-work.js";
import { PUBLIC_MODELS, usualTargets } from "../../src/experiment/cost/public-models.js";
import { cpuMachine, gpuMachine, tuningCost } from "../../src/experiment/cost/tuning-cost.js";
import { forwardFlops, rowLengths, trainingFlops } from "../../src/experiment/cost/flops.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { KitError } from "../../src/support/errors.js";

const goldens = JSON.parse(
  readFileSync(new URL("../parity/golden/public-models.json", import.meta.url), "utf8"),
) as Readonly<Record<string, { readonly parameters: number; readonly config: object }>>;
const folder = mkdtempSync(join(tmpdir(), "ift-kit-cost-"));
before(() => startEngine());
after(() => rmSync(folder, { recursive: true }));

const JOB = { rows: 100, row: { prompt: 24, response: 8 }, rowsPerPass: 4 };
const MACHINE = cpuMachine(1e11, 0.5);

for (const { name, config } of PUBLIC_MODELS) {
  test(`${name}: shape and number of parameters are those of transformers`, () => {
    const golden = goldens[name];
    assert.ok(golden !== undefined);
    assert.equal(parametersOf(config), golden.parameters);
    const directory = join(folder, name);
    mkdirSync(directory);
    writeFileSync(join(directory, "config.json"), JSON.stringify(golden.config));
    const read = configIn(directory);
    // What the kit adds of its own is the context of relative positions; BERT's has all fields in the file.
    assert.deepEqual({ ...read, contextLength: 0 }, { ...config, contextLength: 0 });
    assert.equal(parametersOf(read), golden.parameters);
    // The control: another width is another number.
    assert.notEqual(parametersOf({ ...config, width: 2 * config.width }), golden.parameters);
  });
}

test("a decoder's row takes what the count of a run says, but for the head, which the response alone needs", () => {
  const [gpt] = PUBLIC_MODELS;
  assert.ok(gpt !== undefined);
  const config = gpt.config as DecoderConfig;
  const lengths = rowLengths([32]);
  const head = 2 * config.width * config.vocabularySize;
  assert.equal(
    rowWork(config, JOB.row, { kind: "full" }).flops,
    trainingFlops(config, lengths) - 3 * head * JOB.row.prompt,
  );
  const lora: Tuning = { kind: "lora", rank: 8, targets: gpt.loraTargets };
  const own = rowWork(config, JOB.row, lora).flops;
  assert.equal(own, trainingFlops(config, lengths, lora) - 2 * head * JOB.row.prompt);
  assert.ok(own > forwardFlops(config, lengths) && own < rowWork(config, JOB.row, { kind: "full" }).flops);
});

test("costs go with the job and the machine, and LoRA spares gradients and moments, not weights", () => {
  for (const { name, config, loraTargets } of PUBLIC_MODELS) {
    const cost = (tuning: Tuning, job = JOB): ReturnType<typeof tuningCost> =>
      tuningCost(config, tuning, job, MACHINE);
    const full = cost({ kind: "full" });
    const lora = cost({ kind: "lora", rank: 8, targets: loraTargets });
    assert.equal(full.trained, full.parameters, name);
    assert.ok(lora.trained < full.parameters / 50, name);
    assert.equal(full.memory.optimizer, 8 * full.parameters, name);
    assert.ok(lora.memory.weights > full.memory.weights, name);
    assert.ok(lora.memory.activations < full.memory.activations, name);
    assert.ok(lora.memory.total < full.memory.total && lora.minutes < full.minutes, name);
    assert.equal(cost({ kind: "full" }, { ...JOB, rows: 200 }).minutes, 2 * full.minutes, name);
    const wide = cost({ kind: "full" }, { ...JOB, rowsPerPass: 8 });
    assert.equal(wide.memory.activations, 2 * full.memory.activations, name);
    assert.ok(
      tuningCost(config, { kind: "full" }, JOB, gpuMachine("NVIDIA A100 SXM")).minutes < full.minutes,
    );
  }
});

test("with activation checkpointing a job keeps less and computes more, at most a forward pass", () => {
  for (const { name, config, loraTargets } of PUBLIC_MODELS) {
    for (const tuning of [{ kind: "full" }, { kind: "lora", rank: 8, targets: loraTargets }] as const) {
      const kept = rowWork(config, JOB.row, tuning);
      const again = rowWork(config, JOB.row, tuning, true);
      assert.ok(again.kept < kept.kept, name);
      assert.ok(again.flops > kept.flops, name);
      // A forward pass is a third of all, or half where no weight has a gradient; the head is not computed again.
      assert.ok(again.flops < (tuning.kind === "full" ? 4 / 3 : 3 / 2) * kept.flops, name);
      const cost = tuningCost(config, tuning, { ...JOB, activationCheckpointing: true }, MACHINE);
      assert.equal(cost.memory.activations, 4 * JOB.rowsPerPass * again.kept, name);
      assert.equal(cost.memory.weights, tuningCost(config, tuning, JOB, MACHINE).memory.weights, name);
    }
  }
  // By hand: of a GPT-2 the inputs of all blocks, the inside of one, and the logits with their gradient.
  const [gpt] = PUBLIC_MODELS;
  assert.ok(gpt !== undefined);
  const { width, layers, heads, feedForwardWidth, vocabularySize } = gpt.config as DecoderConfig;
  const inside = 32 * (8 * width + 2 * feedForwardWidth) + heads * 32 * 32;
  assert.equal(
    rowWork(gpt.config, JOB.row, { kind: "full" }, true).kept,
    32 * layers * width + inside + 2 * vocabularySize * JOB.row.response,
  );
});

test("an adapter's target that a model lacks is an error", () => {
  const [gpt] = PUBLIC_MODELS;
  assert.ok(gpt !== undefined);
  assert.throws(
    () => tuningCost(gpt.config, { kind: "lora", rank: 8, targets: ["crossAttention.query"] }, JOB, MACHINE),
    (error) => error instanceof KitError && error.message.includes("crossAttention"),
  );
});

const written = fileURLToPath(new URL("../parity/golden/", import.meta.url));
const FOLDERS = [
  "checkpoints/gpt2",
  "checkpoints/llama-bf16-sharded",
  "t5/1.1-bf16-sharded",
  "bert/classification",
];

for (const name of FOLDERS) {
  test(`${name}: a folder that Python wrote is tuned for some steps, all of it and with LoRA`, async () => {
    const config = configIn(join(written, name));
    const row = { prompt: 4, response: 3 };
    const lora: Tuning = { kind: "lora", rank: 2, targets: usualTargets(config) };
    for (const tuning of [{ kind: "full" }, lora] as const) {
      const measured = await measureTuning(join(written, name), tuning, {
        row,
        rowsPerStep: 2,
        steps: 3,
        seed: 1,
        activationCheckpointing: tuning.kind === "full",
      });
      assert.equal(measured.steps, 3);
      assert.ok(measured.secondsPerStep > 0 && measured.firstStepSeconds >= measured.secondsPerStep / 100);
      assert.ok(Number.isFinite(measured.loss) && measured.peakBytes > 5e7);
    }
    await assert.rejects(
      measureTuning(join(written, name), lora, { row, rowsPerStep: 2, steps: 2, seed: 1 }),
      /3 steps or more/,
    );
  });
}
