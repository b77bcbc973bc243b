import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256 } from "../../src/support/hash.js";
import { readJsonFile } from "../../src/support/files.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { temporaryFolder } from "../data/fixtures.js";

interface Golden {
  readonly tokens: number;
  readonly unknown: number;
  readonly ids: readonly string[];
  readonly decoded: readonly string[];
  readonly vocabularySize: number;
}

/** Made by make_unigram_goldens.py with Python's `tokenizers`. */
const { more, ...goldens } = readJsonFile(join(import.meta.dirname, "golden/unigram.json")) as {
  readonly more: readonly string[];
  readonly nfkc: Golden;
  readonly precompiled: Golden;
};
const { texts: shared } = readJsonFile(join(import.meta.dirname, "golden/tokenizer.json")) as {
  readonly texts: readonly string[];
};
const TEXTS = [...shared.slice(0, 800), ...more];
const FOLDER = join(import.meta.dirname, "golden/unigram");

function short(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 8);
}

for (const [name, golden] of Object.entries(goldens)) {
  test(`Unigram, ${name}: ids and texts of Python's tokenizers`, () => {
    const tokenizer = loadTokenizer(join(FOLDER, name));
    const rows = TEXTS.map((text) => tokenizer.encode(text));
    assert.deepEqual(
      TEXTS.filter((_, index) => short(rows[index]?.ids) !== golden.ids[index]),
      [],
    );
    const decoded = rows.map(({ ids }) => tokenizer.decode(ids));
    assert.deepEqual(
      decoded.filter((text, index) => short(text) !== golden.decoded[index]),
      [],
    );
    const all = rows.flatMap(({ ids }) => ids);
    assert.equal(all.length, golden.tokens);
    assert.equal(all.filter((id) => id === 2).length, golden.unknown);
    assert.ok(golden.unknown > 0, "there are characters without a piece");
    assert.equal(tokenizer.vocabularySize, golden.vocabularySize);
    rows.forEach(({ ids, byteEnds }, index) => {
      const bytes = Buffer.byteLength(TEXTS[index] ?? "");
      assert.equal(byteEnds.length, ids.length);
      assert.ok(byteEnds.every((end, place) => end >= (byteEnds[place - 1] ?? 0) && end <= bytes));
      if (ids.length > 0) assert.equal(byteEnds.at(-1), bytes);
    });
  });

  test(`Unigram, ${name}: saved as it was loaded`, (context) => {
    const copy = temporaryFolder(context);
    const tokenizer = loadTokenizer(join(FOLDER, name));
    tokenizer.save(copy);
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
      assert.deepEqual(readJsonFile(join(copy, file)), readJsonFile(join(FOLDER, name, file)));
    }
    assert.equal(loadTokenizer(copy).hash, tokenizer.hash);
    assert.deepEqual(tokenizer.special, { eos: 1, pad: 0 });
  });
}

test("Unigram: without the normaliser the ids are others; special tokens in a text stay text", (context) => {
  const json = readJsonFile(join(FOLDER, "precompiled/tokenizer.json")) as object;
  const copy = temporaryFolder(context);
  loadTokenizer(join(FOLDER, "precompiled")).save(copy);
  writeFileSync(join(copy, "tokenizer.json"), JSON.stringify({ ...json, normalizer: null }));
  const bare = loadTokenizer(copy);
  const different = TEXTS.filter(
    (text, index) => short(bare.encode(text).ids) !== goldens.precompiled.ids[index],
  );
  assert.ok(different.length > 50);
  const tokenizer = loadTokenizer(join(FOLDER, "precompiled"));
  const { ids } = tokenizer.encode("end </s> <extra_id_0> <pad>");
  const added = new Set(tokenizer.addedTokens?.values());
  assert.ok(added.size === 12 && ids.every((id) => !added.has(id)));
});

test("Unigram: what the kit cannot do is refused by name", (context) => {
  const json = readJsonFile(join(FOLDER, "nfkc/tokenizer.json")) as Record<string, unknown>;
  for (const [change, message] of [
    [{ pre_tokenizer: { type: "Whitespace" } }, /not WhitespaceSplit and Metaspace/],
    [{ normalizer: { type: "StripAccents" } }, /its normalizer is StripAccents/],
    [
      { normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } },
      /precompiled_charsmap is damaged/,
    ],
    [{ model: { ...(json.model as object), byte_fallback: true } }, /byte_fallback/],
    [{ decoder: { type: "ByteLevel" } }, /decoder is not Metaspace/],
  ] as const) {
    const copy = temporaryFolder(context);
    loadTokenizer(join(FOLDER, "nfkc")).save(copy);
    writeFileSync(join(copy, "tokenizer.json"), JSON.stringify({ ...json, ...change }));
    assert.throws(() => loadTokenizer(copy), message);
  }
});
