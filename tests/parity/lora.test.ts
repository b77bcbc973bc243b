import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { softmaxCrossEntropySum } from "../../src/engine/ops/index.js";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { DecoderConfig } from "../../src/model/config.js";
import type { Decoder } from "../../src/model/decoder.js";
import { mergeAdapter } from "../../src/model/lora/merge.js";
import { ADAPTER_CONFIG_FILE, loadAdapter, saveAdapter } from "../../src/model/lora/peft.js";
import { SafetensorsFile } from "../../src/model/safetensors.js";
import { KitError } from "../../src/support/errors.js";
import type { AdamWConfig } from "../../src/train/optimizers/config.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { matrix } from "../model/models.js";
import { waveDecoder } from "./wave.js";

interface Golden {
  readonly config: DecoderConfig;
  readonly ids: number[][];
  readonly targets: number[][];
  readonly logits: number[];
  readonly merged: number[];
  /** By PEFT's names, the matrices in our order. */
  readonly gradients: Readonly<Record<string, number[]>>;
  readonly steps: number[];
}

interface Goldens {
  readonly optimizer: AdamWConfig;
  readonly cases: Readonly<Record<string, Golden>>;
}

const goldenFolder = fileURLToPath(new URL("golden/lora/", import.meta.url));
const goldens = JSON.parse(readFileSync(new URL("golden/lora.json", import.meta.url), "utf8")) as Goldens;
const folder = mkdtempSync(join(tmpdir(), "ift-kit-lora-"));
after(() => rmSync(folder, { recursive: true }));

function logitsOf(decoder: Decoder, ids: readonly (readonly number[])[]): TensorFlow.Tensor2D {
  const hidden = tf.reshape(decoder.hiddenStates({ ids: matrix(ids) }), [-1, decoder.config.width]);
  return decoder.logits(hidden as TensorFlow.Tensor2D);
}

function valuesOf(decoder: Decoder, ids: readonly (readonly number[])[]): Float32Array {
  return tf.tidy(() => logitsOf(decoder, ids).dataSync<"float32">().slice());
}

function lossAndGradients(
  decoder: Decoder,
  { ids, targets }: Golden,
): { value: TensorFlow.Scalar; grads: TensorFlow.NamedTensorMap } {
  const labels = tf.tensor1d(targets.flat(), "int32");
  return tf.variableGrads(
    () => tf.div<TensorFlow.Scalar>(softmaxCrossEntropySum(logitsOf(decoder, ids), labels), labels.size),
    [...decoder.parameters.values()],
  );
}

/** Tensors of an adapter file by name. */
function tensorsOf(directory: string): Map<string, unknown> {
  const file = SafetensorsFile.open(join(directory, "adapter_model.safetensors"));
  try {
    return new Map(file.header.entries.map((entry) => [entry.name, file.read(entry)]));
  } finally {
    file.close();
  }
}

before(async () => {
  await startEngine();
});

describe("LoRA against PEFT", () => {
  for (const [name, golden] of Object.entries(goldens.cases)) {
    it(`${name}: logits, merged or not, and the gradient of every adapter matrix`, () => {
      const base = waveDecoder(golden.config);
      const adapter = loadAdapter(join(goldenFolder, name), golden.config);
      const decoder = base.withAdapter(adapter);
      assertClose(valuesOf(decoder, golden.ids), golden.logits, 1e-4);
      assert.ok(
        largestDifference(valuesOf(base, golden.ids), golden.logits).worst > 1e-2,
        "the adapter shows",
      );
      const merged = mergeAdapter(base, adapter);
      assertClose(valuesOf(merged, golden.ids), golden.merged, 1e-4);
      saveAdapter(join(folder, name), adapter, golden.config);
      // The same order of tensors in both files: by what they are in ours.
      const names = [...tensorsOf(join(folder, name)).keys()];
      tf.tidy(() => {
        const { grads } = lossAndGradients(decoder, golden);
        assert.equal(Object.keys(golden.gradients).length, decoder.parameters.size);
        [...decoder.parameters.values()].forEach((parameter, index) => {
          const gradient = grads[parameter.name]?.dataSync() ?? [];
          assertClose(gradient, golden.gradients[names[index] ?? ""] ?? [], 1e-4);
        });
      });
      for (const each of [decoder, merged, base]) each.dispose();
    });

    it(`${name}: ten steps of AdamW on the adapter, the base untouched`, () => {
      const base = waveDecoder(golden.config);
      const before = valuesOf(base, golden.ids);
      const decoder = base.withAdapter(loadAdapter(join(goldenFolder, name), golden.config));
      const optimizer = new Optimizer(decoder.parameters, goldens.optimizer);
      golden.steps.forEach((expected, step) => {
        tf.tidy(() => {
          const { value, grads } = lossAndGradients(decoder, golden);
          const loss = value.dataSync()[0] ?? NaN;
          assert.ok(Math.abs(loss / expected - 1) < 1e-3, `step ${step}: ${loss} and ${expected}`);
          optimizer.accumulate(grads);
          optimizer.step(goldens.optimizer.learningRate, optimizer.gradientNorm());
        });
      });
      assert.deepEqual(valuesOf(base, golden.ids), before);
      optimizer.dispose();
      for (const each of [decoder, base]) each.dispose();
    });

    it(`${name}: PEFT's file is written again with the same tensors`, () => {
      const adapter = loadAdapter(join(goldenFolder, name), golden.config);
      saveAdapter(join(folder, name), adapter, golden.config);
      const [ours, theirs] = [tensorsOf(join(folder, name)), tensorsOf(join(goldenFolder, name))];
      assert.deepEqual(new Map([...ours].sort()), new Map([...theirs].sort()));
      adapter.dispose();
    });
  }

  it("refuses an adapter of another decoder, and what the kit does not compute", () => {
    const { config } = goldens.cases.gpt2 ?? assert.fail();
    const refuses = (directory: string, message: RegExp, decoder = config): void => {
      assert.throws(
        () => loadAdapter(directory, decoder),
        (error) => error instanceof KitError && message.test(error.message),
      );
    };
    refuses(join(goldenFolder, "qwen2"), /belongs to no layer/);
    refuses(join(goldenFolder, "gpt2"), /it should be .*\[10, 2\]/, { ...config, feedForwardWidth: 10 });
    for (const [change, message] of [
      [{ use_dora: true }, /field "use_dora"/],
      [{ bias: "all" }, /field "bias"/],
      [{ rank_pattern: { c_attn: 4 } }, /field "rank_pattern/],
      [{ r: 3 }, /it should be .*\[3, 8\]/],
    ] as const) {
      const copy = mkdtempSync(join(folder, "copy-"));
      cpSync(join(goldenFolder, "gpt2"), copy, { recursive: true });
      const file = join(copy, ADAPTER_CONFIG_FILE);
      const value = JSON.parse(readFileSync(file, "utf8")) as object;
      writeFileSync(file, JSON.stringify({ ...value, ...change }));
      refuses(copy, message);
    }
  });
});
