import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { isCompiled } from "../../src/evaluate/compiling.js";
import { generate, type GenerateOptions } from "../../src/evaluate/generate.js";
import { scoreOptions } from "../../src/evaluate/option-scores.js";
import { type ScoreRequest, scoreTargets, type TargetScore } from "../../src/evaluate/score.js";
import { CompiledDecoder } from "../../src/model/compiled/compiled-decoder.js";
import type { Decoder } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import { Random } from "../../src/support/random.js";
import { FAMILIES, GPT2, largeDecoder, LLAMA, QWEN2 } from "../model/models.js";

const random = new Random(4);
const ids = (length: number): number[] => Array.from({ length }, () => random.integer(GPT2.vocabularySize));
/** Prompts that several targets share, and others. */
const REQUESTS: readonly ScoreRequest[] = Array.from({ length: 8 }, () => ids(1 + random.integer(7)))
  .flatMap((prompt) =>
    Array.from({ length: 1 + random.integer(4) }, () => ({ prompt, target: ids(1 + random.integer(5)) })),
  )
  .sort(() => random.next() - 0.5);
const OPTIONS: GenerateOptions = { maxNewTokens: 12, eos: 1000, batchSize: 4 };
const PROMPTS = Array.from({ length: 7 }, () => ids(1 + random.integer(9)));
const LONG = { contextLength: 60, tiedHead: false } as const;

function gapOf(some: readonly TargetScore[], others: readonly TargetScore[]): number {
  assert.equal(some.length, others.length);
  const flat = (scores: readonly TargetScore[]): number[] => scores.flatMap((score) => score.tokenLogprobs);
  const wanted = flat(others);
  assert.equal(flat(some).length, wanted.length);
  return Math.max(...flat(some).map((value, index) => Math.abs(value - (wanted[index] ?? NaN))));
}

before(async () => {
  await startEngine({ backend: "tensorflow", threads: 1 });
});

describe("compiled scoring and decoding", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: the eager scores and answers, in batches of any size`, async () => {
      const decoder = largeDecoder({ ...config, ...LONG });
      const wanted = await scoreTargets(decoder, REQUESTS, { batchTokens: 64, compile: false });
      for (const batchTokens of [1, 40, 1000]) {
        const scores = await scoreTargets(decoder, REQUESTS, { batchTokens, compile: true });
        const gap = gapOf(scores, wanted);
        assert.ok(gap < 1e-5, `batches of ${batchTokens} tokens: ${gap}`);
      }
      const answers = await generate(decoder, PROMPTS, { ...OPTIONS, compile: false });
      for (const batchSize of [1, 3, 7]) {
        const found = await generate(decoder, PROMPTS, { ...OPTIONS, batchSize, compile: true });
        assert.deepEqual(found, answers);
      }
      assert.ok(new Set(answers.map((answer) => answer.ids.join())).size > 3, "different answers");
      decoder.dispose();
    });
  }

  it("options after one prompt do not see each other: alone, a score is the same", async () => {
    const decoder = largeDecoder(LLAMA);
    const request = { prompt: ids(5), options: [ids(4), ids(3), ids(1), ids(4)] };
    const run = { batchTokens: 100, compile: true };
    const [together = []] = await scoreOptions(decoder, [request], run);
    for (const [index, option] of request.options.entries()) {
      const [alone = []] = await scoreOptions(decoder, [{ ...request, options: [option] }], run);
      assert.ok(gapOf(alone, together.slice(index, index + 1)) < 1e-5);
    }
    // The control: what the option does see, its prompt, changes the score.
    const [other = []] = await scoreOptions(decoder, [{ ...request, prompt: ids(5) }], run);
    assert.ok(gapOf(other, together) > 1e-2);
    decoder.dispose();
  });

  it("an adapter is part of it, and weights that were changed since are taken over", async () => {
    const base = largeDecoder(QWEN2);
    const adapter = LoraAdapter.fromValues(
      base.config,
      { rank: 2, alpha: 4, dropout: 0.3, targets: ["*.queryKeyValue", "feedForward.*"], seed: 1 },
      (_, [rows, columns]) =>
        Float32Array.from({ length: rows * columns }, (_, index) => Math.sin(index + rows)),
    );
    const decoder = base.withAdapter(adapter);
    const both = async (model: Decoder): Promise<[TargetScore[], TargetScore[]]> => [
      await scoreTargets(model, REQUESTS, { batchTokens: 99, compile: true }),
      await scoreTargets(model, REQUESTS, { batchTokens: 99, compile: false }),
    ];
    const [adapted, wanted] = await both(decoder);
    assert.ok(gapOf(adapted, wanted) < 1e-5, `${gapOf(adapted, wanted)}`);
    const [plain] = await both(base);
    assert.ok(gapOf(adapted, plain) > 1e-2, `${gapOf(adapted, plain)}`);
    for (const variable of adapter.parameters.values()) {
      tf.tidy(() => variable.assign(tf.mul(variable, 1.5)));
    }
    const [changed, wantedNow] = await both(decoder);
    assert.ok(gapOf(changed, wantedNow) < 1e-5, `${gapOf(changed, wantedNow)}`);
    assert.ok(gapOf(changed, adapted) > 1e-2, `${gapOf(changed, adapted)}`);
    decoder.dispose();
    base.dispose();
  });

  it("answers end one after another, longer than a first set of slots, drawn and two at a time", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const free = await generate(decoder, PROMPTS, { ...OPTIONS, maxNewTokens: 45, compile: false });
    // A token that some answers have soon, some late and some never.
    const eos = Array.from({ length: 13 }, (_, id) => id).find((id) => {
      const ends = free.map((answer) => answer.ids.indexOf(id));
      return ends.includes(-1) && new Set(ends).size > 2;
    });
    const long: GenerateOptions = { ...OPTIONS, maxNewTokens: 45, eos: eos ?? assert.fail("no such token") };
    const wanted = await generate(decoder, PROMPTS, { ...long, compile: false });
    assert.ok(new Set(wanted.map((answer) => answer.ids.length)).size > 2, "rows end at different steps");
    assert.ok(
      wanted.some((answer) => answer.ids.length > 33),
      `more slots are needed: ${wanted.map((answer) => answer.ids.length).join()}`,
    );
    const [one, two] = await Promise.all([
      generate(decoder, PROMPTS, { ...long, compile: true }),
      generate(decoder, PROMPTS.toReversed(), { ...long, compile: true }),
    ]);
    assert.deepEqual(one, wanted);
    assert.deepEqual(two.toReversed(), wanted);
    const sampling = { temperature: 1, seed: 2 };
    const drawn = await generate(decoder, PROMPTS, { ...OPTIONS, sampling, compile: true });
    assert.deepEqual(drawn, await generate(decoder, PROMPTS, { ...OPTIONS, sampling, compile: false }));
    assert.notDeepEqual(
      drawn.map((answer) => answer.ids),
      wanted.map((answer) => answer.ids),
    );
    decoder.dispose();
  });

  it("leaves no tensor behind, and is freed with the decoder", async () => {
    const decoder = largeDecoder({ ...GPT2, ...LONG });
    const work = async (): Promise<void> => {
      await scoreTargets(decoder, REQUESTS, { batchTokens: 64, compile: true });
      await generate(decoder, PROMPTS, { ...OPTIONS, compile: true });
    };
    await work();
    const { numTensors } = tf.memory();
    await work();
    assert.equal(tf.memory().numTensors, numTensors);
    const compiled = CompiledDecoder.of(decoder);
    decoder.dispose();
    assert.throws(() => compiled.keepRows([], 0), /closed/);
  });

  it("is chosen by the work that is asked for, and by nothing else", () => {
    const decoder = largeDecoder(GPT2);
    assert.equal(isCompiled(decoder, {}, { passes: 1, positions: 10 }), false);
    assert.equal(isCompiled(decoder, {}, { passes: 1000, positions: 1000 }), true);
    assert.equal(isCompiled(decoder, {}, { passes: 1, positions: 1e9 }), true);
    assert.equal(isCompiled(decoder, { compile: false }, { passes: 1000, positions: 1e9 }), false);
    assert.equal(isCompiled(decoder, { compile: true }, { passes: 1, positions: 1 }), true);
    decoder.dispose();
  });
});
