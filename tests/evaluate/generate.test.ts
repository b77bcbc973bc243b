import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { generate, generateGreedy, type GenerateOptions } from "../../src/evaluate/generate.js";
import { checkRepetitionPenalty, drawToken, penalizeRepetition } from "../../src/evaluate/sampling.js";
import type { DecoderConfig } from "../../src/model/config.js";
import type { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { FAMILIES, hiddenAlone, LLAMA, largeDecoder } from "../model/models.js";

const LONG: Partial<DecoderConfig> = { contextLength: 40, vocabularySize: 29 };
/** An id that the models below do not come upon soon, so that answers are long. */
const NEVER = 1000;
const OPTIONS: GenerateOptions = { maxNewTokens: 12, eos: NEVER, batchSize: 4 };
/** Letters for ids, as a tokenizer would have them. */
const LETTERS = {
  decode: (ids: readonly number[]): string => ids.map((id) => String.fromCharCode(97 + id)).join(""),
};

const PROMPTS = (() => {
  const random = new Random(5);
  return Array.from({ length: 11 }, () =>
    Array.from({ length: 1 + random.integer(9) }, () => random.integer(29)),
  );
})();

/** Greedy tokens by a whole forward pass for each, without a cache. */
function plainGreedy(decoder: Decoder, prompt: readonly number[], count: number): number[] {
  const ids = [...prompt];
  for (let step = 0; step < count; step++) {
    const hidden = hiddenAlone(decoder, ids).slice(-1);
    const [logits = []] = tf.tidy(() => decoder.logits(tf.tensor2d(hidden)).arraySync());
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  return ids.slice(prompt.length);
}

before(async () => {
  await startEngine();
});

describe("generation", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: answers are those of whole forward passes, alone and in any batch`, async () => {
      const decoder = largeDecoder({ ...config, ...LONG, tiedHead: false });
      const wanted = PROMPTS.map((prompt) => plainGreedy(decoder, prompt, 12));
      for (const batchSize of [1, 4, 11]) {
        assert.deepEqual(await generateGreedy(decoder, PROMPTS, { ...OPTIONS, batchSize }), wanted);
      }
      const kinds = new Set(wanted.map((ids) => ids.join()));
      assert.ok(kinds.size > 5, "the prompts must get different answers, or the test could not fail");
      decoder.dispose();
    });
  }

  it("an answer ends at EOS, which is not in it, and the others go on", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const free = await generateGreedy(decoder, PROMPTS, OPTIONS);
    const eos = free[0]?.[3] ?? -1;
    const answers = await generate(decoder, PROMPTS, { ...OPTIONS, eos });
    const wanted = free.map((ids) => (ids.includes(eos) ? ids.slice(0, ids.indexOf(eos)) : ids));
    assert.deepEqual(
      answers.map(({ ids }) => ids),
      wanted,
    );
    assert.equal(answers[0]?.ending, "eos");
    const lengths = new Set(wanted.map((ids) => ids.length));
    assert.ok(lengths.size > 1, "rows must end at different steps");
    assert.deepEqual(
      answers.map(({ ending }) => ending),
      free.map((ids) => (ids.includes(eos) ? "eos" : "length")),
    );
    decoder.dispose();
  });

  it("an answer ends before the first stop text, to the character", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const [free = []] = await generateGreedy(decoder, PROMPTS.slice(0, 1), OPTIONS);
    const text = LETTERS.decode(free);
    const stop = text.slice(3, 5);
    const cut = text.indexOf(stop);
    const [answer] = await generate(decoder, PROMPTS.slice(0, 1), {
      ...OPTIONS,
      stop: { texts: ["~never~", stop], tokenizer: LETTERS },
    });
    assert.equal(answer?.text, text.slice(0, cut));
    assert.deepEqual(answer.ids, free.slice(0, cut));
    assert.equal(answer.ending, "stop");
    const pairs = {
      decode: (ids: readonly number[]): string => LETTERS.decode(ids.flatMap((id) => [id, id])),
    };
    const [inside] = await generate(decoder, PROMPTS.slice(0, 1), {
      ...OPTIONS,
      stop: { texts: [pairs.decode(free.slice(1, 3)).slice(1, 3)], tokenizer: pairs },
    });
    const doubled = pairs.decode(free);
    const start = doubled.indexOf(doubled.slice(3, 5));
    assert.equal(inside?.text, doubled.slice(0, start), "a stop text may begin inside a token");
    assert.equal(pairs.decode(inside.ids).length, start - (start % 2));
    decoder.dispose();
  });

  it("an answer ends with the context of the model", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const prompt = Array.from({ length: 38 }, (_, index) => index % 29);
    const [answer] = await generate(decoder, [prompt], OPTIONS);
    assert.equal(answer?.ending, "context");
    assert.equal(answer.ids.length, 3, "two more tokens fit, and the last prediction needs no place");
    decoder.dispose();
  });

  it("sampling: the same seed gives the same answers in any batch, another seed others", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const run = (seed: number, batchSize: number): Promise<number[][]> =>
      generate(decoder, PROMPTS, { ...OPTIONS, batchSize, sampling: { temperature: 1, seed } }).then(
        (answers) => answers.map(({ ids }) => [...ids]),
      );
    const first = await run(1, 1);
    assert.deepEqual(await run(1, 5), first);
    assert.notDeepEqual(await run(2, 5), first);
    const greedy = await generateGreedy(decoder, PROMPTS, OPTIONS);
    assert.notDeepEqual(first, greedy);
    const cold = await generate(decoder, PROMPTS, {
      ...OPTIONS,
      sampling: { temperature: 1, topK: 1, seed: 9 },
    });
    assert.deepEqual(
      cold.map(({ ids }) => ids),
      greedy,
      "among one token only, drawing is greedy",
    );
    decoder.dispose();
  });

  it("a repetition penalty gives the same answers alone and in a batch, greedy and drawn, and changes them", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const free = await generateGreedy(decoder, PROMPTS, OPTIONS);
    for (const sampling of [undefined, { temperature: 1, seed: 3 }]) {
      const options = {
        ...OPTIONS,
        repetitionPenalty: 5,
        ...(sampling === undefined ? {} : { sampling }),
      };
      const together = await generate(decoder, PROMPTS, { ...options, batchSize: 11 });
      assert.deepEqual(await generate(decoder, PROMPTS, { ...options, batchSize: 1 }), together);
      assert.notDeepEqual(
        together.map(({ ids }) => ids),
        free,
      );
    }
    const same = await generateGreedy(decoder, PROMPTS, { ...OPTIONS, repetitionPenalty: 1 });
    assert.deepEqual(same, free, "a penalty of 1 changes nothing");
    const repeats = (answers: readonly (readonly number[])[]): number =>
      answers.reduce((sum, ids) => sum + ids.length - new Set(ids).size, 0);
    const penalized = await generateGreedy(decoder, PROMPTS, { ...OPTIONS, repetitionPenalty: 5 });
    assert.ok(repeats(penalized) < repeats(free) / 2, `${repeats(penalized)} of ${repeats(free)} repeats`);
    decoder.dispose();
  });

  it("a stop token ends an answer and is not in it", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const [free] = await generate(decoder, PROMPTS.slice(0, 1), OPTIONS);
    const stop = free?.ids.at(-1) ?? -1;
    const [stopped] = await generate(decoder, PROMPTS.slice(0, 1), {
      ...OPTIONS,
      stopTokens: [NEVER + 1, stop],
    });
    assert.deepEqual(stopped, { ids: free?.ids.slice(0, free.ids.indexOf(stop)), ending: "stop" });
    decoder.dispose();
  });

  it("leaves no tensor behind, tells its progress and stops when told to", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    await generateGreedy(decoder, PROMPTS, OPTIONS);
    const tensors = tf.memory().numTensors;
    const seen: number[] = [];
    await generateGreedy(decoder, PROMPTS, { ...OPTIONS, onProgress: (done) => seen.push(done) });
    assert.equal(tf.memory().numTensors, tensors);
    assert.deepEqual(seen, [4, 8, 11]);
    const stopped = await generate(decoder, PROMPTS, { ...OPTIONS, signal: AbortSignal.abort() });
    assert.deepEqual(stopped, []);
    assert.equal(tf.memory().numTensors, tensors);
    decoder.dispose();
  });

  it("refuses what cannot be answered", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...LONG });
    const refuse = (prompts: number[][], change: Partial<GenerateOptions>, message: RegExp): Promise<void> =>
      assert.rejects(
        generate(decoder, prompts, { ...OPTIONS, ...change }),
        (error) => error instanceof KitError && message.test(error.message),
      );
    await refuse([[1], []], {}, /row 2.*empty prompt/);
    await refuse([new Array<number>(41).fill(1)], {}, /41 tokens does not fit/);
    await refuse([[1]], { maxNewTokens: 0 }, /maxNewTokens/);
    await refuse([[1]], { batchSize: 1.5 }, /batchSize/);
    await refuse([[1]], { sampling: { temperature: 0, seed: 1 } }, /temperature of 0/);
    await refuse([[1]], { sampling: { temperature: 1, topP: 1.5, seed: 1 } }, /topP/);
    await refuse([[1]], { stop: { texts: [""], tokenizer: LETTERS } }, /empty stop text/);
    assert.deepEqual(await generate(decoder, [], OPTIONS), []);
    decoder.dispose();
  });
});

describe("drawing a token", () => {
  const probabilities = [0.05, 0.5, 0.15, 0.3];
  const logits = Float32Array.from(probabilities, Math.log);
  const frequencies = (sampling: { temperature?: number; topK?: number; topP?: number }): number[] => {
    const random = new Random(3);
    const counts = [0, 0, 0, 0];
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw++) {
      const id = drawToken(logits, { temperature: 1, seed: 0, ...sampling }, random);
      counts[id] = (counts[id] ?? 0) + 1 / draws;
    }
    return counts;
  };
  const near = (found: readonly number[], wanted: readonly number[]): void => {
    found.forEach((value, id) => {
      // Four standard errors of a share of 0.5 among 20,000 draws.
      assert.ok(
        Math.abs(value - (wanted[id] ?? 0)) < 0.0142,
        `${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`,
      );
      if (wanted[id] === 0) assert.equal(value, 0);
    });
  };

  it("penalizes repetition as transformers does", () => {
    // RepetitionPenaltyLogitsProcessor(1.3)(tensor([[0, 2, 2, 3]]), tensor([[1.5, -0.5, -2.0, 0.0, 4.0]]))
    const logits = Float32Array.of(1.5, -0.5, -2, 0, 4);
    penalizeRepetition(logits, [0, 2, 2, 3], 1.3);
    assert.deepEqual(logits, Float32Array.of(1.1538461446762085, -0.5, -2.5999999046325684, 0, 4));
    assert.throws(() => checkRepetitionPenalty(0), KitError);
  });

  it("follows the probabilities, and temperature, top-k and top-p as they are defined", () => {
    near(frequencies({}), probabilities);
    near(frequencies({ topK: 2 }), [0, 0.625, 0, 0.375]);
    near(frequencies({ topP: 0.8 }), [0, 0.625, 0, 0.375]);
    near(frequencies({ topP: 0.81 }), [0, 0.5 / 0.95, 0.15 / 0.95, 0.3 / 0.95]);
    const squared = probabilities.map((p) => p ** 2);
    const total = squared.reduce((sum, p) => sum + p, 0);
    near(
      frequencies({ temperature: 0.5 }),
      squared.map((p) => p / total),
    );
  });
});
