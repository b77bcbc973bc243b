import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { factsOf } from "../../src/data/mini/facts.js";
import { drawGrid } from "../../src/data/mini/grid/rows.js";
import { MINI_IFT } from "../../src/data/mini/template.js";
import { createWorld } from "../../src/data/mini/world.js";
import { renderSpans } from "../../src/data/render.js";
import { baseFolder, loadBase } from "../../src/evaluate/base-checkpoint.js";
import { fillMask } from "../../src/evaluate/fill-mask.js";
import { Bert } from "../../src/model/bert/bert.js";
import { Decoder } from "../../src/model/decoder.js";
import { measureBert } from "../../src/experiment/pretrain/bert-quality.js";
import { measureQuality, factRecall } from "../../src/experiment/pretrain/quality.js";
import type { BertResult, DecoderResult } from "../../src/experiment/pretrain/files.js";
import { planTokenizer } from "../../src/experiment/pretrain/rows.js";
import { readPretrainPlan } from "../../src/experiment/pretrain/plan.js";

const folder = baseFolder("decoder");
const stated = JSON.parse(readFileSync(join(folder, "pretrain.json"), "utf8")) as DecoderResult;

test("the shipped decoder has the quality that its card states, and an untrained one of its shape has not", async () => {
  const { decoder, tokenizer } = await loadBase("decoder");
  const facts = factsOf(createWorld(stated.plan.worldSeed));
  const some = facts.filter((_, index) => index % 4 === 0);
  const { recall, floor } = await factRecall({ decoder, tokenizer }, some);
  assert.ok(recall > floor + 0.3, `recall ${recall}`);
  assert.ok(Math.abs(recall - stated.quality.facts.recall) < 0.1, `${recall} on a quarter of the facts`);
  const untrained = Decoder.create(decoder.config, 1);
  const none = await factRecall({ decoder: untrained, tokenizer }, some);
  assert.ok(none.recall < 0.02, `untrained ${none.recall}`);
  untrained.dispose();
  decoder.dispose();

  const again = await measureQuality(folder, { ...stated.plan, quality: { documents: 60, samples: 1 } });
  assert.ok(again !== undefined);
  const difference = again.heldOut.bitsPerByte / stated.quality.heldOut.bitsPerByte;
  assert.ok(
    difference > 0.8 && difference < 1.25,
    `${again.heldOut.bitsPerByte} bits per byte on 60 documents`,
  );
});

test("its tokenizer is the one of its plan, and writes every answer word of the grid as it stands in the text", async () => {
  const { decoder, tokenizer } = await loadBase("decoder");
  decoder.dispose();
  const plan = readPretrainPlan(join(folder, "plan.json"));
  assert.ok(plan.model === "decoder");
  assert.equal(planTokenizer(plan).hash, tokenizer.hash);
  const policy = { maxTokens: 128, overlong: "drop", lossOn: "response" } as const;
  const rows = drawGrid({ rowsPerCell: 1, testRows: 48 }, 1).tests.seen.filter(({ task }) =>
    task.endsWith("/plain"),
  );
  assert.ok(rows.length > 0);
  for (const row of rows) {
    const outcome = renderSpans(row, MINI_IFT, tokenizer, policy);
    assert.equal(outcome.kind, "rendered");
    const { ids, promptLength } = outcome.spans;
    assert.ok(
      ids.slice(0, promptLength).includes(ids[promptLength] ?? -1),
      `${row.input} ${row.outputs[0] ?? ""}`,
    );
  }
});

test("it takes less than 8 MB", () => {
  const files = ["model.safetensors", "tokenizer.json", "log.jsonl", "loss-curve.png", "loss-curve.json"];
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(bytes < 8e6, `${bytes} bytes`);
});

test("the shipped BERT has the quality that its card states, and an untrained one of its shape has not", async () => {
  const directory = baseFolder("bert");
  const result = JSON.parse(readFileSync(join(directory, "pretrain.json"), "utf8")) as BertResult;
  const { bert, tokenizer } = await loadBase("bert");
  const plan = { ...result.plan, quality: { documents: 60, samples: 1 } };
  const again = await measureBert({ bert, tokenizer }, plan);
  assert.ok(again !== undefined);
  const { heldOut, nextSentence } = result.quality;
  assert.ok(Math.abs(again.heldOut.accuracy - heldOut.accuracy) < 0.06, `${again.heldOut.accuracy}`);
  assert.ok(again.heldOut.accuracy > again.heldOut.floor + 0.3);
  assert.ok(Math.abs(again.nextSentence.accuracy - nextSentence.accuracy) < 0.06);
  const [[words = []] = []] =
    (await fillMask({ bert, tokenizer }, ["mia went to oakhurst on [MASK]."])) ?? [];
  assert.ok(words[0]?.word.endsWith("day"), words[0]?.word ?? "");

  const untrained = Bert.create(bert.config, 1);
  const none = await measureBert({ bert: untrained, tokenizer }, plan);
  assert.ok(none !== undefined && none.heldOut.accuracy < 0.15 && none.nextSentence.accuracy < 0.8);
  for (const each of [bert, untrained]) each.dispose();
});
