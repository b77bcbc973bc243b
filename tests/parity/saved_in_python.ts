// Do folders and adapters that the kit saves load in transformers and PEFT, with the same logits? Not part of the tests,
// because it needs a Python with torch, transformers and peft:
//
//   IFT_KIT_PEER_PYTHON=PYTHON node --import ./src/cli/register.js --test tests/parity/saved_in_python.ts
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import type { DecoderConfig } from "../../src/model/config.js";
import type { Decoder } from "../../src/model/decoder.js";
import { loadAdapter, saveAdapter } from "../../src/model/lora/peft.js";
import { assertClose } from "../engine/numeric.js";
import { FAMILIES, largeDecoder, matrix } from "../model/models.js";
import { waveDecoder } from "./wave.js";

interface AdapterGolden {
  readonly config: DecoderConfig;
  readonly ids: number[][];
}

const { cases } = JSON.parse(readFileSync(new URL("golden/lora.json", import.meta.url), "utf8")) as {
  readonly cases: Readonly<Record<string, AdapterGolden>>;
};
const folder = mkdtempSync(join(tmpdir(), "ift-kit-saved-"));
before(() => startEngine());
after(() => rmSync(folder, { recursive: true }));

function logitsOf(decoder: Decoder, ids: readonly (readonly number[])[]): number[] {
  return tf.tidy(() => {
    const hidden = tf.reshape(decoder.hiddenStates({ ids: matrix(ids) }), [-1, decoder.config.width]);
    return Array.from(decoder.logits(hidden as ReturnType<typeof matrix>).dataSync());
  });
}

/** What Python computes from a saved folder, and from the adapter where one is given. */
function inPython(directory: string, ids: readonly (readonly number[])[], adapter?: string) {
  const python = process.env.IFT_KIT_PEER_PYTHON;
  assert.ok(python !== undefined, "IFT_KIT_PEER_PYTHON names the Python");
  const script = fileURLToPath(new URL("load_saved.py", import.meta.url));
  const command = [script, directory, JSON.stringify(ids), ...(adapter === undefined ? [] : [adapter])];
  const output = execFileSync(python, command, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return JSON.parse(output) as { readonly logits: number[]; readonly special: number[] };
}

for (const [family, config] of Object.entries(FAMILIES)) {
  if (family === "PaLM") continue;
  it(`${family}: transformers gives the same logits`, () => {
    const decoder = largeDecoder(config);
    const directory = join(folder, family);
    saveDecoder(directory, decoder, { special: { bos: 1, eos: 2, pad: 0 }, maxFileBytes: 1000 });
    const ids = [[3, 1, 4, 1, 5, 9]];
    const { logits, special } = inPython(directory, ids);
    assertClose(logitsOf(decoder, ids), logits, 1e-4);
    assert.deepEqual(special, [1, 2, 0]);
    decoder.dispose();
  });
}

for (const [name, { config, ids }] of Object.entries(cases)) {
  it(`${name}: PEFT gives the same logits`, () => {
    const base = waveDecoder(config);
    const golden = fileURLToPath(new URL(`golden/lora/${name}`, import.meta.url));
    const decoder = base.withAdapter(loadAdapter(golden, config));
    const directory = join(folder, `adapted-${name}`);
    const adapter = join(directory, "adapter");
    saveDecoder(directory, base, { special: { eos: 2, pad: 0 } });
    saveAdapter(adapter, decoder.adapter ?? assert.fail(), config);
    assertClose(logitsOf(decoder, ids), inPython(directory, ids, adapter).logits, 1e-4);
    for (const each of [decoder, base]) each.dispose();
  });
}
