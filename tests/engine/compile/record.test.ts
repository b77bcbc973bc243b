import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { emitSavedModel } from "../../../src/engine/compile/emit.js";
import { constantNode, edgeOf, GraphBuilder, typeAttribute } from "../../../src/engine/compile/graph.js";
import { prune } from "../../../src/engine/compile/passes/prune.js";
import { record } from "../../../src/engine/compile/record.js";
import { GraphSession } from "../../../src/engine/compile/session.js";
import { startEngine } from "../../../src/engine/start.js";
import { tf, type TensorFlow } from "../../../src/engine/tensorflow.js";
import { KitError } from "../../../src/support/errors.js";

type Tensor = TensorFlow.Tensor;

// A folder of its own, because other processes record at the same time.
const folder = mkdtempSync(join(tmpdir(), "ift-kit-record-"));
process.env.TMPDIR = folder;
after(() => rmSync(folder, { recursive: true, force: true }));

before(async () => {
  await startEngine({ backend: "tensorflow" });
});

/** Records a function of one tensor. */
function recordUnary(body: (x: Tensor) => Tensor): ReturnType<typeof record> {
  const x = tf.tensor1d([1, 2, 3]);
  try {
    return record({ inputs: { x }, variables: new Map(), body: () => ({ y: body(x) }) });
  } finally {
    x.dispose();
  }
}

/** The one line of a refusal. */
function refusal(body: (x: Tensor) => Tensor): string {
  try {
    recordUnary(body);
  } catch (error) {
    assert.ok(error instanceof KitError, String(error));
    return error.message;
  }
  return assert.fail("nothing was refused");
}

const graphFolders = (): string[] => readdirSync(folder).filter((name) => name.startsWith("ift-kit-graph-"));

test("a recorded computation gives the eager numbers for other inputs, and leaves no file and no tensor", () => {
  const compute = (x: Tensor): Tensor =>
    tf.sum(tf.mul(tf.tanh(tf.add(x, 0.5)), tf.tensor1d([1, -2, 3])), 0, true);
  const tensors = tf.memory().numTensors;
  const session = new GraphSession(recordUnary(compute));
  assert.equal(graphFolders().length, 0, "the file is removed when it has been read");
  for (const values of [
    [1, 2, 3],
    [-0.3, 0, 8],
  ]) {
    const [compiled, eager] = tf.tidy(() => {
      const x = tf.tensor1d(values);
      return [session.run({ x }, ["y"])[0]?.dataSync()[0], compute(x).dataSync()[0]];
    });
    assert.equal(compiled, eager);
  }
  session.dispose();
  session.dispose();
  assert.throws(() => session.run({}, ["y"]), /closed/);
  assert.equal(tf.memory().numTensors, tensors);
});

test("two sessions do not know each other's variables", () => {
  const graphOf = (): ReturnType<GraphBuilder["finish"]> => {
    const builder = new GraphBuilder();
    const variable = builder.variable("v", [2]);
    const given = builder.placeholder("v", { dtype: "float32", shape: [2] });
    builder.outputs.set("assign", builder.done([variable.update("AssignVariableOp", given)]));
    builder.outputs.set("read", variable.read());
    return builder.finish();
  };
  const [one, two] = [new GraphSession(graphOf()), new GraphSession(graphOf())];
  tf.tidy(() => {
    one.run({ v: tf.tensor1d([1, 2]) }, ["assign"]);
    two.run({ v: tf.tensor1d([3, 4]) }, ["assign"]);
    const read = (session: GraphSession): number[] => [...(session.run({}, ["read"])[0]?.dataSync() ?? [])];
    assert.deepEqual(
      [read(one), read(two)],
      [
        [1, 2],
        [3, 4],
      ],
    );
  });
  one.dispose();
  two.dispose();
});

test("what cannot be recorded is refused by name", () => {
  assert.match(
    refusal((x) => tf.mul(x, tf.square(x).dataSync()[1] ?? 0)),
    /a result of the op Square is read by JavaScript/,
  );
  assert.match(
    refusal((x) => tf.mul(x, x.dataSync()[1] ?? 0)),
    /a result of the op Placeholder is read by JavaScript/,
  );
  assert.match(
    refusal((x) => tf.gather(x, tf.cast(x, "int32"))),
    /is read by JavaScript.*embeddingLookup/,
  );
  assert.match(
    refusal((x) => tf.linspace(0, 1, 3).add(x)),
    /the op LinSpace cannot be recorded.*op-table/,
  );
  assert.match(
    refusal((x) => {
      // As an op does that calls the binding itself.
      const backend = tf.backend() as unknown as {
        readonly binding: {
          executeOp(
            name: string,
            attributes: readonly unknown[],
            inputs: readonly number[],
            count: number,
          ): unknown[];
        };
        getInputTensorIds(tensors: readonly Tensor[]): number[];
        createOutputTensor(output: unknown): Tensor;
      };
      const [output] = backend.binding.executeOp("Square", [], backend.getInputTensorIds([x]), 1);
      return tf.add(backend.createOutputTensor(output), x);
    }),
    /an input of the op Add was computed past the recorder/,
  );
  // After a refusal the engine is as it was.
  assert.deepEqual([...tf.tidy(() => tf.square(tf.tensor1d([3])).dataSync())], [9]);
});

test("a node that is not in the graph is an error, not the end of the process", () => {
  const builder = new GraphBuilder();
  const stranger = edgeOf(constantNode(Float32Array.of(1), []));
  const T = typeAttribute("float32");
  builder.outputs.set("y", builder.edge("Neg", [stranger], { dtype: "float32", shape: [] }, { T }));
  assert.throws(() => emitSavedModel(builder.finish()), /a node that it does not have: Const/);
});

test("nodes on which nothing depends are left out, placeholders stay", () => {
  const graph = recordUnary((x) => {
    tf.exp(x);
    return tf.neg(x);
  });
  const ops = prune(graph).nodes.map(({ op }) => op);
  assert.deepEqual(ops, ["Placeholder", "Neg"]);
  assert.ok(graph.nodes.some(({ op }) => op === "Exp"));
});
