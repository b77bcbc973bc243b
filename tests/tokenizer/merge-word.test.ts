import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readJsonFile } from "../../src/support/files.js";
import { Random } from "../../src/support/random.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { BYTE_CHARACTERS, fromByteAlphabet } from "../../src/tokenizer/bytes.js";
import { libraryTokenizer } from "../../src/tokenizer/hugging-face.js";
import { readTokenizerFiles } from "../../src/tokenizer/json.js";
import { shortWordMerger } from "../../src/tokenizer/merge-word.js";
import { temporaryFolder } from "../data/fixtures.js";

const WORDS = ["banana", "ananas", "bandana", "naan", "日本語", "日本", "aaaa", "abab"];
const TEXTS = [WORDS.join(" "), WORDS.toReversed().join(" "), "aaaaaaa abababab ".repeat(4)];

test("short words: the tokens of the library, also for merges in an order that no trainer gives", (context) => {
  const folder = temporaryFolder(context);
  trainByteLevelBpe(TEXTS, { vocabularySize: 330 }).save(folder);
  const { json } = readTokenizerFiles(folder);
  const random = new Random(3);
  const letters = Array.from("abn").concat(
    ["日"].flatMap((text) => BYTE_CHARACTERS.slice(0xe5, 0xe7).concat(text)),
  );
  const usable = letters.filter((letter) => letter.length === 1 && BYTE_CHARACTERS.includes(letter));
  for (const merges of [
    json.model.merges,
    json.model.merges.toReversed(),
    random.shuffled(json.model.merges),
  ]) {
    const changed = { ...json, model: { ...json.model, merges } };
    const { model } = libraryTokenizer(changed);
    assert.ok(model);
    const merge = shortWordMerger(changed);
    for (let round = 0; round < 400; round++) {
      const word = Array.from({ length: 1 + random.integer(30) }, () => random.choice(usable)).join("");
      assert.deepEqual(merge(word), model.encode([word]), word);
    }
    assert.equal(merge("a".repeat(41)), undefined, "long words are the library's");
  }
});

test("decoding any ids gives what decoding all their bytes at once gives", (context) => {
  const folder = temporaryFolder(context);
  const tokenizer = trainByteLevelBpe(TEXTS, { vocabularySize: 330 });
  tokenizer.save(folder);
  const { model } = readJsonFile(join(folder, "tokenizer.json")) as {
    model: { vocab: Record<string, number> };
  };
  const added = new Set(tokenizer.addedTokens.values());
  const bytesOf = new Map(Object.entries(model.vocab).map(([token, id]) => [id, fromByteAlphabet(token)]));
  const random = new Random(4);
  let broken = 0;
  for (let round = 0; round < 2000; round++) {
    const ids = Array.from({ length: random.integer(8) }, () => random.integer(tokenizer.vocabularySize));
    const bytes = ids.flatMap((id) => (added.has(id) ? [] : [...(bytesOf.get(id) ?? [])]));
    const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
    assert.equal(tokenizer.decode(ids), expected);
    broken += expected.includes("\ufffd") ? 1 : 0;
  }
  assert.ok(broken > 100, "many of them are no whole characters");
});
