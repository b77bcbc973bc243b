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
