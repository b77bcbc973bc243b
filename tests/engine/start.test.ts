import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Diagnosis } from "../../src/engine/install/inspect.js";
import { projectRoot } from "../../src/engine/install/paths.js";
import { thisMachine, variantFor } from "../../src/engine/install/platform.js";
import { runProgram, type ProgramResult } from "../../src/engine/install/run-program.js";

const root = projectRoot();
const supported = "variant" in variantFor(thisMachine(), undefined);

/** Runs a piece of TypeScript-free code in a process of its own, where the engine has not started yet. */
function inNewProcess(code: string, env: NodeJS.ProcessEnv = {}): Promise<ProgramResult> {
  const prelude = `
    import { startEngine } from "./src/engine/start.ts";
    import { tf } from "./src/engine/tensorflow.ts";`;
  const argv = ["--import", "./src/cli/register.js", "--input-type=module", "-e", prelude + code];
  return runProgram(process.execPath, argv, { cwd: root, env });
}

const PRODUCT = `
  const engine = await startEngine();
  const product = tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[1], [10]])).dataSync();
  console.log(JSON.stringify({ backend: engine.backend, running: tf.getBackend(), product: [...product] }));`;

describe("engine", () => {
  for (const backend of ["tensorflow", "wasm", "cpu"]) {
    test(
      `${backend} runs when it is asked for, without a word on stderr`,
      { skip: backend === "tensorflow" && !supported },
      async () => {
        const result = await inNewProcess(PRODUCT, { IFT_KIT_BACKEND: backend });
        assert.equal(result.stderr, "");
        assert.deepEqual(JSON.parse(result.stdout), { backend, running: backend, product: [21, 43] });
      },
    );
  }

  test("a library that does not load gives the wasm backend and one line with the cost and the cure", async () => {
    const result = await inNewProcess(
      `
      import { createRequire } from "node:module";
      const require = createRequire(${JSON.stringify(join(root, "package.json"))});
      const name = require.resolve("@tensorflow/tfjs-node-gpu");
      require.cache[name] = { get exports() { throw new Error("libtensorflow_cc.so.2: cannot open shared object file"); }, loaded: true };
      ${PRODUCT}`,
    );
    assert.equal((JSON.parse(result.stdout) as { backend: string }).backend, "wasm");
    assert.match(
      result.stderr,
      /^engine: wasm backend, about 10 times slower .* because .*run `npx ift-kit setup`.*\n$/,
    );
  });

  test("an unknown backend and a wrong number of threads are errors", async () => {
    const code = `await startEngine().catch((error) => console.log(error.message));`;
    assert.match(
      (await inNewProcess(code, { IFT_KIT_BACKEND: "webgl" })).stdout,
      /IFT_KIT_BACKEND is "webgl"/,
    );
    assert.match(
      (await inNewProcess(code, { IFT_KIT_THREADS: "none" })).stdout,
      /"IFT_KIT_THREADS": none is not/,
    );
  });

  test("danfojs-node and the kit share one TensorFlow.js", async () => {
    const code = `
      import { createRequire } from "node:module";
      const danfo = createRequire(${JSON.stringify(join(root, "package.json"))})("danfojs-node");
      await startEngine();
      console.log(danfo.tensorflow.ENV === tf.ENV, danfo.tensorflow.getBackend() === tf.getBackend());`;
    assert.equal((await inNewProcess(code)).stdout, "true true\n");
  });
});

describe("doctor", () => {
  test("reports the native engine", { skip: !supported }, async () => {
    const result = await runProgram(process.execPath, ["src/cli/ift-kit.js", "doctor", "--json"], {
      cwd: root,
    });
    assert.equal(result.code, 0, result.stderr);
    const diagnosis = JSON.parse(result.stdout) as Diagnosis;
    assert.equal(diagnosis.usable, true);
    assert.equal(diagnosis.engine?.backend, "tensorflow");
    assert.match(diagnosis.engine.tensorflowVersion ?? "", /^2\.21\./);
    assert.equal(diagnosis.jupyter.ready, true);
  });

  test("names what is missing and the cure when a slower backend runs", async () => {
    const env = { IFT_KIT_BACKEND: "cpu", CXX: "/nonexistent", IFT_KIT_PYTHON: "/nonexistent" };
    const result = await runProgram(process.execPath, ["src/cli/ift-kit.js", "doctor"], { cwd: root, env });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /missing: native TensorFlow: .*slower/);
    assert.match(result.stdout, /missing: C\+\+ compiler/);
    assert.match(result.stdout, /missing: Python/);
  });
});
