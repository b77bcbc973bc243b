import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { sha256 } from "../../src/support/hash.js";
import { readJsonFile, readTextFile } from "../../src/support/files.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { NO_SHARED_DATA, sharedData, temporaryFolder } from "../data/fixtures.js";

interface Encoded {
  readonly file: string;
  readonly tokens: number;
  readonly ids: readonly string[];
}

/** Made by make_tokenizer_goldens.py with Python's `tokenizers`. */
const GOLDEN = readJsonFile(join(import.meta.dirname, "golden/tokenizer.json")) as {
  readonly texts: readonly string[];
  readonly bpe: {
    readonly vocabularySize: number;
    readonly merges: readonly (readonly [string, string])[];
    readonly encoded: Encoded;
  };
  readonly character: { readonly encoded: Encoded };
  readonly book: { readonly name: string; readonly vocabularySize: number; readonly merges: string };
};

/** The merges that a tokenizer writes into its file. */
function savedMerges(tokenizer: Tokenizer, folder: string): unknown {
  tokenizer.save(folder);
  return (readJsonFile(join(folder, "tokenizer.json")) as { model: { merges: unknown } }).model.merges;
}

/** The file is the one that Python loaded, and the ids of the 2,000 texts are those that Python found with it. */
function assertSameAsPython(tokenizer: Tokenizer, golden: Encoded, folder: string): void {
  tokenizer.save(folder);
  assert.equal(
    sha256(readFileSync(join(folder, "tokenizer.json"))),
    golden.file,
    "the file that Python loaded",
  );
  const loaded = loadTokenizer(folder);
  const ids = GOLDEN.texts.map((text) => loaded.encode(text).ids);
  assert.equal(ids.length, 2000);
  const different = ids.flatMap((row, index) =>
    sha256(JSON.stringify(row)).slice(0, 8) === golden.ids[index] ? [] : [GOLDEN.texts[index]],
  );
  assert.deepEqual(different, []);
  assert.equal(ids.flat().length, golden.tokens);
}

test("byte-level BPE: Python's trainer learns the same merges from the same texts", (context) => {
  const { vocabularySize, merges } = GOLDEN.bpe;
  const tokenizer = trainByteLevelBpe(GOLDEN.texts, { vocabularySize });
  assert.deepEqual(savedMerges(tokenizer, temporaryFolder(context)), merges);
  const reordered = trainByteLevelBpe([...GOLDEN.texts].reverse(), { vocabularySize });
  assert.equal(reordered.hash, tokenizer.hash, "the order of the texts does not matter");
  const fewer = trainByteLevelBpe(GOLDEN.texts.slice(0, 1000), { vocabularySize });
  assert.notDeepEqual(savedMerges(fewer, temporaryFolder(context)), merges, "other texts give other merges");
});

test("byte-level BPE: Python loads our file and gives the same ids", (context) => {
  const tokenizer = trainByteLevelBpe(GOLDEN.texts, { vocabularySize: GOLDEN.bpe.vocabularySize });
  assertSameAsPython(tokenizer, GOLDEN.bpe.encoded, temporaryFolder(context));
});

test("characters: Python loads our file and gives the same ids", (context) => {
  const tokenizer = CharacterTokenizer.fromTexts(GOLDEN.texts);
  assertSameAsPython(tokenizer, GOLDEN.character.encoded, temporaryFolder(context));
});

const BOOK = sharedData(`text/${GOLDEN.book.name}`);
test(
  `byte-level BPE: the same merges from ${GOLDEN.book.name}`,
  { skip: BOOK === undefined && NO_SHARED_DATA },
  (context) => {
    const { vocabularySize, merges } = GOLDEN.book;
    const tokenizer = trainByteLevelBpe([readTextFile(BOOK ?? "")], { vocabularySize });
    assert.equal(sha256(JSON.stringify(savedMerges(tokenizer, temporaryFolder(context)))), merges);
  },
);

/** Made by make_hub_tokenizer_goldens.py: built like the tokenizers of SmolLM2, Qwen2 and Llama 3. */
const HUB = readJsonFile(join(import.meta.dirname, "golden/hub-tokenizers.json")) as Readonly<
  Record<string, { readonly texts: number; readonly tokens: number; readonly ids: readonly string[] }>
>;

for (const [name, golden] of Object.entries(HUB)) {
  const folder = join(import.meta.dirname, "golden/hub-tokenizers", name);
  test(`${name}: the ids of Python's tokenizers, and the text back`, () => {
    const tokenizer = loadTokenizer(folder);
    const all = GOLDEN.texts.slice(0, 800);
    const texts = name === "qwen2" ? all.filter((text) => text === text.normalize("NFC")) : all;
    assert.equal(texts.length, golden.texts);
    const rows = texts.map((text) => tokenizer.encode(text));
    const different = texts.filter(
      (_, index) => sha256(JSON.stringify(rows[index]?.ids)).slice(0, 8) !== golden.ids[index],
    );
    assert.deepEqual(different, []);
    assert.equal(
      rows.reduce((sum, { ids }) => sum + ids.length, 0),
      golden.tokens,
    );
    texts.forEach((text, index) => {
      assert.equal(tokenizer.decode(rows[index]?.ids ?? []), text);
      assert.equal(rows[index]?.byteEnds.at(-1) ?? 0, Buffer.byteLength(text));
    });
  });

  test(`${name}: saved as it was loaded, with everything in its config`, (context) => {
    const copy = temporaryFolder(context);
    const tokenizer = loadTokenizer(folder);
    tokenizer.save(copy);
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
      assert.deepEqual(readJsonFile(join(copy, file)), readJsonFile(join(folder, file)));
    }
    assert.deepEqual(loadTokenizer(copy).special, tokenizer.special);
    assert.equal(loadTokenizer(copy).hash, tokenizer.hash);
  });
}

test("BOS only where the tokenizer writes it; padding falls back to EOS, since no mask comes from it", () => {
  const specialOf = (name: string): Tokenizer["special"] =>
    loadTokenizer(join(import.meta.dirname, "golden/hub-tokenizers", name)).special;
  const { bos, eos, pad } = specialOf("llama3");
  assert.deepEqual([bos, pad], [eos - 1, eos]);
  assert.equal(specialOf("smollm2").bos, undefined, "it is named and never written");
  assert.notEqual(specialOf("qwen2").pad, specialOf("qwen2").eos);
});

test("a text that the normalizer would change is an error, not another text", () => {
  const tokenizer = loadTokenizer(join(import.meta.dirname, "golden/hub-tokenizers/qwen2"));
  assert.throws(() => tokenizer.encode("e\u0301"), /composed form \(NFC\)/);
  assert.equal(tokenizer.decode(tokenizer.encode("\u00e9").ids), "\u00e9");
});
