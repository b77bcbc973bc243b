import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { z } from "zod";
import { candidateProbability, chooseBanding, visitCandidates } from "../../src/similarity/banding.js";
import {
  estimateJaccard,
  mergeSignatures,
  minHashSignatures,
  standardErrorOfJaccard,
} from "../../src/similarity/minhash.js";
import { jaccard, shingleTexts } from "../../src/similarity/shingles.js";
import { Random } from "../../src/support/random.js";
import { pairOfSets, randomText } from "./fixtures.js";

const GOLDEN = z
  .object({
    permutations: z.number(),
    pairs: z.number(),
    bandings: z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()])),
    estimates: z.array(
      z.object({ size: z.number(), shared: z.number(), bias: z.number(), rootMeanSquare: z.number() }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../parity/golden/minhash.json", import.meta.url), "utf8")));

test("estimates of Jaccard are unbiased and as exact as theory says, and as datasketch's", () => {
  const { permutations, pairs } = GOLDEN;
  const random = new Random(11);
  for (const { size, shared, bias, rootMeanSquare } of GOLDEN.estimates) {
    const errors = Array.from({ length: pairs }, (_, seed) => {
      const sets = pairOfSets(size, shared, random);
      const exact = jaccard(sets.of(0), sets.of(1));
      assert.equal(exact, shared / (2 * size - shared));
      return estimateJaccard(minHashSignatures(sets, { permutations, seed }), 0, 1) - exact;
    });
    const mean = errors.reduce((sum, error) => sum + error, 0) / pairs;
    const spread = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / pairs);
    const expected = standardErrorOfJaccard(shared / (2 * size - shared), permutations);
    // Four standard errors of a mean, and of a root mean square (about 1 / sqrt(2 n) of it).
    assert.ok(Math.abs(mean) < (4 * expected) / Math.sqrt(pairs), `bias ${mean}`);
    assert.ok(Math.abs(spread / expected - 1) < 4 / Math.sqrt(2 * pairs), `spread ${spread} for ${expected}`);
    // The golden numbers obey the same bounds: the check is fair to both.
    assert.ok(Math.abs(bias) < (4 * expected) / Math.sqrt(pairs), `datasketch: bias ${bias}`);
    assert.ok(
      Math.abs(rootMeanSquare / expected - 1) < 4 / Math.sqrt(2 * pairs),
      `datasketch: ${rootMeanSquare}`,
    );
  }
});

test("a seed fixes the signatures; another gives others", () => {
  const sets = shingleTexts(["a b c d e f", "a b c d e g"]);
  const signatures = minHashSignatures(sets, { permutations: 32, seed: 4 });
  assert.deepEqual(minHashSignatures(sets, { permutations: 32, seed: 4 }), signatures);
  assert.notDeepEqual(minHashSignatures(sets, { permutations: 32, seed: 5 }).slots, signatures.slots);
  assert.equal(estimateJaccard(signatures, 0, 0), 1);
  assert.throws(() => minHashSignatures(sets, { permutations: 0, seed: 1 }), RangeError);
});

test("merged signatures are those of the rows taken together", () => {
  const random = new Random(2);
  const texts = Array.from({ length: 6 }, () => randomText(12, 40, random));
  // A word at the border that is nowhere else would make shingles of its own: join with one-word shingles.
  const rows = minHashSignatures(shingleTexts(texts, { size: 1 }));
  const merged = mergeSignatures(rows, [0, 1, 0, 1, 0, 1], 2);
  const joined = [0, 1].map((group) => texts.filter((_, row) => row % 2 === group).join(" "));
  assert.deepEqual(merged, minHashSignatures(shingleTexts(joined, { size: 1 })));
});

test("the bands for a threshold are those that datasketch chooses", () => {
  for (const [permutations, threshold, falsePositive, falseNegative, bands, slots] of GOLDEN.bandings) {
    const chosen = chooseBanding(threshold, permutations, { falsePositive, falseNegative });
    assert.deepEqual(chosen, { bands, slots }, `${threshold} of ${permutations}`);
  }
  assert.throws(() => chooseBanding(1, 128), RangeError);
});

test("pairs become candidates once each, as often as the formula says", () => {
  const random = new Random(9);
  const banding = { bands: 14, slots: 9 };
  for (const [size, shared] of [
    [60, 50],
    [60, 40],
  ] as const) {
    let met = 0;
    const rounds = 600;
    for (let seed = 0; seed < rounds; seed++) {
      const signatures = minHashSignatures(pairOfSets(size, shared, random), { permutations: 128, seed });
      const visits: string[] = [];
      visitCandidates(
        signatures,
        banding,
        () => false,
        (a, b) => visits.push(`${a} ${b}`),
      );
      assert.ok(visits.length <= 1, "once");
      if (visits.length > 0) assert.equal(visits[0], "0 1");
      met += visits.length;
    }
    const expected = candidateProbability(shared / (2 * size - shared), banding);
    const bound = 4 * Math.sqrt((expected * (1 - expected)) / rounds);
    assert.ok(Math.abs(met / rounds - expected) < bound, `${met / rounds} for ${expected}`);
  }
});
