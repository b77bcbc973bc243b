import assert from "node:assert/strict";
import { before, test } from "node:test";
import { embeddingLookup } from "../../src/engine/ops/index.js";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { LoadedBert } from "../../src/evaluate/bert-folder.js";
import { fillMask } from "../../src/evaluate/fill-mask.js";
import { classify, nextSentenceProbability } from "../../src/evaluate/text-pairs.js";
import type { Bert } from "../../src/model/bert/bert.js";
import type { BertConfig } from "../../src/model/bert/config.js";
import { trainWordPiece } from "../../src/tokenizer/train-wordpiece.js";
import { flatRows } from "../../src/train/objectives/masked-language.js";
import { matrix } from "../model/models.js";
import { waveBert } from "../parity/wave.js";

const TEXTS = ["the cat sat on the mat .", "a dog lay on a red mat near the door ."];
const tokenizer = trainWordPiece([...TEXTS, ...TEXTS], { vocabularySize: 60 });

function model(head: BertConfig["head"]): LoadedBert {
  const bert = waveBert({
    vocabularySize: tokenizer.vocabularySize,
    width: 8,
    layers: 2,
    heads: 2,
    feedForwardWidth: 12,
    contextLength: 64,
    tokenTypes: 2,
    activation: "gelu",
    epsilon: 1e-12,
    dropout: 0,
    head,
  });
  return { bert, tokenizer };
}

before(() => startEngine());

/** The probabilities at a place of one row, without batches. */
function directly(
  bert: Bert,
  ids: readonly number[],
  types: readonly number[],
  place: number,
  head: (hidden: TensorFlow.Tensor2D) => TensorFlow.Tensor2D,
): number[] {
  return tf.tidy(() => {
    const hidden = flatRows(bert.hiddenStates({ ids: matrix([ids]), tokenTypes: matrix([types]) }));
    const chosen = embeddingLookup(hidden, tf.tensor1d([place], "int32")) as TensorFlow.Tensor2D;
    return Array.from(tf.softmax(head(chosen)).dataSync());
  });
}

function close(own: number, other: number): void {
  assert.ok(Math.abs(own - other) < 1e-5, `${own} and ${other}`);
}

test("fillMask: the most probable words of each mask, whatever else is in the batch", async () => {
  const loaded = model({ kind: "pre-training" });
  const texts = ["The [MASK] sat.", "a dog lay on a [MASK] mat near the [MASK]"];
  const all = (await fillMask(loaded, texts, { top: 3 })) ?? assert.fail();
  assert.deepEqual(
    all.map((masks) => masks.map((words) => words.length)),
    [[3], [3, 3]],
  );
  const { first, separator, mask } = tokenizer.marks;
  const ids = [first, ...tokenizer.encode("the").ids, mask, ...tokenizer.encode("sat.").ids, separator];
  const expected = directly(
    loaded.bert,
    ids,
    ids.map(() => 0),
    ids.indexOf(mask),
    (hidden) => loaded.bert.maskedLogits(hidden),
  );
  const [words = []] = all[0] ?? [];
  for (const { id, word, probability } of words) {
    close(probability, expected[id] ?? NaN);
    assert.equal(word, tokenizer.tokenText(id));
  }
  close(words[0]?.probability ?? NaN, Math.max(...expected));
  const whole = (await fillMask(loaded, texts.slice(0, 1), { top: 1000 })) ?? assert.fail();
  close(
    whole.flat(2).reduce((sum, { probability }) => sum + probability, 0),
    1,
  );
  const alone = (await fillMask(loaded, texts, { top: 3, batchTokens: 1 })) ?? assert.fail();
  alone.flat(2).forEach(({ probability }, index) => {
    close(probability, all.flat(2)[index]?.probability ?? NaN);
  });
  // Another text gives other numbers, so that what is compared above depends on the text.
  const [[other = []] = []] = (await fillMask(loaded, ["The [MASK] sat on."])) ?? [];
  assert.ok(Math.abs((other[0]?.probability ?? 0) - (words[0]?.probability ?? 0)) > 1e-4);
  await assert.rejects(fillMask(loaded, ["a cat", "no mask"]), /has no \[MASK\].*"a cat"/);
  assert.equal(await fillMask(loaded, texts, { signal: AbortSignal.abort() }), undefined);
  loaded.bert.dispose();
});

test("nextSentenceProbability: column 0 of the first token, with the types of both texts", async () => {
  const loaded = model({ kind: "pre-training" });
  const pairs = [
    { a: "the cat sat .", b: "a dog lay on the mat ." },
    { a: "a red door .", b: "the cat ." },
  ];
  const said = (await nextSentenceProbability(loaded, pairs)) ?? assert.fail();
  const { first, separator } = tokenizer.marks;
  pairs.forEach(({ a, b }, index) => {
    const [start, end] = [
      [first, ...tokenizer.encode(a).ids, separator],
      [...tokenizer.encode(b).ids, separator],
    ];
    const types = [...start.map(() => 0), ...end.map(() => 1)];
    const head = loaded.bert.nextSentenceLogits.bind(loaded.bert);
    const ids = [...start, ...end];
    close(said[index] ?? NaN, directly(loaded.bert, ids, types, 0, head)[0] ?? NaN);
    const sameType = directly(
      loaded.bert,
      ids,
      types.map(() => 0),
      0,
      head,
    );
    assert.ok(Math.abs((said[index] ?? NaN) - (sameType[0] ?? NaN)) > 1e-4, "the types matter");
  });
  await assert.rejects(classify(loaded, [{ a: "x" }]), /no classification head/);
  loaded.bert.dispose();
});

test("classify: the most probable label, with the probabilities of all", async () => {
  const labels = ["good", "bad", "neither"];
  const loaded = model({ kind: "classification", labels });
  const [said, pair] = (await classify(loaded, [{ a: "the cat" }, { a: "a dog", b: "the door" }])) ?? [];
  assert.ok(said !== undefined && pair !== undefined);
  const ids = [tokenizer.marks.first, ...tokenizer.encode("the cat").ids, tokenizer.marks.separator];
  const expected = directly(
    loaded.bert,
    ids,
    ids.map(() => 0),
    0,
    (hidden) => loaded.bert.classLogits(hidden),
  );
  labels.forEach((label, index) => {
    close(said.probabilities[label] ?? NaN, expected[index] ?? NaN);
  });
  assert.equal(said.label, labels[expected.indexOf(Math.max(...expected))]);
  await assert.rejects(nextSentenceProbability(loaded, [{ a: "x", b: "y" }]), /no next-sentence head/);
  await assert.rejects(fillMask(loaded, ["[MASK]"]), /no head for masked words/);
  loaded.bert.dispose();
});
