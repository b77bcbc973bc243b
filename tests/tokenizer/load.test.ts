import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KitError } from "../../src/support/errors.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { temporaryFolder } from "../data/fixtures.js";

const BPE = trainByteLevelBpe(["the cat sat on the mat"], { vocabularySize: 270 });

test("what was saved is loaded: same ids, same hash, same kind", (context) => {
  for (const bos of [true, false]) {
    const tokenizers = [
      trainByteLevelBpe(["the cat sat on the mat"], { vocabularySize: 270, bos }),
      CharacterTokenizer.fromTexts(["the cat sat on the mat é😀"], { bos }),
    ];
    for (const tokenizer of tokenizers) {
      const folder = temporaryFolder(context);
      tokenizer.save(folder);
      const loaded = loadTokenizer(folder);
      assert.equal(loaded.hash, tokenizer.hash);
      assert.deepEqual([loaded.kind, loaded.special], [tokenizer.kind, tokenizer.special]);
      assert.equal(loaded.vocabularySize, tokenizer.vocabularySize);
      assert.deepEqual(loaded.encode("the mat"), tokenizer.encode("the mat"));
      assert.equal(loaded.special.bos === undefined, !bos);
    }
  }
});

test("characters: one id each, in the order of their code points, behind the special tokens", () => {
  const tokenizer = CharacterTokenizer.fromTexts(["ba", "é😀"]);
  assert.deepEqual(tokenizer.special, { pad: 0, bos: 1, eos: 2 });
  assert.deepEqual(tokenizer.encode("abé😀"), { ids: [3, 4, 5, 6], byteEnds: [1, 2, 4, 8] });
  assert.equal(tokenizer.decode([1, 3, 6, 2, 0]), "a😀");
  assert.equal(tokenizer.hash, CharacterTokenizer.fromAlphabet(["😀", "a", "é", "b"]).hash);
  assert.notEqual(tokenizer.hash, CharacterTokenizer.fromAlphabet(["a", "b"]).hash);
  assert.throws(() => tokenizer.encode("abc"), /no "c" \(U\+0063\), found in "abc"/);
  assert.throws(() => CharacterTokenizer.fromTexts([]), /the alphabet is empty/);
  assert.throws(() => CharacterTokenizer.fromAlphabet(["ab"]), /"ab" is not one character/);
});

type Json = Record<string, unknown> & { model: Record<string, unknown>; added_tokens: unknown[] };

/** Saves a good tokenizer, changes one of its files, and loads it. */
function loadChanged(folder: string, name: string, change: (json: Json) => unknown): () => unknown {
  BPE.save(folder);
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")) as Json)));
  return () => loadTokenizer(folder);
}

test("a missing, truncated or damaged tokenizer is one line that names the file and the field", (context) => {
  const folder = temporaryFolder(context);
  assert.throws(() => loadTokenizer(join(folder, "none")), /none.tokenizer\.json: no such file or folder/);
  BPE.save(folder);
  rmSync(join(folder, "tokenizer_config.json"));
  assert.throws(() => loadTokenizer(folder), /tokenizer_config\.json: no such file/);
  BPE.save(folder);
  const path = join(folder, "tokenizer.json");
  writeFileSync(path, readFileSync(path).subarray(0, 500));
  assert.throws(() => loadTokenizer(folder), /tokenizer\.json.*not valid JSON/);
  const damages: [RegExp, (json: Json) => unknown][] = [
    [/field "model"/, (json) => ({ ...json, model: undefined })],
    [/field "model\.type"/, (json) => ({ ...json, model: { ...json.model, type: "WordLevel" } })],
    [/field "model\.merges/, (json) => ({ ...json, model: { ...json.model, merges: [["t", 1]] } })],
    [
      /merge 0 \("t" and "q"\) is not made of tokens/,
      (json) => ({ ...json, model: { ...json.model, merges: ["t q"] } }),
    ],
    [
      /have the same id/,
      (json) => ({ ...json, added_tokens: [...json.added_tokens, { id: 5, content: "<x>" }] }),
    ],
    [
      /no token has the id/,
      (json) => ({ ...json, added_tokens: [...json.added_tokens, { id: 999, content: "<x>" }] }),
    ],
    [/no token for the byte/, (json) => ({ ...json, ...withoutLastByte(json) })],
    [/has a normalizer \(Lowercase\)/, (json) => ({ ...json, normalizer: { type: "Lowercase" } })],
    [/pre-tokenizer is Metaspace/, (json) => ({ ...json, pre_tokenizer: { type: "Metaspace" } })],
    [/adds a blank/, (json) => ({ ...json, pre_tokenizer: { type: "ByteLevel", add_prefix_space: true } })],
    [/merges and no pre-tokenizer/, (json) => ({ ...json, pre_tokenizer: null })],
  ];
  for (const [says, damage] of damages) {
    const load = loadChanged(folder, "tokenizer.json", damage);
    assert.throws(load, (error) => error instanceof KitError && says.test(error.message), String(says));
  }
  const configs: [RegExp, object][] = [
    [/field "eos_token": the token is not set/, { eos_token: null }],
    [/"<x>" is not among the added_tokens/, { bos_token: "<x>" }],
  ];
  for (const [says, change] of configs) {
    const load = loadChanged(folder, "tokenizer_config.json", (json) => ({ ...json, ...change }));
    assert.throws(load, (error) => error instanceof KitError && says.test(error.message), String(says));
  }
});

/** The byte alphabet without its last character, ids without a gap, no merges. */
function withoutLastByte(json: Json): object {
  const byId = Object.entries(json.model.vocab as Record<string, number>).sort(([, a], [, b]) => a - b);
  const tokens = byId.slice(0, 3 + 255).map(([token]) => token);
  return {
    model: { ...json.model, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
  };
}

test("merges may be written as pairs or, as in older files, as strings", (context) => {
  const load = loadChanged(temporaryFolder(context), "tokenizer.json", (json) => ({
    ...json,
    model: {
      ...json.model,
      merges: (json.model.merges as [string, string][]).map((pair) => pair.join(" ")),
    },
  }));
  const loaded = load() as typeof BPE;
  assert.deepEqual(loaded.encode("the cat sat"), BPE.encode("the cat sat"));
});
