import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { loadDecoder, saveDecoder } from "../../src/model/checkpoint.js";
import type { Decoder } from "../../src/model/decoder.js";
import { INDEX_FILE, WEIGHTS_FILE } from "../../src/model/weights.js";
import { KitError } from "../../src/support/errors.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { FAMILIES, hiddenAlone, largeDecoder, matrix } from "../model/models.js";

interface Golden {
  readonly ids: number[][];
  readonly logits: number[];
}

const goldenFolder = fileURLToPath(new URL("golden/checkpoints/", import.meta.url));
const goldens = JSON.parse(
  readFileSync(new URL("golden/checkpoints.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Golden>>;

const folder = mkdtempSync(join(tmpdir(), "ift-kit-hugging-face-"));
after(() => rmSync(folder, { recursive: true }));

function logitsOf(decoder: Decoder, ids: readonly (readonly number[])[]): number[] {
  return tf.tidy(() => {
    const hidden = tf.reshape(decoder.hiddenStates({ ids: matrix(ids) }), [-1, decoder.config.width]);
    return Array.from(decoder.logits(hidden as ReturnType<typeof matrix>).dataSync());
  });
}

/** A copy of a golden folder that a test may damage. */
function copyOf(name: string): string {
  const copy = mkdtempSync(join(folder, "copy-"));
  cpSync(join(goldenFolder, name), copy, { recursive: true });
  return copy;
}

function edit(file: string, change: (value: Record<string, unknown>) => unknown): void {
  const value = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(change(value)));
}

function refuses(directory: string, message: RegExp): void {
  const tensors = tf.memory().numTensors;
  assert.throws(
    () => loadDecoder(directory),
    (error) => error instanceof KitError && message.test(error.message),
  );
  assert.equal(tf.memory().numTensors, tensors);
}

before(async () => {
  await startEngine();
});

describe("checkpoints of transformers", () => {
  for (const [name, golden] of Object.entries(goldens)) {
    it(`${name}: the logits of transformers`, () => {
      const decoder = loadDecoder(join(goldenFolder, name));
      assertClose(logitsOf(decoder, golden.ids), golden.logits, 1e-4);
      decoder.dispose();
    });

    it(`${name}: saved again and loaded, in one file and in several, the same bits`, () => {
      const decoder = loadDecoder(join(goldenFolder, name));
      const logits = logitsOf(decoder, golden.ids);
      for (const maxFileBytes of [Infinity, 500, Infinity]) {
        saveDecoder(join(folder, "again"), decoder, { layout: "hugging-face", maxFileBytes });
        const again = loadDecoder(join(folder, "again"));
        assert.deepEqual(again.config, decoder.config);
        assert.deepEqual(logitsOf(again, golden.ids), logits);
        again.dispose();
      }
      decoder.dispose();
    });
  }

  it("a config that is read wrongly would show", () => {
    const copy = copyOf("llama-bf16-sharded");
    edit(join(copy, "config.json"), (config) => ({ ...config, rope_parameters: undefined }));
    const decoder = loadDecoder(copy);
    const golden = goldens["llama-bf16-sharded"];
    assert.ok(golden);
    assert.ok(largestDifference(logitsOf(decoder, golden.ids), golden.logits).worst > 1e-3);
    decoder.dispose();
  });

  it("names what the kit does not compute, and takes no tensor", () => {
    const changes: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
      ["llama-bf16-sharded", { hidden_act: "relu" }, /field "hidden_act".*"relu"/],
      ["llama-bf16-sharded", { rope_parameters: { rope_type: "yarn" } }, /rope_parameters.*"yarn"/],
      ["qwen2-f16", { use_sliding_window: true }, /field "use_sliding_window"/],
      ["qwen2-f16", { hidden_size: undefined }, /field "hidden_size".*lacks/],
      ["qwen2-f16", { num_key_value_heads: 3 }, /field "keyValueHeads"/],
      ["gpt2", { activation_function: "relu" }, /field "activation_function"/],
      ["gpt2", { model_type: "mamba" }, /field "model_type".*gpt2, llama, qwen2/],
      ["gpt2", { n_inner: 20 }, /"transformer.h.0.mlp.c_fc.weight" is F32 \[8, 32\].*\[8, 20\]/],
    ];
    for (const [name, change, message] of changes) {
      const copy = copyOf(name);
      edit(join(copy, "config.json"), (config) => ({ ...config, ...change }));
      refuses(copy, message);
    }
  });

  it("refuses an index that leads out of the folder, or that names another file than the tensor is in", () => {
    for (const name of [
      "../elsewhere.safetensors",
      "/etc/passwd",
      "a\\b.safetensors",
      ".hidden.safetensors",
      "x.bin",
    ]) {
      const copy = copyOf("llama-bf16-sharded");
      edit(join(copy, INDEX_FILE), ({ weight_map: map }) => ({
        weight_map: { ...(map as Record<string, string>), "model.norm.weight": name },
      }));
      refuses(copy, /leads out of its folder/);
    }
    const copy = copyOf("llama-bf16-sharded");
    edit(join(copy, INDEX_FILE), ({ weight_map: map }) => ({
      weight_map: {
        ...(map as Record<string, string>),
        "model.norm.weight": "model-00001-of-00006.safetensors",
      },
    }));
    refuses(copy, /"model.norm.weight" is not in model-00001-of-00006.safetensors/);
    rmSync(join(copy, "model-00002-of-00006.safetensors"));
    refuses(copy, /no such file/);
  });

  it("refuses weights that are there only as a pickle file", () => {
    const copy = copyOf("gpt2");
    rmSync(join(copy, WEIGHTS_FILE));
    refuses(copy, /no such file/);
    writeFileSync(join(copy, "pytorch_model.bin"), "");
    refuses(copy, /pytorch_model.bin: .*pickle file only.*runs whatever code/);
  });

  it("refuses to save what no family of transformers computes, and keeps the kit's own layout for it", () => {
    const decoder = largeDecoder(FAMILIES.PaLM);
    assert.throws(() => saveDecoder(join(folder, "palm"), decoder, { layout: "hugging-face" }), KitError);
    saveDecoder(join(folder, "palm"), decoder);
    const again = loadDecoder(join(folder, "palm"));
    assert.deepEqual(hiddenAlone(again, [1, 2]), hiddenAlone(decoder, [1, 2]));
    for (const each of [again, decoder]) each.dispose();
  });

  it("stores short types with at most their rounding", () => {
    const decoder = largeDecoder(FAMILIES.Qwen2);
    for (const [type, limit] of [
      ["F16", 2 ** -11],
      ["BF16", 2 ** -8],
    ] as const) {
      saveDecoder(join(folder, type), decoder, { type });
      const again = loadDecoder(join(folder, type));
      for (const [name, parameter] of decoder.parameters) {
        const [exact, rounded] = [parameter.dataSync(), again.weight(name).dataSync()];
        exact.forEach((value, index) => {
          const error = Math.abs((rounded[index] ?? NaN) - value);
          assert.ok(error <= limit * Math.abs(value) + 1e-7, `${name} ${index}: ${value}, ${rounded[index]}`);
        });
      }
      again.dispose();
    }
    decoder.dispose();
  });
});
