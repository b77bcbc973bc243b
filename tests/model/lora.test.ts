import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import { Decoder } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import type { LoraConfig } from "../../src/model/lora/config.js";
import { mergeAdapter, unmergeAdapter } from "../../src/model/lora/merge.js";
import { loadAdapter, saveAdapter } from "../../src/model/lora/peft.js";
import { KitError } from "../../src/support/errors.js";
import type { TrainConfig } from "../../src/train/config.js";
import { train } from "../../src/train/train.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { waveRows } from "../train/stand-in.js";
import { FAMILIES, GPT2, hiddenAlone, largeDecoder, LLAMA, PALM } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-lora-"));
after(() => rmSync(folder, { recursive: true }));

const LORA: LoraConfig = { rank: 2, alpha: 4, dropout: 0, targets: ["*.*"], seed: 1 };
const LORA_JOINT: LoraConfig = { ...LORA, targets: ["attention.queryKeyValue", "feedForward.up"] };
const PARTS = ["attention.query", "attention.value", "attention.output", "feedForward.*"];
const IDS = [1, 2, 3, 4, 5];
const TRAIN: TrainConfig = {
  budget: { unit: "steps", amount: 6 },
  batch: { kind: "bucketed", rowsPerStep: 4 },
  optimizer: { learningRate: 0.02, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
  seed: 1,
};

const disposables: { dispose(): void }[] = [];
const kept = <Model extends { dispose(): void }>(model: Model): Model => {
  disposables.unshift(model);
  return model;
};

/** An adapter that changes something: its second matrices are not zero. */
function filled(config: Decoder["config"], lora: LoraConfig): LoraAdapter {
  return LoraAdapter.fromValues(config, lora, (name, [rows, columns]) =>
    Float32Array.from({ length: rows * columns }, (_, index) => 0.2 * Math.sin(index + name.length)),
  );
}

function bits(weights: Decoder["weights"]): number[][] {
  return [...weights.values()].map((weight) => Array.from(weight.dataSync()));
}

before(async () => {
  await startEngine();
});
afterEach(() => {
  for (const each of disposables.splice(0)) each.dispose();
});

describe("LoRA", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    for (const targets of [["attention.queryKeyValue", "feedForward.down"], PARTS]) {
      it(`${family}, ${targets[0]}: merged is adapted, unmerged is the base; another adapter would show`, () => {
        const base = kept(largeDecoder(config));
        const decoder = kept(base.withAdapter(filled(config, { ...LORA, targets })));
        const { adapter } = decoder;
        assert.ok(adapter);
        const [plain, adapted] = [hiddenAlone(base, IDS).flat(), hiddenAlone(decoder, IDS).flat()];
        assert.ok(largestDifference(adapted, plain).worst > 0.05);
        const merged = kept(mergeAdapter(base, adapter));
        assertClose(hiddenAlone(merged, IDS).flat(), adapted, 1e-4);
        const unmerged = kept(unmergeAdapter(merged, adapter));
        for (const [name, weight] of base.weights) {
          const [was, is, rounded] = [weight, unmerged.weight(name), merged.weight(name)].map((each) =>
            each.dataSync(),
          );
          assert.ok(was && is && rounded);
          // One rounding of the merged weight and one of the difference.
          was.forEach((value, index) => {
            const limit = 2 ** -23 * Math.max(Math.abs(value), Math.abs(rounded[index] ?? NaN));
            assert.ok(Math.abs(value - (is[index] ?? NaN)) <= limit, `${name} ${index}`);
          });
        }
        const other = kept(filled(config, { ...LORA, targets, alpha: 3 }));
        const wrong = kept(unmergeAdapter(merged, other));
        assert.ok(largestDifference(hiddenAlone(wrong, IDS).flat(), plain).worst > 0.01);
      });
    }
  }

  it("changes nothing before it is trained, and starts from its seed", () => {
    const base = kept(largeDecoder(LLAMA));
    const decoder = kept(base.withAdapter(LoraAdapter.create(LLAMA, { ...LORA, targets: PARTS })));
    assert.deepEqual(hiddenAlone(decoder, IDS), hiddenAlone(base, IDS));
    const again = kept(LoraAdapter.create(LLAMA, { ...LORA, targets: PARTS }));
    const other = kept(LoraAdapter.create(LLAMA, { ...LORA, targets: PARTS, seed: 2 }));
    assert.deepEqual(bits(again.parameters), bits(decoder.parameters));
    assert.notDeepEqual(bits(other.parameters), bits(decoder.parameters));
  });

  for (const compile of [false, true]) {
    it(`trains the adapter alone, ${compile ? "compiled" : "eager"}: the base keeps its bits`, async () => {
      const base = kept(Decoder.create({ ...PALM, vocabularySize: 16 }, 1));
      const before = bits(base.weights);
      const decoder = kept(base.withAdapter(LoraAdapter.create(base.config, { ...LORA, targets: PARTS })));
      const start = bits(decoder.parameters);
      const { history } = await train(decoder, waveRows(8), TRAIN, { compile });
      assert.deepEqual(bits(base.weights), before);
      bits(decoder.parameters).forEach((values, index) => assert.notDeepEqual(values, start[index]));
      assert.ok((history.at(-1)?.loss ?? NaN) < (history[0]?.loss ?? NaN));
      // Full training does change the base: the comparison can fail.
      await train(base, waveRows(8), { ...TRAIN, budget: { unit: "steps", amount: 1 } }, { compile });
      assert.notDeepEqual(bits(base.weights), before);
    });
  }

  it("the compiled step has the losses of the eager one", async () => {
    const losses: number[][] = [];
    for (const compile of [false, true]) {
      const base = kept(Decoder.create({ ...GPT2, vocabularySize: 16 }, 1));
      const decoder = kept(base.withAdapter(LoraAdapter.create(base.config, LORA_JOINT)));
      const { history } = await train(decoder, waveRows(8), TRAIN, { compile });
      losses.push(history.map(({ loss }) => loss));
    }
    assertClose(losses[0] ?? [], losses[1] ?? [], 1e-5);
  });

  it("dropout: the same seed gives the same losses, another seed or none others, and scoring has none", async () => {
    const run = async (dropout: number, seed: number, compile = true): Promise<number[]> => {
      const base = kept(Decoder.create({ ...GPT2, vocabularySize: 16 }, 1));
      const adapter = filled(base.config, { ...LORA_JOINT, dropout, seed });
      const decoder = kept(base.withAdapter(adapter));
      assert.deepEqual(hiddenAlone(decoder, IDS), hiddenAlone(decoder, IDS));
      const { history, step } = await train(decoder, waveRows(8), TRAIN, { compile });
      assert.equal(step, compile ? "compiled" : "eager");
      return history.map(({ loss }) => loss);
    };
    const losses = await run(0.5, 1);
    assert.deepEqual(await run(0.5, 1), losses);
    // The masks are drawn from the fed seed, so that the compiled step has those of the eager one.
    assertClose(await run(0.5, 1, false), losses, 1e-5);
    assert.notDeepEqual(await run(0.5, 2), losses);
    assert.ok(largestDifference(await run(0, 1), losses).worst > 1e-3);
  });

  it("dropout needs random numbers: a gradient without them is an error", () => {
    const base = kept(largeDecoder(GPT2));
    const decoder = kept(base.withAdapter(filled(GPT2, { ...LORA_JOINT, dropout: 0.1 })));
    const input = { ids: tf.tensor2d([IDS], undefined, "int32") };
    const loss = (): ReturnType<typeof tf.scalar> => tf.sum(decoder.hiddenStates(input));
    assert.throws(() => tf.variableGrads(loss, [...decoder.parameters.values()]), /dropout of 0.1/);
    input.ids.dispose();
  });

  it("a loaded adapter is the saved one, bit for bit, for PaLM under the kit's own names", () => {
    for (const [family, config] of Object.entries(FAMILIES)) {
      const targets = family === "GPT-2" ? LORA_JOINT.targets : PARTS;
      const adapter = kept(filled(config, { ...LORA, targets, seed: 7 }));
      saveAdapter(join(folder, family), adapter, config, "base");
      const again = kept(loadAdapter(join(folder, family), config));
      assert.deepEqual(bits(again.parameters), bits(adapter.parameters));
      assert.deepEqual([again.config.seed, again.scale], [7, adapter.scale]);
    }
  });

  it("names what does not fit", () => {
    const refuses = (act: () => unknown, message: RegExp): void => {
      assert.throws(act, (error) => error instanceof KitError && message.test(error.message));
    };
    const create = (change: Partial<LoraConfig>) => (): LoraAdapter =>
      LoraAdapter.create(LLAMA, { ...LORA, ...change });
    refuses(create({ targets: ["q_proj"] }), /no linear layer is called "q_proj".*attention.query/);
    refuses(create({ targets: ["attention.*"] }), /takes? in .*queryKeyValue and its part/);
    refuses(create({ rank: 0 }), /field "rank"/);
    refuses(create({ dropout: 1 }), /field "dropout"/);
    const parts = kept(filled(GPT2, { ...LORA, targets: ["attention.query"] }));
    refuses(
      () => saveAdapter(join(folder, "no"), parts, GPT2),
      /gpt2 cannot have an adapter on .*attention.query/,
    );
    const joint = kept(filled(LLAMA, LORA_JOINT));
    refuses(
      () => saveAdapter(join(folder, "no"), joint, LLAMA),
      /llama cannot have an adapter on .*queryKeyValue/,
    );
    const base = kept(largeDecoder(LLAMA));
    const adapted = kept(base.withAdapter(filled(LLAMA, LORA_JOINT)));
    refuses(() => saveDecoder(join(folder, "no"), adapted), /has an adapter/);
  });

  it("leaves no tensor behind", () => {
    const base = kept(largeDecoder(LLAMA));
    const run = (): void => {
      const decoder = base.withAdapter(filled(LLAMA, { ...LORA, targets: PARTS }));
      tf.tidy(() => {
        const input = { ids: tf.tensor2d([IDS], undefined, "int32") };
        tf.variableGrads(() => tf.sum(decoder.hiddenStates(input)), [...decoder.parameters.values()]);
      });
      decoder.dispose();
    };
    run();
    const before = tf.memory().numTensors;
    run();
    assert.equal(tf.memory().numTensors, before);
  });
});
