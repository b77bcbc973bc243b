import assert from "node:assert/strict";
import { test } from "node:test";
import type { Spans } from "../../src/data/spans.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { checkBatching, fitStep, layOut, planEpoch, type Step } from "../../src/train/batch.js";
import type { BatchConfig } from "../../src/train/config.js";
import { DataOrder } from "../../src/train/order.js";
import { packBestFit } from "../../src/train/pack.js";
import { hashRows, prepareRows, type TrainingRow } from "../../src/train/rows.js";
import { spansOf } from "./stand-in.js";

const LIMITS = { vocabularySize: 100, contextLength: 64 };
const BUCKETED: BatchConfig = { kind: "bucketed", rowsPerStep: 16 };
const PACKED: BatchConfig = { kind: "packed", tokensPerRow: 40, rowsPerStep: 4 };

/** Rows of 2 to 40 tokens, many short and few long. */
function randomRows(count: number, seed: number): TrainingRow[] {
  const random = new Random(seed);
  const rows: Spans[] = Array.from({ length: count }, (_, row) => {
    const length = 2 + Math.floor(39 * random.next() ** 3);
    const ids = Array.from({ length }, () => random.integer(100));
    return spansOf(`row${row}`, ids, 1 + random.integer(length - 1));
  });
  return prepareRows(rows, LIMITS);
}

const positionsOf = (
  rows: readonly TrainingRow[],
  steps: readonly Step[],
  kind: BatchConfig["kind"],
): number => steps.map((step) => layOut(rows, step, kind).ids.length).reduce((sum, size) => sum + size, 0);
const sortedIndexes = (steps: readonly Step[]): number[] => steps.flat(2).sort((a, b) => a - b);

for (const config of [BUCKETED, PACKED]) {
  test(`${config.kind}: an epoch has every row exactly once, in another order each epoch and seed`, () => {
    for (const count of [1, 15, 16, 17, 130, 333]) {
      const rows = randomRows(count, count);
      const plan = planEpoch(rows, config, 7, 0);
      const every = rows.map((_, index) => index);
      assert.deepEqual(sortedIndexes(plan), every);
      assert.deepEqual(planEpoch(rows, config, 7, 0), plan, "the same seed and epoch");
      assert.ok(plan.every((step) => step.length > 0 && step.length <= config.rowsPerStep));
      if (count < 15) continue;
      for (const other of [planEpoch(rows, config, 7, 1), planEpoch(rows, config, 8, 0)]) {
        assert.deepEqual(sortedIndexes(other), every);
        assert.notDeepEqual(other, plan);
      }
    }
  });
}

test("steps of an epoch differ by at most one row: no small last step with the weight of a whole one", () => {
  const sizes = planEpoch(randomRows(130, 1), { kind: "bucketed", rowsPerStep: 64 }, 1, 0).map(
    ({ length }) => length,
  );
  assert.deepEqual(
    sizes.toSorted((a, b) => a - b),
    [43, 43, 44],
  );
});

test("buckets waste little padding; control: unsorted steps waste much", () => {
  const rows = randomRows(1000, 3);
  const needed = rows.reduce((sum, { inputs }) => sum + inputs.length, 0);
  const bucketed = positionsOf(rows, planEpoch(rows, BUCKETED, 1, 0), "bucketed");
  const order = new Random(1).shuffled(rows.map((_, index) => [index]));
  const unsorted: Step[] = Array.from({ length: 63 }, (_, step) => order.slice(step * 16, step * 16 + 16));
  assert.ok(bucketed / needed < 1.1, `bucketed ${bucketed / needed}`);
  assert.ok(positionsOf(rows, unsorted, "bucketed") / needed > 2);
});

test("best fit fills packs, and a row goes where it leaves least room", () => {
  const rows = prepareRows(
    [5, 4, 3, 2, 1].map((length) => spansOf(`length${length}`, new Array<number>(length + 1).fill(1), 1)),
    LIMITS,
  );
  assert.deepEqual(packBestFit(rows, [4, 3, 2, 1, 0], 8), [
    [0, 2],
    [1, 3, 4],
  ]);
  const many = randomRows(2000, 5);
  const needed = many.reduce((sum, { inputs }) => sum + inputs.length, 0);
  const packs = packBestFit(
    many,
    many.map((_, index) => index),
    40,
  );
  assert.ok(needed / (packs.length * 40) > 0.98, `filled ${needed / (packs.length * 40)}`);
});

test("layout: ids, positions, segments and targets of packed rows, by hand", () => {
  const rows = prepareRows(
    [spansOf("a", [9, 8, 7, 6], 2), spansOf("b", [5, 4, 3], 1), spansOf("c", [1, 2], 1)],
    LIMITS,
  );
  assert.deepEqual(layOut(rows, [[0, 1], [2]], "packed"), {
    batch: 2,
    time: 5,
    ids: Int32Array.of(9, 8, 7, 5, 4, 1, 0, 0, 0, 0),
    positions: Int32Array.of(0, 1, 2, 0, 1, 0, 0, 0, 0, 0),
    segments: Int32Array.of(1, 1, 1, 2, 2, 1, 0, 0, 0, 0),
    targetPositions: Int32Array.of(1, 2, 4, 5),
    targets: Int32Array.of(7, 6, 3, 2),
  });
  const inSight = layOut(rows, [[0, 1], [2]], "packed-in-sight");
  assert.deepEqual(inSight.positions, Int32Array.of(0, 1, 2, 3, 4, 0, 0, 0, 0, 0));
  assert.deepEqual(inSight.segments, Int32Array.of(1, 1, 1, 1, 1, 1, 0, 0, 0, 0));
  assert.deepEqual(
    inSight.targetPositions,
    Int32Array.of(1, 2, 4, 5),
    "no row predicts another's first token",
  );
  assert.deepEqual(layOut(rows, [[2], [0]], "bucketed"), {
    batch: 2,
    time: 3,
    ids: Int32Array.of(1, 0, 0, 9, 8, 7),
    targetPositions: Int32Array.of(0, 4, 5),
    targets: Int32Array.of(2, 7, 6),
  });
});

test("packing never predicts a token from another row, and keeps every target", () => {
  const rows = randomRows(200, 11);
  for (const step of planEpoch(rows, PACKED, 1, 0)) {
    const { ids, segments, positions, targetPositions, targets, time } = layOut(rows, step, "packed");
    assert.ok(segments !== undefined && positions !== undefined);
    const expected: [number, number][] = []; // (token before, target) of the rows themselves
    for (const index of step.flat()) {
      const row = rows[index];
      assert.ok(row);
      row.targetOffsets.forEach((offset, i) =>
        expected.push([row.inputs[offset] ?? -1, row.targets[i] ?? -1]),
      );
    }
    const found = [...targetPositions].map((at, i): [number, number] => [ids[at] ?? -1, targets[i] ?? -1]);
    assert.deepEqual(found, expected);
    assert.ok(
      [...targetPositions].every((at) => (segments[at] ?? 0) > 0),
      "no target at padding",
    );
    for (let at = 1; at < ids.length; at++) {
      const continues: boolean = at % time !== 0 && segments[at] === segments[at - 1] && segments[at] !== 0;
      assert.equal(positions[at], continues ? (positions[at - 1] ?? 0) + 1 : 0);
    }
  }
});

test("the order of a run goes on from any position", () => {
  const rows = randomRows(50, 2);
  const whole = new DataOrder(rows, BUCKETED, 3);
  for (let step = 0; step < 11; step++) whole.next();
  assert.deepEqual(whole.position, { epoch: 2, step: 3 });
  const resumed = new DataOrder(rows, BUCKETED, 3, whole.position);
  for (let step = 0; step < 11; step++) assert.deepEqual(resumed.next(), whole.next());
});

test("the last step takes the rows that fit, in order", () => {
  const costs = [5, 3, 4, 1];
  const fit = (left: number): Step => fitStep([[0, 1], [2], [3]], (row) => costs[row] ?? 0, left);
  assert.deepEqual(fit(13), [[0, 1], [2], [3]]);
  assert.deepEqual(fit(8), [[0, 1]]);
  assert.deepEqual(fit(4), [[1], [3]]);
  assert.deepEqual(fit(0), []);
});

test("rows that cannot be trained on are errors that name the row", () => {
  const good = spansOf("good", [1, 2], 1);
  const refused = (row: Spans, words: RegExp): void => {
    assert.throws(
      () => prepareRows([good, row], LIMITS),
      (error) => error instanceof KitError && error.location.row === 2 && words.test(error.message),
    );
  };
  refused(spansOf("masked", [1, 2, 3], 0), /no token of the row is supervised.*"masked"/);
  refused(spansOf("first", [1, 2], 2), /first token is supervised/);
  refused(spansOf("unknown", [1, 100], 1), /token id 100 .* vocabulary of 100/);
  refused(spansOf("fraction", [1.5, 1], 1), /token id 1.5/);
  refused(spansOf("long", new Array<number>(66).fill(1), 1), /66 tokens, the model takes 65/);
  refused({ ...good, ids: [1, 2, 3] }, /3 ids but 2 supervised flags/);
  assert.throws(() => prepareRows([], LIMITS), /no rows to train on/);
  const longest = prepareRows([spansOf("edge", new Array<number>(65).fill(1), 1)], LIMITS);
  assert.throws(() => checkBatching(longest, PACKED, 64), /row 1: the row needs 64 positions, a pack has 40/);
  assert.throws(
    () => checkBatching(longest, { ...PACKED, tokensPerRow: 65 }, 64),
    /longer than the model's context/,
  );
});

test("the hash of the rows sees ids, masks and order", () => {
  const a = spansOf("a", [1, 2, 3], 1);
  const b = spansOf("b", [1, 2, 3], 1);
  const hash = (...rows: Spans[]): string => hashRows(prepareRows(rows, LIMITS));
  const hashes = [
    hash(a, b),
    hash(b, a),
    hash(spansOf("a", [1, 2, 3], 2), b),
    hash(spansOf("a", [2, 2, 3], 1), b),
  ];
  assert.equal(new Set(hashes).size, 4);
  assert.equal(hash(a, b), hashes[0]);
});
