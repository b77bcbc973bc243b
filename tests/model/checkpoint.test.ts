import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { CONFIG_FILE, loadDecoder, saveDecoder } from "../../src/model/checkpoint.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../../src/model/safetensors.js";
import { WEIGHTS_FILE } from "../../src/model/weights.js";
import { KitError } from "../../src/support/errors.js";
import { FAMILIES, GPT2, hiddenAlone, largeDecoder } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-checkpoint-"));
const saved = join(folder, "saved");
const weights = join(saved, WEIGHTS_FILE);
const config = join(saved, CONFIG_FILE);

function save(of: DecoderConfig): number[][] {
  const decoder = largeDecoder(of);
  saveDecoder(saved, decoder, { layout: "kit" });
  const hidden = hiddenAlone(decoder, [1, 2, 3]);
  decoder.dispose();
  return hidden;
}

/** Asserts that loading fails with one clear line about the file, and takes no tensor. */
function refuses(file: string, message: RegExp): void {
  const before = tf.memory().numTensors;
  assert.throws(
    () => loadDecoder(saved),
    (error) => {
      assert.ok(error instanceof KitError, String(error));
      assert.equal(error.location.file, file);
      assert.match(error.message, message);
      return true;
    },
  );
  assert.equal(tf.memory().numTensors, before);
}

function editWeights(edit: (tensors: Map<string, StoredTensor>) => void): void {
  const tensors = new Map(readSafetensors(weights).tensors);
  edit(tensors);
  writeSafetensors(weights, tensors);
}

function editConfig(change: Record<string, unknown>): void {
  const value = JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>;
  writeFileSync(config, JSON.stringify({ ...value, ...change }));
}

before(async () => {
  await startEngine();
});
after(() => rmSync(folder, { recursive: true }));

describe("checkpoint", () => {
  beforeEach(() => {
    save(GPT2);
  });

  for (const [family, of] of Object.entries(FAMILIES)) {
    it(`${family}: a loaded decoder is the saved one, bit for bit`, () => {
      const hidden = save(of);
      const decoder = loadDecoder(saved);
      assert.deepEqual(decoder.config, of);
      assert.deepEqual(hiddenAlone(decoder, [1, 2, 3]), hidden);
      decoder.dispose();
    });
  }

  it("refuses a folder without a model", () => {
    rmSync(config);
    refuses(config, /no such file/);
  });

  it("refuses a truncated file of weights, and one that was truncated in the header", () => {
    const { length } = readFileSync(weights);
    truncateSync(weights, length - 1);
    refuses(weights, /cut off/);
    truncateSync(weights, 100);
    refuses(weights, /claims/);
  });

  it("refuses weights with a flipped bit", () => {
    const bytes = readFileSync(weights);
    const at = bytes.length - 5;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(weights, bytes);
    refuses(weights, /damaged/);
  });

  it("refuses weights of another model", () => {
    copyFileSync(config, join(folder, "gpt2.json"));
    save(FAMILIES.Llama);
    copyFileSync(join(folder, "gpt2.json"), config);
    refuses(weights, /"embedding.position".*is missing/);
  });

  it("names the parameter that has another shape, another type, or no place", () => {
    editConfig({ feedForwardWidth: 24 });
    refuses(weights, /"layers.0.feedForward.up.weight" is F32 \[8, 20\].*says F32, F16 or BF16 \[8, 24\]/);
    save(GPT2);
    editWeights((tensors) => tensors.set("norm.bias", { dtype: "I32", shape: [8], data: new Int32Array(8) }));
    refuses(weights, /"norm.bias" is I32/);
    save(GPT2);
    editWeights((tensors) => tensors.set("extra", { dtype: "F32", shape: [1], data: new Float32Array(1) }));
    refuses(weights, /"extra" is no parameter/);
  });

  it("refuses a weight that is not a number", () => {
    editWeights((tensors) =>
      tensors.set("norm.bias", { dtype: "F32", shape: [8], data: new Float32Array(8).fill(NaN) }),
    );
    refuses(weights, /value 0 of the parameter "norm.bias" is NaN/);
  });

  it("names the wrong field of the config", () => {
    editConfig({ heads: 3 });
    refuses(config, /field "heads"/);
    editConfig({ architecture: "gpt2" });
    refuses(config, /field "architecture"/);
    writeFileSync(config, "{}");
    refuses(config, /field "architecture"/);
    writeFileSync(config, '{"architecture": ');
    refuses(config, /not valid JSON/);
  });
});
