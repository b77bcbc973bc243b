import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { loadModel, saveModel } from "../../src/model/load.js";
import { mergeAdapter } from "../../src/model/lora/merge.js";
import { loadAdapter, saveAdapter } from "../../src/model/lora/peft.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { T5 } from "../../src/model/t5/t5.js";
import { KitError } from "../../src/support/errors.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { matrix } from "../model/models.js";
import { waveT5 } from "./wave.js";

/** Made by make_t5_checkpoint_goldens.py with transformers and PEFT. */
const golden = JSON.parse(readFileSync(new URL("golden/t5-folders.json", import.meta.url), "utf8")) as {
  readonly ids: number[][];
  readonly decoderIds: number[][];
  readonly logits: Readonly<Record<string, number[]>>;
};
/** The model that make_t5_checkpoint_goldens.py adapts. */
const { generation } = JSON.parse(readFileSync(new URL("golden/t5.json", import.meta.url), "utf8")) as {
  readonly generation: Readonly<Record<string, { readonly config: T5Config }>>;
};
const goldenFolder = fileURLToPath(new URL("golden/t5/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ift-kit-t5-"));
before(() => startEngine());
after(() => rmSync(folder, { recursive: true }));

function logitsOf(model: T5): Float32Array {
  return tf.tidy(() => {
    const input = { ids: matrix(golden.ids), decoderIds: matrix(golden.decoderIds) };
    const hidden = tf.reshape(model.hiddenStates(input), [-1, model.config.width]);
    return model
      .logits(hidden as TensorFlow.Tensor2D)
      .dataSync<"float32">()
      .slice();
  });
}

function load(directory: string): T5 {
  const model = loadModel(directory);
  assert.ok(model instanceof T5);
  return model;
}

const FOLDERS = ["1.0", "1.1-bf16-sharded", "1.1-tied"];

describe("folders of T5", () => {
  for (const name of FOLDERS) {
    it(`${name}: the logits of transformers, and saved again the same bits, in one file and in several`, () => {
      const model = load(join(goldenFolder, name));
      const logits = logitsOf(model);
      assertClose(logits, golden.logits[name] ?? [], 1e-4);
      for (const maxFileBytes of [Infinity, 900]) {
        const again = join(folder, "again");
        saveModel(again, model, { maxFileBytes, special: { eos: 1, pad: 0 } });
        const loaded = load(again);
        assert.deepEqual(loaded.config, model.config);
        assert.deepEqual(logitsOf(loaded), logits);
        loaded.dispose();
      }
      model.dispose();
    });
  }

  it("a config that is read wrongly would show, and one that asks for something else is refused", () => {
    const copy = join(folder, "copy");
    cpSync(join(goldenFolder, "1.1-bf16-sharded"), copy, { recursive: true });
    const file = join(copy, "config.json");
    const config = JSON.parse(readFileSync(file, "utf8")) as object;
    const change = (fields: object): void => writeFileSync(file, JSON.stringify({ ...config, ...fields }));
    change({ relative_attention_max_distance: 20, scale_decoder_outputs: true });
    const model = load(copy);
    assert.ok(largestDifference(logitsOf(model), golden.logits["1.1-bf16-sharded"] ?? []).worst > 1e-3);
    model.dispose();
    for (const [fields, message] of [
      [{ feed_forward_proj: "gated-silu" }, /feed_forward_proj/],
      [{ d_kv: 4 }, /config\.json says .*\[8, 8\]/],
      [{ num_layers: 3 }, /"encoder\.block\.2.* is missing/],
      [{ num_decoder_layers: 1 }, /is no parameter of the model/],
      [{ decoder_start_token_id: 13 }, /starts with the token 13/],
    ] as const) {
      change(fields);
      const tensors = tf.memory().numTensors;
      assert.throws(
        () => loadModel(copy),
        (error) => error instanceof KitError && message.test(error.message),
      );
      assert.equal(tf.memory().numTensors, tensors);
    }
  });

  it("PEFT's adapter: its logits, merged or not, and the same file again", () => {
    const { config } = generation["1.1"] ?? assert.fail();
    const base = waveT5(config);
    const adapter = loadAdapter(join(goldenFolder, "adapter"), config);
    const model = base.withAdapter(adapter);
    assertClose(logitsOf(model), golden.logits.adapter ?? [], 1e-4);
    assert.ok(largestDifference(logitsOf(base), golden.logits.adapter ?? []).worst > 1e-2, "it shows");
    const merged = mergeAdapter(base, adapter);
    assertClose(logitsOf(merged), golden.logits.adapter ?? [], 1e-4);
    const again = join(folder, "adapter");
    saveAdapter(again, adapter, config);
    const copy = loadAdapter(again, config);
    assert.deepEqual(
      [...copy.parameters].map(([name, value]) => [name, value.dataSync()]),
      [...adapter.parameters].map(([name, value]) => [name, value.dataSync()]),
    );
    for (const each of [copy, merged, model, base]) each.dispose();
  });
});
