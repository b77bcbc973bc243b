import assert from "node:assert/strict";
import { test } from "node:test";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { words } from "../../src/tokenizer/pre-tokenize.js";

const TEXTS = ["the cat sat on the mat, the cat's hat", "Ünïcödé wörds wörds", "12 345 345", "\n\n\n  the"];
const tokenizer = trainByteLevelBpe(TEXTS, { vocabularySize: 300 });

/** Any character of Unicode but surrogates, more often one of the first planes and of the awkward ones. */
function randomText(random: Random): string {
  const limits = [0x80, 0x250, 0x3100, 0x10000, 0x110000];
  return Array.from({ length: random.integer(30) }, () => {
    if (random.next() < 0.1)
      return random.choice(["<|endoftext|>", "<|pad|>", "'s", "\r\n", "  ", "\ufeff", "\u0085", "👩🏽‍🚀"]);
    const code = random.integer(random.choice(limits));
    return code >= 0xd800 && code <= 0xdfff ? " " : String.fromCodePoint(code);
  }).join("");
}

test("any text comes back, and each token says where it ends", () => {
  const random = new Random(3);
  for (let round = 0; round < 3000; round++) {
    const text = randomText(random);
    const { ids, byteEnds } = tokenizer.encode(text);
    assert.equal(tokenizer.decode(ids), text);
    assert.equal(byteEnds.length, ids.length);
    assert.equal(byteEnds.at(-1) ?? 0, Buffer.byteLength(text));
    const bytes = Buffer.from(text);
    for (const [index, end] of byteEnds.entries()) {
      const start = byteEnds[index - 1] ?? 0;
      assert.ok(end > start);
      const piece = bytes.subarray(start, end).toString();
      if (!piece.includes("\ufffd")) assert.equal(tokenizer.tokenText(ids[index] ?? 0), piece);
    }
  }
});

test("the text of a special token is text; its id has no text", () => {
  const { eos, pad, bos = -1 } = tokenizer.special;
  const { ids } = tokenizer.encode("<|endoftext|><|pad|><|bos|>");
  assert.ok(!ids.some((id) => id === eos || id === pad || id === bos));
  assert.equal(tokenizer.decode([bos, ...tokenizer.encode("the").ids, eos, pad]), "the");
  assert.equal(tokenizer.tokenText(eos), "<|endoftext|>");
});

test("the most frequent pair becomes a token first; equally frequent ones by their ids", () => {
  const trained = trainByteLevelBpe(["ab ab ab cd cd xy xy zz"], { vocabularySize: 264, minFrequency: 2 });
  const learned = Array.from({ length: trained.vocabularySize - 259 }, (_, index) =>
    trained.tokenText(259 + index),
  );
  assert.deepEqual(learned, ["ab", "cd", "xy", " ab", " cd"]);
});

test("training ends when no pair is frequent enough", () => {
  const trained = trainByteLevelBpe(["ab ab cd"], { vocabularySize: 1000 });
  assert.equal(trained.vocabularySize, 259 + 1);
  assert.equal(
    trainByteLevelBpe(["ab ab cd"], { vocabularySize: 1000, minFrequency: 3 }).vocabularySize,
    259,
  );
  assert.equal(trainByteLevelBpe([], { vocabularySize: 1000, bos: false }).vocabularySize, 258);
});

test("runs of one character are counted right", () => {
  const trained = trainByteLevelBpe(["aaaa aaaaa aaaaaaa b"], { vocabularySize: 266 });
  for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 100]) {
    const text = "a".repeat(length);
    assert.equal(trained.decode(trained.encode(text).ids), text);
  }
  assert.equal(trained.tokenText(259), "aa");
});

test("a token that is not a whole number of characters is shown by its bytes", () => {
  const [first = 0] = tokenizer.encode("中").ids;
  assert.equal(tokenizer.tokenText(first), "<0xE4>");
  assert.throws(() => tokenizer.tokenText(tokenizer.vocabularySize), RangeError);
  assert.throws(() => tokenizer.decode([-1]), RangeError);
});

test("half a character and a vocabulary without room are refused", () => {
  assert.throws(() => tokenizer.encode("a\ud83d"), /half a character/);
  for (const vocabularySize of [258, 300.5, NaN]) {
    assert.throws(() => trainByteLevelBpe(TEXTS, { vocabularySize }), KitError);
  }
});

test("a long word takes no time that grows with its square", { timeout: 20_000 }, () => {
  const text = "theatmatcat".repeat(20_000);
  const start = performance.now();
  assert.equal(tokenizer.decode(tokenizer.encode(text).ids), text);
  assert.ok(performance.now() - start < 10_000);
});

test("words: GPT-2's cut, with Unicode's white space", () => {
  assert.deepEqual(words("Hello world's 123!!  x\n\ny"), [
    "Hello",
    " world",
    "'s",
    " 123",
    "!!",
    " ",
    " x",
    "\n",
    "\n",
    "y",
  ]);
  assert.deepEqual(words("a\u0085b"), ["a", "\u0085", "b"]);
  assert.deepEqual(words("a \ufeffb"), ["a", " \ufeff", "b"]);
});
