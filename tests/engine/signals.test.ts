import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Multiplies matrices on its main thread until it is told to stop, and says whether every product was the same. */
const PROGRAM = `
  import { startEngine } from "./src/engine/start.js";
  import { tf } from "./src/engine/tensorflow.js";
  await startEngine({ threads: 1 });
  let signals = 0;
  let stop = false;
  process.on("SIGWINCH", () => signals++);
  process.on("SIGTERM", () => { stop = true; });
  // The shapes with which memory was corrupted before signals were kept off the computing thread.
  const a = tf.randomUniform([2048, 96], -1, 1, "float32", 1);
  const b = tf.randomUniform([96, 384], -1, 1, "float32", 2);
  const product = () => tf.tidy(() => tf.matMul(a, b).dataSync());
  const first = product();
  const differs = (values) => values.some((value, index) => index % 7 === 0 && value !== first[index]);
  let wrong = 0;
  console.log("ready");
  while (!stop) {
    for (let round = 0; round < 20; round++) if (differs(product())) wrong++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(JSON.stringify({ signals, wrong }));
`;

test(
  "signals during matrix products neither crash the process nor change a product",
  { timeout: 120_000 },
  async (context) => {
    if ((await startEngine()).backend !== "tensorflow") {
      context.skip("needs the native engine");
      return;
    }
    const child = spawn(
      process.execPath,
      ["--import", "./src/cli/register.js", "--input-type=module", "--eval", PROGRAM],
      { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | string | null>((resolve) =>
      child.on("exit", (code, signal) => resolve(signal ?? code)),
    );
    context.after(() => child.kill("SIGKILL"));
    const runs = (): boolean => child.exitCode === null && child.signalCode === null;
    while (!output.includes("ready") && runs()) await sleep(50);
    // On a busy machine a sleep of 1 ms takes ten: fewer signals do as well.
    const deadline = performance.now() + 15_000;
    for (let sent = 0; sent < 2000 && performance.now() < deadline && runs(); sent++) {
      child.kill("SIGWINCH");
      await sleep(1);
    }
    child.kill("SIGTERM");
    assert.equal(await ended, 0, "the process ended by itself");
    const { signals, wrong } = JSON.parse(output.trim().split("\n").at(-1) ?? "{}") as Record<string, number>;
    assert.ok((signals ?? 0) > 200, `${signals ?? 0} signals were handled`);
    assert.equal(wrong, 0);
  },
);
