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
import type { Bert } from "../../src/model/bert/bert.js";
import { loadBert, saveBert } from "../../src/model/bert/checkpoint.js";
import type { BertConfig } from "../../src/model/bert/config.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import type { DecoderConfig } from "../../src/model/config.js";
import type { Decoder } from "../../src/model/decoder.js";
import { loadAdapter, saveAdapter } from "../../src/model/lora/peft.js";
import { loadT5, saveT5 } from "../../src/model/t5/checkpoint.js";
import type { T5Config } from "../../src/model/t5/config.js";
import type { T5 } from "../../src/model/t5/t5.js";
import { trainWordPiece } from "../../src/tokenizer/train-wordpiece.js";
import { encodeTexts } from "../../src/train/objectives/sentence-pairs.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { FAMILIES, largeDecoder, matrix } from "../model/models.js";
import { waveBert, waveDecoder, waveT5 } from "./wave.js";

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

/** The same ids are read and said. */
function logitsOfT5(model: T5, ids: readonly (readonly number[])[]): number[] {
  return tf.tidy(() => {
    const hidden = model.hiddenStates({ ids: matrix(ids), decoderIds: matrix(ids) });
    const rows: ReturnType<typeof matrix> = tf.reshape(hidden, [-1, model.config.width]);
    return Array.from(model.logits(rows).dataSync());
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

/** Of every head that the model has, in the order of `transformers`. */
function logitsOfBert(bert: Bert, ids: readonly (readonly number[])[]): number[] {
  return tf.tidy(() => {
    const hidden = bert.hiddenStates({ ids: matrix(ids) });
    const all: ReturnType<typeof matrix> = tf.reshape(hidden, [-1, bert.config.width]);
    const first: ReturnType<typeof matrix> = tf.reshape(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [
      -1,
      bert.config.width,
    ]);
    const { kind } = bert.config.head;
    if (kind === "classification") return Array.from(bert.classLogits(first).dataSync());
    const words = Array.from(bert.maskedLogits(all).dataSync());
    return kind === "masked-language" ? words : [...words, ...bert.nextSentenceLogits(first).dataSync()];
  });
}

for (const name of ["pre-training", "masked-language", "classification"]) {
  it(`BERT, ${name}: transformers gives the same logits, from one file and from several`, () => {
    const model = loadBert(fileURLToPath(new URL(`golden/bert/${name}`, import.meta.url)));
    const ids = [
      [2, 3, 1, 4, 1, 5, 9],
      [2, 6, 5, 3, 5, 8, 9],
    ];
    const own = logitsOfBert(model, ids);
    for (const maxFileBytes of [Infinity, 900]) {
      const directory = join(folder, `bert-${name}-${maxFileBytes}`);
      saveBert(directory, model, { special: { eos: 1, pad: 0 }, maxFileBytes });
      assertClose(own, inPython(directory, ids).logits, 1e-4);
    }
    model.dispose();
  });
}

it("BERT: PEFT gives the same logits", () => {
  const { adapter: golden } = JSON.parse(
    readFileSync(new URL("golden/bert.json", import.meta.url), "utf8"),
  ) as { readonly adapter: { readonly config: BertConfig; readonly ids: number[][] } };
  const { config, ids } = golden;
  const base = waveBert(config);
  const adapter = loadAdapter(fileURLToPath(new URL("golden/bert/adapter", import.meta.url)), config);
  const model = base.withAdapter(adapter);
  const directory = join(folder, "adapted-bert");
  saveBert(directory, base, { special: { eos: 1, pad: 0 } });
  saveAdapter(join(directory, "adapter"), adapter, config);
  const own = logitsOfBert(model, ids);
  assertClose(own, inPython(directory, ids, join(directory, "adapter")).logits, 1e-4);
  assert.ok(largestDifference(own, logitsOfBert(base, ids)).worst > 1e-3, "the adapter changes the logits");
  for (const each of [model, base]) each.dispose();
});

it("a WordPiece tokenizer that the kit trained: transformers gives the same ids and token types", () => {
  const directory = join(folder, "wordpiece");
  const texts = ["The café is closed, isn't it?", "naïve 中文 dogs \u200b bark", "unseen ☃ words"];
  const tokenizer = trainWordPiece([...texts, ...texts].slice(0, 5), { vocabularySize: 90 });
  tokenizer.save(directory);
  const own = texts.map((text) => {
    const { ids, tokenTypes } = encodeTexts(
      tokenizer.marks,
      tokenizer.encode(text).ids,
      tokenizer.encode(texts[0] ?? "").ids,
    );
    return [ids, tokenTypes];
  });
  const script =
    "import json, sys, transformers\n" +
    "tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])\n" +
    "texts = json.loads(sys.argv[2])\n" +
    "rows = [tokenizer(text, texts[0]) for text in texts]\n" +
    "print(json.dumps([[row['input_ids'], row['token_type_ids']] for row in rows]))";
  const python = process.env.IFT_KIT_PEER_PYTHON ?? assert.fail();
  const output = execFileSync(python, ["-c", script, directory, JSON.stringify(texts)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  assert.deepEqual(JSON.parse(output), own);
});

for (const name of ["1.0", "1.1-bf16-sharded", "1.1-tied"]) {
  it(`T5 ${name}: transformers gives the same logits, from one file and from several`, () => {
    const model = loadT5(fileURLToPath(new URL(`golden/t5/${name}`, import.meta.url)));
    const ids = [[0, 3, 1, 4, 1, 5, 9]];
    const own = logitsOfT5(model, ids);
    for (const maxFileBytes of [Infinity, 900]) {
      const directory = join(folder, `t5-${name}-${maxFileBytes}`);
      saveT5(directory, model, { special: { eos: 1, pad: 0 }, maxFileBytes });
      assertClose(own, inPython(directory, ids).logits, 1e-4);
    }
    model.dispose();
  });
}

it("T5: PEFT gives the same logits", () => {
  const { generation } = JSON.parse(readFileSync(new URL("golden/t5.json", import.meta.url), "utf8")) as {
    readonly generation: Readonly<Record<string, { readonly config: T5Config }>>;
  };
  const { config } = generation["1.1"] ?? assert.fail();
  const base = waveT5(config);
  const adapter = loadAdapter(fileURLToPath(new URL("golden/t5/adapter", import.meta.url)), config);
  const model = base.withAdapter(adapter);
  const directory = join(folder, "adapted-t5");
  saveT5(directory, base, { special: { eos: 1, pad: 0 } });
  saveAdapter(join(directory, "adapter"), adapter, config);
  const ids = [[0, 3, 1, 4, 1, 5, 9]];
  assertClose(logitsOfT5(model, ids), inPython(directory, ids, join(directory, "adapter")).logits, 1e-4);
  for (const each of [model, base]) each.dispose();
});

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
