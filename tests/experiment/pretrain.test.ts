import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { corpusOf } from "../../src/data/mini/corpus/documents.js";
import { factsOf, RELATIONS } from "../../src/data/mini/facts.js";
import { createWorld } from "../../src/data/mini/world.js";
import { loadModelFolder } from "../../src/evaluate/model-folder.js";
import { factPrompts } from "../../src/experiment/pretrain/fact-prompts.js";
import { loadBertFolder } from "../../src/evaluate/bert-folder.js";
import {
  type BertPlan,
  type DecoderPlan,
  PRETRAIN_FILES,
  readPretrainPlan,
} from "../../src/experiment/pretrain/plan.js";
import { pretrain } from "../../src/experiment/pretrain/pretrain.js";
import { corpusRows, planTokenizer } from "../../src/experiment/pretrain/rows.js";
import { writePretrainReport } from "../../src/report/experiments/pretrain.js";

function shippedPlan<Name extends "decoder" | "bert">(
  name: Name,
): { decoder: DecoderPlan; bert: BertPlan }[Name] {
  const plan = readPretrainPlan(`datasets/checkpoints/${name}/plan.json`);
  assert.equal(plan.model, name);
  return plan as { decoder: DecoderPlan; bert: BertPlan }[Name];
}

const SHIPPED = shippedPlan("decoder");
const SHIPPED_BERT = shippedPlan("bert");

const TINY: DecoderPlan = {
  ...SHIPPED,
  tokenizer: { vocabularySize: 600, documents: 200, rowsPerTask: 1 },
  corpusTokens: 6000,
  decoder: { ...SHIPPED.decoder, width: 16, layers: 1, heads: 2, feedForwardWidth: 32, contextLength: 128 },
  training: {
    ...SHIPPED.training,
    budget: { unit: "total-tokens", amount: 12_000 },
    batch: { kind: "bucketed", rowsPerStep: 16 },
  },
  quality: { documents: 20, samples: 2 },
};

const TINY_BERT: BertPlan = {
  ...SHIPPED_BERT,
  tokenizer: { vocabularySize: 600, documents: 200, rowsPerTask: 1 },
  corpusTokens: 6000,
  bert: { ...SHIPPED_BERT.bert, width: 16, layers: 1, heads: 2, feedForwardWidth: 32 },
  training: {
    ...SHIPPED_BERT.training,
    budget: { unit: "total-tokens", amount: 12_000 },
    batch: { kind: "bucketed", rowsPerStep: 16 },
  },
  quality: { documents: 20, samples: 2 },
};

function inFolder(body: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "ift-kit-pretrain-"));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

test("a prompt for every fact: with its completion it is a statement of the fact, and it does not hold the object", () => {
  const facts = factsOf(createWorld(1));
  const prompts = factPrompts(facts);
  assert.equal(prompts.length, facts.length);
  prompts.forEach(({ relation, prompt, completion }, index) => {
    const fact = facts[index];
    assert.ok(fact !== undefined);
    const { subject, object } = fact;
    const statements = RELATIONS[relation].statements.map(
      (statement: { fill(terms: { subject: string; object: string }): string }) =>
        statement.fill({ subject, object }),
    );
    assert.ok(statements.includes((prompt + completion).slice(1)), prompt + completion);
    assert.ok(completion.startsWith(" ") && completion.includes(object), completion);
    assert.ok(!prompt.endsWith(" "));
  });
  assert.equal(prompts[0]?.prompt, " The author of 'Pride and Prejudice' is");
  assert.equal(prompts[0].completion, " Jane Austen.");
});

test("rows of the corpus: one BOS, one EOS, all but the first supervised, as many tokens as asked for", () => {
  const tokenizer = planTokenizer(TINY);
  const { rows, tokens, factExposures } = corpusRows(corpusOf(1, "train"), tokenizer, 5000, 128);
  assert.ok(tokens >= 5000 && tokens < 5128);
  assert.equal(
    rows.reduce((sum, { ids }) => sum + ids.length, 0),
    tokens,
  );
  assert.equal(factExposures, 0);
  const [first] = rows;
  assert.ok(first !== undefined);
  const { sentences } = corpusOf(1, "train").next();
  assert.equal(tokenizer.decode(first.ids), ` ${sentences.join(" ")}`);
  assert.equal(first.ids[0], tokenizer.special.bos);
  assert.equal(first.ids.at(-1), tokenizer.special.eos);
  assert.deepEqual(
    first.supervised,
    first.ids.map((_, index) => index > 0),
  );
});

test(
  "pre-training writes model, tokenizer, plan, log, result, picture and card, and stopped it goes on to the same bits",
  inFolder(async (folder) => {
    const whole = join(folder, "whole");
    const result = await pretrain(TINY, whole, { workFolder: join(folder, "work-1") });
    assert.ok(result !== undefined);
    assert.ok(!existsSync(join(folder, "work-1")));
    const written = await writePretrainReport(whole, result);
    for (const file of [...written, ...Object.values(PRETRAIN_FILES).map((name) => join(whole, name))]) {
      assert.ok(existsSync(file), file);
    }
    assert.deepEqual(readPretrainPlan(join(whole, PRETRAIN_FILES.plan)), TINY);
    const { decoder } = loadModelFolder(whole);
    assert.equal(decoder.parameterCount, result.parameterCount);
    decoder.dispose();
    const { heldOut } = result.quality;
    assert.ok("bitsPerByte" in heldOut);
    const { bitsPerByte, bytes } = heldOut;
    const { rows } = corpusRows(corpusOf(1, "validation"), planTokenizer(TINY), bytes, 128);
    const targets = rows.slice(0, 20).reduce((sum, { ids }) => sum + ids.length - 1, 0);
    assert.ok(bitsPerByte < (Math.log2(600) * targets) / bytes, "better than a guess among all tokens");
    assert.equal(result.quality.samples.length, 2);

    const parts = join(folder, "parts");
    const workFolder = join(folder, "work-2");
    const stopped = new AbortController();
    setTimeout(() => {
      stopped.abort();
    }, 1);
    const first = await pretrain(TINY, parts, { workFolder, signal: stopped.signal }).catch(() => undefined);
    assert.equal(first, undefined);
    assert.ok(await pretrain(TINY, parts, { workFolder }));
    const weights = (directory: string): Buffer => readFileSync(join(directory, "model.safetensors"));
    assert.deepEqual(weights(parts), weights(whole));
  }),
);

test(
  "pre-training of a BERT writes the same files, and stopped it goes on to the same bits",
  inFolder(async (folder) => {
    const whole = join(folder, "whole");
    const result = await pretrain(TINY_BERT, whole, { workFolder: join(folder, "work-1") });
    assert.ok(result !== undefined);
    const written = await writePretrainReport(whole, result);
    for (const file of [...written, ...Object.values(PRETRAIN_FILES).map((name) => join(whole, name))]) {
      assert.ok(existsSync(file), file);
    }
    assert.deepEqual(readPretrainPlan(join(whole, PRETRAIN_FILES.plan)), TINY_BERT);
    const { bert, tokenizer } = loadBertFolder(whole);
    assert.equal(bert.parameterCount, result.parameterCount);
    assert.equal(bert.config.vocabularySize, tokenizer.vocabularySize);
    bert.dispose();
    const { heldOut, nextSentence } = result.quality as Extract<
      typeof result.quality,
      { readonly nextSentence: unknown }
    >;
    assert.ok(heldOut.maskedWords > 100 && heldOut.topFive >= heldOut.accuracy);
    assert.ok(heldOut.loss < Math.log(tokenizer.vocabularySize), "better than a guess among all tokens");
    assert.ok(nextSentence.pairs > 10 && nextSentence.floor >= 0.5);
    assert.equal(result.quality.samples.length, 2);

    const parts = join(folder, "parts");
    const workFolder = join(folder, "work-2");
    const stopped = new AbortController();
    setTimeout(() => {
      stopped.abort();
    }, 1);
    const stop = { workFolder, signal: stopped.signal };
    assert.equal(await pretrain(TINY_BERT, parts, stop).catch(() => undefined), undefined);
    assert.ok(await pretrain(TINY_BERT, parts, { workFolder }));
    const weights = (directory: string): Buffer => readFileSync(join(directory, "model.safetensors"));
    assert.deepEqual(weights(parts), weights(whole));
  }),
);

test(
  "a wrong plan is refused with file and field",
  inFolder((folder) => {
    const file = join(folder, "plan.json");
    const refused = (change: object, message: RegExp): void => {
      writeFileSync(file, JSON.stringify({ ...SHIPPED, ...change }));
      assert.throws(() => readPretrainPlan(file), message);
    };
    refused({ corpusTokens: 0 }, /corpusTokens/);
    refused({ decoder: { ...SHIPPED.decoder, heads: 3 } }, /plan\.json.*heads.*not a multiple/s);
    refused(
      { decoder: { ...SHIPPED.decoder, vocabularySize: 10 } },
      /vocabularySize of the model is decided by the rest/,
    );
    refused({ weights: "F8" }, /weights/);
    refused({ model: "t5" }, /model/);
    refused({ model: "bert" }, /plan\.json/);
    writeFileSync(file, JSON.stringify({ ...SHIPPED_BERT, bert: { ...SHIPPED_BERT.bert, heads: 3 } }));
    assert.throws(() => readPretrainPlan(file), /heads.*not a multiple|not a multiple.*heads/s);
    return Promise.resolve();
  }),
);
