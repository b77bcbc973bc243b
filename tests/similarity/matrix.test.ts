import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceRequest } from "../../src/similarity/choose-device.js";
import { groupSimilarity, rowSimilarity } from "../../src/similarity/matrix.js";
import { estimateJaccard, minHashSignatures, type Signatures } from "../../src/similarity/minhash.js";
import { shingleTexts } from "../../src/similarity/shingles.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { randomText, withNewWords } from "./fixtures.js";

/** Rows of which some are alike; the number of rows is no multiple of anything. */
function someSignatures(rows: number, permutations = 64): Signatures {
  const random = new Random(3);
  const texts = Array.from({ length: rows }, () => randomText(14, 300, random));
  for (let row = 10; row < rows; row += 3) texts[row] = withNewWords(texts[row - 10] ?? "", 2, random);
  return minHashSignatures(shingleTexts(texts), { permutations, seed: 1 });
}

const DEVICES: readonly DeviceRequest[] = [
  "plain",
  { gpuMode: "cpu" },
  { gpuMode: "webasm" },
  "gpu",
  "fastest",
];

test("all pairs: every device gives exactly the estimates of the plain formula", async () => {
  const signatures = someSignatures(61);
  let alike = 0;
  for (const device of DEVICES) {
    const matrix = await rowSimilarity(signatures, { device });
    assert.equal(matrix.size, 61);
    for (let i = 0; i < 61; i++) {
      for (let j = 0; j < 61; j++) {
        const expected = estimateJaccard(signatures, i, j);
        assert.equal(matrix.values[i * 61 + j], expected, `${matrix.device}: ${i}, ${j}`);
        if (i !== j && expected > 0.3) alike++;
      }
    }
    assert.match(matrix.why, new RegExp(`^${matrix.device}: `));
  }
  assert.ok(alike > 50, "the rows are not all different");
});

test("signature words that differ only in their last bits stay different on every device", async () => {
  // As 32-bit floating point numbers these two are equal.
  const signatures: Signatures = { count: 2, permutations: 1, slots: Int32Array.of(2147483601, 2147483602) };
  assert.equal(Math.fround(2147483601), Math.fround(2147483602));
  for (const device of DEVICES) {
    assert.deepEqual([...(await rowSimilarity(signatures, { device })).values], [1, 0, 0, 1]);
  }
});

test("groups: every device gives the mean over pairs of different rows", async () => {
  const signatures = someSignatures(47);
  const groupOf = Array.from({ length: 47 }, (_, row) => (row === 13 ? 4 : row % 4));
  const groups = 5;
  const expected = Array.from({ length: groups * groups }, (_, at) => {
    const rowsOf = (group: number): number[] => [...groupOf.keys()].filter((row) => groupOf[row] === group);
    const pairs = rowsOf(Math.floor(at / groups)).flatMap((a) =>
      rowsOf(at % groups).flatMap((b) => (a === b ? [] : [estimateJaccard(signatures, a, b)])),
    );
    return pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
  });
  for (const device of DEVICES) {
    const matrix = await groupSimilarity(signatures, groupOf, groups, { device });
    for (const [at, value] of matrix.values.entries()) {
      const wanted = expected[at] ?? 0;
      if (Number.isNaN(wanted)) assert.ok(Number.isNaN(value), "a group of one row has no pair");
      else assert.ok(Math.abs(value - wanted) < 1e-12, `${matrix.device}: ${value} for ${wanted}`);
    }
  }
});

test("a calibration decides for larger work and says so", async () => {
  const { device, why } = await rowSimilarity(someSignatures(1500, 128), { device: "fastest" });
  assert.match(why, /^(plain loop|gpu\.js \w+): /);
  assert.ok(why.startsWith(device));
  if (!why.includes("too little")) assert.match(why, /judged by 192 of 1500 rows$/);
});

test("no rows, and more than fit in memory, are errors with a cure", async () => {
  const signatures = (count: number): Signatures => ({
    count,
    permutations: 1,
    slots: new Int32Array(count),
  });
  await assert.rejects(rowSimilarity(signatures(0)), KitError);
  await assert.rejects(rowSimilarity(signatures(50_000)), /sample of at most 16000 rows/);
  await assert.rejects(groupSimilarity(signatures(2), [0, 0], 2), /group 1 has no row/);
});
