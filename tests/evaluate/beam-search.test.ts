import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { beamSearch } from "../../src/evaluate/beam-search.js";
import type { BeamSearch } from "../../src/evaluate/beams.js";
import { generate, generateGreedy } from "../../src/evaluate/generate.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { KitError } from "../../src/support/errors.js";
import { assertClose } from "../engine/numeric.js";
import { GPT2, largeDecoder } from "../model/models.js";
import { waveT5 } from "../parity/wave.js";

/** Made by make_t5_goldens.py with transformers. */
interface Golden {
  readonly config: T5Config;
  readonly eos: number;
  readonly newTokens: number;
  readonly rows: readonly (readonly number[])[];
  readonly searches: readonly (BeamSearch & {
    /** For each row, its answers without EOS, best first; with one beam the greedy one. */
    readonly answers: readonly (readonly (readonly number[])[])[];
    readonly scores: readonly (readonly number[])[] | null;
  })[];
}

const { generation } = JSON.parse(
  readFileSync(new URL("../parity/golden/t5.json", import.meta.url), "utf8"),
) as { readonly generation: Readonly<Record<string, Golden>> };

before(() => startEngine());

describe("beam search and greedy generation of T5 against transformers", () => {
  for (const [version, { config, eos, newTokens, rows, searches }] of Object.entries(generation)) {
    const options = { maxNewTokens: newTokens, eos, batchSize: 8 };
    for (const { answers, scores, ...search } of searches) {
      const { beams, lengthPenalty, earlyStopping } = search;
      const name = `${version}, ${beams} beams, length penalty ${lengthPenalty}, early stopping ${earlyStopping}`;
      it(`${name}: token for token, alone and in a batch`, async () => {
        const model = waveT5(config);
        let tensors = 0;
        for (const batchSize of [8, 1, 3, 8]) {
          // What stays after the first time are constants.
          tensors = tf.memory().numTensors;
          if (scores === null) {
            const found = await generateGreedy(model, rows, { ...options, batchSize });
            assert.deepEqual(
              found.map((ids) => [ids]),
              answers,
            );
            continue;
          }
          const found = await beamSearch(model, rows, search, { ...options, batchSize });
          assert.deepEqual(
            found.map((row) => row.map(({ ids }) => ids)),
            answers,
          );
          assertClose(
            found.flatMap((row) => row.map(({ score }) => score)),
            scores.flat(),
            1e-4,
          );
        }
        assert.equal(tf.memory().numTensors, tensors, "nothing is left behind");
        model.dispose();
      });
    }

    it(`${version}: another penalty, or another rule to stop, gives other answers`, () => {
      const [first] = searches;
      const different = searches.filter(
        ({ beams, answers }) => beams > 2 && answers[0]?.[0]?.join() !== first?.answers[0]?.[0]?.join(),
      );
      const lengths = new Set(searches.flatMap(({ answers }) => answers.flat().map(({ length }) => length)));
      assert.ok(different.length > 0 || lengths.size > 5, "the goldens tell the searches apart");
    });
  }

  it("a row whose padding were read would have another answer", async () => {
    const { config, eos, newTokens, rows } = generation["1.0"] ?? assert.fail();
    const model = waveT5(config);
    const search = { beams: 3, lengthPenalty: 1, earlyStopping: false };
    const options = { maxNewTokens: newTokens, eos, batchSize: 8 };
    const padded = rows.map((row) => [...row, ...new Array<number>(7 - row.length).fill(0)]);
    const right = await beamSearch(model, rows, search, options);
    const wrong = await beamSearch(model, padded, search, options);
    assert.notDeepEqual(
      wrong.map(([best]) => best?.score.toFixed(4)),
      right.map(([best]) => best?.score.toFixed(4)),
    );
    model.dispose();
  });
});

describe("beam search of a decoder", () => {
  it("one beam is the greedy answer, and more find answers at least as probable, alone and in a batch", async () => {
    const decoder = largeDecoder(GPT2);
    const prompts = [[3], [4, 5, 6], [7, 1]];
    const options = { maxNewTokens: 6, eos: 2, batchSize: 4 };
    const greedy = await generate(decoder, prompts, options);
    const never = { lengthPenalty: 0, earlyStopping: "never" } as const;
    const one = await beamSearch(decoder, prompts, { beams: 1, ...never }, options);
    assert.deepEqual(
      one.map(([best]) => best?.ids),
      greedy.map(({ ids }) => ids),
    );
    const four = await beamSearch(decoder, prompts, { beams: 4, ...never }, options);
    four.forEach(([best], row) => {
      assert.ok((best?.score ?? -Infinity) >= (one[row]?.[0]?.score ?? Infinity) - 1e-5);
    });
    const alone = await beamSearch(decoder, prompts, { beams: 4, ...never }, { ...options, batchSize: 1 });
    assert.deepEqual(
      alone.map((row) => row.map(({ ids }) => ids)),
      four.map((row) => row.map(({ ids }) => ids)),
    );
    decoder.dispose();
  });

  it("refuses settings out of range", async () => {
    const decoder = largeDecoder(GPT2);
    const options = { maxNewTokens: 6, eos: 2, batchSize: 4 };
    const refuses = (search: BeamSearch, message: RegExp): Promise<void> =>
      assert.rejects(
        beamSearch(decoder, [[1]], search, options),
        (error) => error instanceof KitError && message.test(error.message),
      );
    await refuses({ beams: 7, lengthPenalty: 1, earlyStopping: false }, /7 beams.*half of the vocabulary/);
    await refuses({ beams: 0, lengthPenalty: 1, earlyStopping: false }, /0 beams/);
    await refuses({ beams: 2, lengthPenalty: NaN, earlyStopping: false }, /length penalty/);
    decoder.dispose();
  });
});
