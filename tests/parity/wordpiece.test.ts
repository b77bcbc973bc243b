import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readJsonFile } from "../../src/support/files.js";
import { sha256 } from "../../src/support/hash.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { trainWordPiece } from "../../src/tokenizer/train-wordpiece.js";
import { WordPieceTokenizer } from "../../src/tokenizer/wordpiece.js";
import { encodeTexts } from "../../src/train/objectives/sentence-pairs.js";
import { temporaryFolder } from "../data/fixtures.js";

interface Golden {
  readonly tokens: number;
  readonly unknown: number;
  readonly ids: readonly string[];
  readonly decoded: readonly string[];
  readonly pairs: readonly string[];
}

/** Made by make_wordpiece_goldens.py with Python's `tokenizers` and `transformers`. */
const { more, learned, folders } = readJsonFile(join(import.meta.dirname, "golden/wordpiece.json")) as {
  readonly more: readonly string[];
  readonly learned: {
    readonly alphabetLimit: number;
    readonly vocabularySize: number;
    readonly tokens: readonly string[];
  };
  readonly folders: Readonly<Record<string, Golden>>;
};
const { texts: shared } = readJsonFile(join(import.meta.dirname, "golden/tokenizer.json")) as {
  readonly texts: readonly string[];
};
const TEXTS = [...shared.slice(0, 800), ...more];
const FOLDER = join(import.meta.dirname, "golden/wordpiece");

function short(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 8);
}

function loaded(name: string): WordPieceTokenizer {
  const tokenizer = loadTokenizer(join(FOLDER, name));
  assert.ok(tokenizer instanceof WordPieceTokenizer);
  return tokenizer;
}

for (const [name, golden] of Object.entries(folders)) {
  test(`WordPiece, ${name}: ids, pairs and texts of Python's tokenizers`, () => {
    const tokenizer = loaded(name);
    const rows = TEXTS.map((text) => tokenizer.encode(text));
    assert.deepEqual(
      TEXTS.filter((_, index) => short(rows[index]?.ids) !== golden.ids[index]),
      [],
    );
    assert.deepEqual(
      TEXTS.filter((_, index) => short(tokenizer.decode(rows[index]?.ids ?? [])) !== golden.decoded[index]),
      [],
    );
    const pairs = rows.map(({ ids }, index) => {
      const second = rows[rows.length - 1 - index]?.ids;
      const encoded = encodeTexts(tokenizer.marks, ids, second);
      return short([encoded.ids, encoded.tokenTypes]);
    });
    assert.deepEqual(pairs, golden.pairs);
    const all = rows.flatMap(({ ids }) => ids);
    assert.equal(all.length, golden.tokens);
    assert.equal(all.filter((id) => id === tokenizer.marks.unknown).length, golden.unknown);
    rows.forEach(({ ids, byteEnds }, index) => {
      const bytes = Buffer.byteLength(TEXTS[index] ?? "");
      assert.equal(byteEnds.length, ids.length);
      assert.ok(byteEnds.every((end, place) => end >= (byteEnds[place - 1] ?? 0) && end <= bytes));
      if (ids.length > 0) assert.equal(byteEnds.at(-1), bytes);
    });
  });

  test(`WordPiece, ${name}: saved and loaded it is the same`, (context) => {
    const copy = temporaryFolder(context);
    const tokenizer = loaded(name);
    tokenizer.save(copy);
    const given = join(FOLDER, name, "tokenizer.json");
    if (existsSync(given)) assert.deepEqual(readJsonFile(join(copy, "tokenizer.json")), readJsonFile(given));
    assert.equal(loadTokenizer(copy).hash, tokenizer.hash);
    assert.deepEqual(tokenizer.special, { bos: 2, eos: 3, pad: 0 });
  });
}

test("WordPiece: the vocabulary that Python's trainer learns", () => {
  const { alphabetLimit, vocabularySize, tokens } = learned;
  const texts = [...TEXTS.slice(0, 500), ...more];
  const tokenizer = trainWordPiece(texts, { vocabularySize, alphabetLimit });
  const own = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenText(id));
  assert.deepEqual(own, tokens);
  assert.equal(trainWordPiece(texts.reverse(), { vocabularySize, alphabetLimit }).hash, tokenizer.hash);
  const smaller = trainWordPiece(texts, { vocabularySize: 300, alphabetLimit });
  assert.equal(smaller.vocabularySize, 300);
  const cased = trainWordPiece(texts, { vocabularySize, alphabetLimit, lowercase: false });
  assert.notEqual(cased.hash, tokenizer.hash);
  assert.throws(() => trainWordPiece(texts, { vocabularySize: 100 }), /cannot hold the \d+ characters/);
});

test("WordPiece: another normaliser gives other ids; special tokens in a text stay text", () => {
  const different = TEXTS.filter(
    (text, index) => short(loaded("cased").encode(text).ids) !== folders.uncased?.ids[index],
  );
  assert.ok(different.length > 50);
  const tokenizer = loaded("uncased");
  const { ids } = tokenizer.encode("end [SEP] [MASK] [PAD]");
  const added = new Set(tokenizer.addedTokens.values());
  assert.ok(added.size === 4 && ids.every((id) => !added.has(id)));
});

test("WordPiece: a word of more than 100 characters is unknown, and half a character is refused", () => {
  const tokenizer = loaded("uncased");
  const { unknown } = tokenizer.marks;
  assert.ok(!tokenizer.encode("ka".repeat(50)).ids.includes(unknown));
  assert.deepEqual(tokenizer.encode(`${"ka".repeat(50)}k`), { ids: [unknown], byteEnds: [101] });
  assert.throws(() => tokenizer.encode("\ud800"), /half a character/);
});

test("WordPiece: what the kit cannot do is refused by name", (context) => {
  const json = readJsonFile(join(FOLDER, "uncased/tokenizer.json")) as Record<string, object>;
  for (const [change, message] of [
    [{ pre_tokenizer: { type: "Whitespace" } }, /pre_tokenizer/],
    [{ normalizer: { type: "NFC" } }, /normalizer/],
    [{ decoder: { type: "ByteLevel" } }, /decoder/],
    [{ model: { ...json.model, unk_token: "<unk>" } }, /no token "<unk>"/],
    [{ model: { ...json.model, vocab: { "[UNK]": 3 } } }, /the same id 3|no token has the id/],
    [
      { post_processor: { ...json.post_processor, pair: [] } },
      /post-processor does not write \[CLS\] a \[SEP\] b \[SEP\]/,
    ],
  ] as const) {
    const copy = temporaryFolder(context);
    writeFileSync(join(copy, "tokenizer.json"), JSON.stringify({ ...json, ...change }));
    assert.throws(() => loadTokenizer(copy), message);
  }
});

test("WordPiece: a damaged vocab.txt is refused with its line", (context) => {
  const copy = temporaryFolder(context);
  cpSync(join(FOLDER, "vocabulary"), copy, { recursive: true });
  for (const [text, message] of [
    ["[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n", /"a" comes twice/],
    ["[PAD]\n\n[UNK]\n", /empty line/],
    ["[PAD]\n[UNK]\n[CLS]\n[SEP]\n", /no token "\[MASK\]"/],
  ] as const) {
    writeFileSync(join(copy, "vocab.txt"), text);
    assert.throws(() => loadTokenizer(copy), message);
  }
  rmSync(join(copy, "vocab.txt"));
  assert.throws(() => loadTokenizer(copy), /tokenizer\.json/);
});
