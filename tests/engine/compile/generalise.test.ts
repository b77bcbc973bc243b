import assert from "node:assert/strict";
import { before, test } from "node:test";
import { generalise, type SizedGraph } from "../../../src/engine/compile/passes/generalise.js";
import { shareEqualNodes } from "../../../src/engine/compile/passes/share.js";
import { fitFormula } from "../../../src/engine/compile/passes/size-formula.js";
import { record } from "../../../src/engine/compile/record.js";
import { GraphSession } from "../../../src/engine/compile/session.js";
import { startEngine } from "../../../src/engine/start.js";
import { tf, type TensorFlow } from "../../../src/engine/tensorflow.js";
import { KitError } from "../../../src/support/errors.js";

type Body = (x: TensorFlow.Tensor2D) => TensorFlow.Tensor;

before(async () => {
  await startEngine({ backend: "tensorflow" });
});

const SIZES = [
  { rows: 2, columns: 5 },
  { rows: 3, columns: 7 },
  { rows: 5, columns: 6 },
  { rows: 2, columns: 12 },
];
const matrix = (rows: number, columns: number): TensorFlow.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: rows * columns }, (_, index) => Math.sin(index + rows)),
    [rows, columns],
  );

function recordings(body: Body, sizes = SIZES): SizedGraph[] {
  return sizes.map(({ rows, columns }) => {
    const x = matrix(rows, columns);
    try {
      const graph = record({ inputs: { x }, variables: new Map(), body: () => ({ y: body(x) }) });
      return { graph, sizes: { rows, columns } };
    } finally {
      x.dispose();
    }
  });
}

/** Checks one graph against the eager computation at sizes that were not recorded. */
function checkEverySize(body: Body): void {
  const session = new GraphSession(shareEqualNodes(generalise(recordings(body))));
  for (const [rows, columns] of [
    [1, 1],
    [1, 12],
    [7, 3],
    [4, 11],
  ] as const) {
    tf.tidy(() => {
      const x = matrix(rows, columns);
      const feeds = { x, rows: tf.scalar(rows, "int32"), columns: tf.scalar(columns, "int32") };
      const [compiled] = session.run(feeds, ["y"]);
      const eager = body(x);
      assert.ok(compiled);
      assert.deepEqual(compiled.shape, eager.shape);
      assert.deepEqual([...compiled.dataSync()], [...eager.dataSync()]);
    });
  }
  session.dispose();
}

test("shapes, paddings, counts and fillings follow the sizes", () => {
  checkEverySize((x) => {
    const [rows, columns] = x.shape;
    const flat = tf.reshape<TensorFlow.Rank.R1>(x, [rows * columns]);
    const starts = tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => row * 4),
      "int32",
    );
    const padded = tf.pad2d(tf.reshape<TensorFlow.Rank.R2>(flat, [columns, rows]), [
      [0, 12 - columns],
      [0, 1],
    ]);
    return tf.mul(tf.sum(padded), tf.add(tf.cast(starts, "float32"), tf.ones([rows])));
  });
});

test("tables are the leading part of the largest one", () => {
  checkEverySize((x) => {
    const [, columns] = x.shape;
    const table = Float32Array.from({ length: columns * columns }, (_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      return Math.cos(row * 31 + column);
    });
    return tf.matMul(x, tf.tensor2d(table, [columns, columns]));
  });
});

function refusal(body: Body, sizes = SIZES): string {
  try {
    generalise(recordings(body, sizes));
  } catch (error) {
    assert.ok(error instanceof KitError, String(error));
    return error.message;
  }
  return assert.fail("nothing was refused");
}

test("what would be frozen is refused by name", () => {
  assert.match(
    refusal((x) => tf.mul(x, 1 / x.shape[0])),
    /the op Mul is given a number from JavaScript that changes .*0\.5, then 0\.33/,
  );
  assert.match(
    refusal((x) => tf.add(x, tf.randomUniform([1, 1]))),
    /the op Add is given a number from JavaScript that changes.*random draw/,
  );
  // At one size too.
  const [size] = SIZES;
  assert.ok(size);
  assert.match(
    refusal((x) => tf.dropout(x, 0.5), [size, size]),
    /the op \w+ is given a number from JavaScript that changes/,
  );
  assert.match(
    refusal((x) => (x.shape[0] > 2 ? tf.neg(x) : tf.square(x))),
    /takes another path .*\(Square here, Square there\)|takes another path .*\((Square|Neg) here, (Square|Neg) there\)/,
  );
  // A shape that is no product of sizes.
  assert.match(
    refusal((x) => tf.tile(tf.sum(x, 0, true), [x.shape[0] ** 2, 1])),
    /the op Tile is given a number from JavaScript/,
  );
});

test("a formula is found when exactly one fits", () => {
  const sizes = SIZES.map(({ rows, columns }) => ({ rows, columns }));
  const of = (value: (rows: number, columns: number) => number): ReturnType<typeof fitFormula> =>
    fitFormula(
      sizes.map(({ rows, columns }) => value(rows, columns)),
      sizes,
    );
  assert.deepEqual(
    of(() => 7),
    { constant: 7, factor: 0, product: [] },
  );
  assert.deepEqual(
    of((rows, columns) => rows * columns),
    { constant: 0, factor: 1, product: ["rows", "columns"] },
  );
  assert.deepEqual(
    of((_, columns) => 12 - columns),
    { constant: 12, factor: -1, product: ["columns"] },
  );
  assert.equal(
    of((rows, columns) => rows + columns),
    undefined,
  );
  assert.equal(
    of((rows) => rows / 2),
    undefined,
  );
  // Sizes that always go together are not told apart.
  assert.equal(
    fitFormula(
      [2, 3],
      [
        { a: 2, b: 2 },
        { a: 3, b: 3 },
      ],
    ),
    undefined,
  );
});
