import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { KeyValueCache } from "../../src/model/cache.js";
import type { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { FAMILIES, GPT2, hiddenAlone, largeDecoder, matrix } from "./models.js";

const ROWS = [
  [1, 2, 3, 4, 5, 6, 7],
  [8, 9, 10, 11],
  [12, 1, 5, 2, 3, 4],
] as const;
/** How many tokens of each row are the prompt. */
const PROMPTS = [4, 1, 3] as const;

/** Prompts in one call, filled up on the right, then one token a call, rows dropped as they end. */
function generate(decoder: Decoder, counts: readonly number[] | undefined): number[][][] {
  const longest = Math.max(...PROMPTS);
  const prompts = ROWS.map((row, index) => [
    ...row.slice(0, PROMPTS[index]),
    ...new Array<number>(longest - (PROMPTS[index] ?? 0)).fill(0),
  ]);
  const cache = new KeyValueCache(ROWS.length);
  const result: number[][][] = ROWS.map(() => []);
  const take = (
    ids: readonly (readonly number[])[],
    rows: readonly number[],
    tokens?: readonly number[],
  ): void => {
    const hidden = tf.tidy(() => decoder.extend(matrix(ids), cache, tokens).arraySync());
    rows.forEach((row, index) => result[row]?.push(...(hidden[index]?.slice(0, tokens?.[index] ?? 1) ?? [])));
  };
  take(prompts, [0, 1, 2], counts);
  let rows = [0, 1, 2];
  for (let step = 0; rows.length > 0; step++) {
    const place = (row: number): number => (PROMPTS[row] ?? 0) + step;
    const left = rows.filter((row) => place(row) < (ROWS[row]?.length ?? 0));
    if (left.length < rows.length) cache.select(left.map((row) => rows.indexOf(row)));
    rows = left;
    if (rows.length > 0)
      take(
        rows.map((row) => [ROWS[row]?.[place(row)] ?? 0]),
        rows,
      );
  }
  cache.dispose();
  return result;
}

before(async () => {
  await startEngine();
});

describe("key/value cache", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: rows of unequal length in one batch give the hidden states of each row alone`, () => {
      const decoder = largeDecoder(config);
      const alone = ROWS.map((row) => hiddenAlone(decoder, row));
      const cached = generate(decoder, PROMPTS);
      alone.forEach((hidden, row) => assertClose(cached[row]?.flat() ?? [], hidden.flat(), 2e-5));
      decoder.dispose();
    });

    it(`${family}: taking the padding for tokens would show`, () => {
      const decoder = largeDecoder(config);
      const alone = hiddenAlone(decoder, ROWS[1]);
      const cache = new KeyValueCache(1);
      tf.tidy(() => decoder.extend(matrix([[8, 0, 0, 0]]), cache));
      const next = tf.tidy(() =>
        decoder
          .extend(matrix([[9]]), cache)
          .dataSync()
          .slice(),
      );
      assert.ok(largestDifference(next, alone[1] ?? []).worst > 0.05);
      cache.dispose();
      decoder.dispose();
    });

    it(`${family}: several tokens at a time give the same as one`, () => {
      const decoder = largeDecoder(config);
      const cache = new KeyValueCache(1);
      const parts = [ROWS[0].slice(0, 2), ROWS[0].slice(2, 5), ROWS[0].slice(5)];
      const hidden = parts.flatMap((ids) =>
        tf.tidy(() => decoder.extend(matrix([ids]), cache).arraySync()[0] ?? []),
      );
      assertClose(hidden.flat(), hiddenAlone(decoder, ROWS[0]).flat(), 2e-5);
      cache.dispose();
      decoder.dispose();
    });
  }

  it("gives the last token of each row alone, where no more is asked for", () => {
    const decoder = largeDecoder(GPT2);
    const cache = new KeyValueCache(2);
    const ids = matrix([
      [1, 2, 3],
      [4, 0, 0],
    ]);
    const last = tf.tidy(() => decoder.extendLast(ids, cache, [3, 1]).arraySync());
    assertClose(last[0] ?? [], hiddenAlone(decoder, [1, 2, 3])[2] ?? [], 2e-5);
    assertClose(last[1] ?? [], hiddenAlone(decoder, [4])[0] ?? [], 2e-5);
    const next = tf.tidy(() => decoder.extendLast(matrix([[5], [6]]), cache).arraySync());
    assertClose(next[1] ?? [], hiddenAlone(decoder, [4, 6])[1] ?? [], 2e-5);
    cache.dispose();
    decoder.dispose();
  });

  it("leaves no tensor behind", () => {
    const decoder = largeDecoder(GPT2);
    generate(decoder, PROMPTS);
    const before = tf.memory().numTensors;
    generate(decoder, PROMPTS);
    assert.equal(tf.memory().numTensors, before);
    decoder.dispose();
  });

  it("refuses a row that outgrows the context, and stays as it was", () => {
    const decoder = largeDecoder(GPT2);
    const cache = new KeyValueCache(1);
    tf.tidy(() => decoder.extend(matrix([new Array<number>(16).fill(1)]), cache));
    assert.throws(() => decoder.extend(matrix([[1]]), cache), KitError);
    assert.deepEqual(cache.lengths, [16]);
    cache.dispose();
    decoder.dispose();
  });
});
