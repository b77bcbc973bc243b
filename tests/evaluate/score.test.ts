import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { scoreTargets, type ScoreRequest } from "../../src/evaluate/score.js";
import type { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { FAMILIES, GPT2, hiddenAlone, largeDecoder, matrix } from "../model/models.js";

/** Prompts and targets of many lengths. */
function requests(count: number): ScoreRequest[] {
  const random = new Random(1);
  const ids = (length: number): number[] => Array.from({ length }, () => random.integer(GPT2.vocabularySize));
  return Array.from({ length: count }, () => ({
    prompt: ids(1 + random.integer(8)),
    target: ids(1 + random.integer(6)),
  }));
}

/** Log-probabilities from the logits of one row without padding, by a plain loop in float64. */
function plainScore(decoder: Decoder, { prompt, target }: ScoreRequest): number[] {
  const hidden = hiddenAlone(decoder, [...prompt, ...target]);
  const logits = tf.tidy(() => decoder.logits(tf.tensor2d(hidden)).arraySync());
  return target.map((id, index) => {
    const row = logits[prompt.length + index - 1] ?? [];
    const largest = Math.max(...row);
    return (
      (row[id] ?? Number.NaN) -
      largest -
      Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0))
    );
  });
}

function largestGap(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  assert.equal(a.length, b.length);
  return Math.max(
    ...a.map((row, index) => {
      assert.equal(row.length, b[index]?.length);
      return Math.max(...row.map((value, at) => Math.abs(value - (b[index]?.[at] ?? Number.NaN))));
    }),
  );
}

before(async () => {
  await startEngine();
});

describe("log-probability scoring", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: scores are those of a plain loop over each row alone`, async () => {
      const decoder = largeDecoder(config);
      const rows = requests(12);
      const scores = await scoreTargets(decoder, rows, { batchTokens: 64 });
      const gap = largestGap(
        scores.map(({ tokenLogprobs }) => tokenLogprobs),
        rows.map((row) => plainScore(decoder, row)),
      );
      assert.ok(gap < 1e-5, `gap ${gap}`);
      for (const { logprob, tokenLogprobs } of scores) {
        assert.ok(Math.abs(logprob - tokenLogprobs.reduce((sum, value) => sum + value, 0)) < 1e-12);
        assert.ok(logprob < 0);
      }
      decoder.dispose();
    });

    it(`${family}: scores do not depend on the batch`, async () => {
      const decoder = largeDecoder(config);
      const rows = requests(23);
      const of = async (some: readonly ScoreRequest[], batchTokens: number): Promise<(readonly number[])[]> =>
        (await scoreTargets(decoder, some, { batchTokens })).map(({ tokenLogprobs }) => tokenLogprobs);
      const alone = await of(rows, 1);
      for (const batchTokens of [29, 100, 10_000])
        assert.ok(largestGap(await of(rows, batchTokens), alone) < 1e-5);
      const split = [
        ...(await of(rows.slice(0, 7), 60)),
        ...(await of(rows.slice(7, 8), 60)),
        ...(await of(rows.slice(8), 60)),
      ];
      assert.ok(largestGap(split, alone) < 1e-5);
      decoder.dispose();
    });
  }

  it("negative control: padding that tokens look at changes the scores", async () => {
    const decoder = largeDecoder(GPT2);
    const [request] = requests(1);
    assert.ok(request !== undefined);
    const [right] = await scoreTargets(decoder, [request], { batchTokens: 1 });
    const row = [0, 0, 0, ...request.prompt, ...request.target];
    const padded = tf.tidy(() =>
      decoder.logits(tf.squeeze(decoder.hiddenStates({ ids: matrix([row]) }), [0])).arraySync(),
    );
    const first = padded[request.prompt.length + 2] ?? [];
    const normalizer = Math.log(first.reduce((sum, value) => sum + Math.exp(value), 0));
    const wrong = (first[request.target[0] ?? 0] ?? 0) - normalizer;
    assert.ok(Math.abs(wrong - (right?.tokenLogprobs[0] ?? 0)) > 1e-3);
    decoder.dispose();
  });

  it("probabilities of all next tokens add up to 1", async () => {
    const decoder = largeDecoder(GPT2);
    const all = Array.from({ length: GPT2.vocabularySize }, (_, id) => ({ prompt: [1, 2, 3], target: [id] }));
    const scores = await scoreTargets(decoder, all, { batchTokens: 16 });
    const total = scores.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    assert.ok(Math.abs(total - 1) < 1e-5);
    decoder.dispose();
  });

  it("leaves no tensor behind, tells its progress and stops when told to", async () => {
    const decoder = largeDecoder(GPT2);
    const rows = requests(9);
    await scoreTargets(decoder, rows, { batchTokens: 32 });
    const tensors = tf.memory().numTensors;
    const seen: number[] = [];
    await scoreTargets(decoder, rows, { batchTokens: 32, onProgress: (done) => seen.push(done) });
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(seen.at(-1), 9);
    assert.ok(seen.length > 1);
    const controller = new AbortController();
    const stopped = scoreTargets(decoder, rows, {
      batchTokens: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    assert.deepEqual(await stopped, []);
    decoder.dispose();
  });

  it("refuses what has no score", async () => {
    const decoder = largeDecoder(GPT2);
    const refuse = (request: ScoreRequest, message: RegExp): Promise<void> =>
      assert.rejects(
        scoreTargets(decoder, [{ prompt: [1], target: [2] }, request], { batchTokens: 8 }),
        (error) => error instanceof KitError && message.test(error.message) && error.location.row === 2,
      );
    await refuse({ prompt: [], target: [1] }, /empty prompt/);
    await refuse({ prompt: [1], target: [] }, /empty target/);
    await refuse(
      { prompt: new Array<number>(16).fill(1), target: [1, 2] },
      /16 \+ 2 tokens do not fit the model's context of 16/,
    );
    await refuse({ prompt: [1], target: [13] }, /no token 13/);
    const whole = await scoreTargets(decoder, [{ prompt: new Array<number>(16).fill(1), target: [2] }], {
      batchTokens: 8,
    });
    assert.equal(whole.length, 1, "a target that ends one past the context can be scored");
    decoder.dispose();
  });
});
