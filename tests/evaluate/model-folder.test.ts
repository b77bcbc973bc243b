import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { generateGreedy } from "../../src/evaluate/generate.js";
import { loadModelFolder } from "../../src/evaluate/model-folder.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import { startEngine } from "../../src/engine/start.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import { KitError } from "../../src/support/errors.js";
import { readJsonFile } from "../../src/support/files.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { temporaryFolder } from "../data/fixtures.js";
import { largeDecoder, QWEN2 } from "../model/models.js";

const TOKENIZERS = join(import.meta.dirname, "../parity/golden/hub-tokenizers");

before(async () => {
  await startEngine();
});

test("a folder as the hub has it, with a vocabulary that is larger than the tokenizer's, scores and generates", async (context) => {
  const folder = temporaryFolder(context);
  const tokenizer = loadTokenizer(join(TOKENIZERS, "qwen2"));
  const made = largeDecoder({ ...QWEN2, vocabularySize: tokenizer.vocabularySize + 7 });
  saveDecoder(folder, made, { special: tokenizer.special, type: "BF16" });
  tokenizer.save(folder);
  assert.equal((readJsonFile(join(folder, "config.json")) as { model_type: string }).model_type, "qwen2");
  const model = loadModelFolder(folder);
  const prompt = model.tokenizer.encode("ka lo mi").ids;
  const target = model.tokenizer.encode(" ne").ids;
  const [score] = await scoreTargets(model.decoder, [{ prompt, target }], { batchTokens: 64 });
  assert.ok(score && score.logprob < 0 && score.tokenLogprobs.length === target.length);
  const [ids] = await generateGreedy(model.decoder, [prompt], { maxNewTokens: 3, eos: -1, batchSize: 1 });
  assert.equal(ids?.length, 3);
  model.decoder.dispose();
  made.dispose();
});

test("a tokenizer with more ids than the model has is refused", (context) => {
  const folder = temporaryFolder(context);
  const decoder = largeDecoder(QWEN2);
  saveDecoder(folder, decoder);
  loadTokenizer(join(TOKENIZERS, "qwen2")).save(folder);
  decoder.dispose();
  assert.throws(() => loadModelFolder(folder), KitError);
});
