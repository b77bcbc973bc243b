/**
 * The plan "rewrite-formats" (24 runs) on a real Ray cluster on loopback with a worker node killed in the middle, beside the
 * same plan on this machine: every number must be equal. Not part of the tests, because Ray is a large Python package.
 *
 *     IFT_KIT_PEER_PYTHON=… node --import ./src/cli/register.js tests/experiment/real-ray.ts [shared|upload] [SUPERVISED_TOKENS]
 */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { rayPlace } from "../../src/experiment/places/ray/place.js";
import { planRuns } from "../../src/experiment/plan/expand.js";
import { readPlan } from "../../src/experiment/plan/read.js";
import { doRuns, type PoolOptions } from "../../src/experiment/pool.js";
import type { RunResult } from "../../src/experiment/result.js";
import { RunStore } from "../../src/experiment/store.js";

const [kind = "shared", tokens = "4000"] = process.argv.slice(2);
const python = process.env.IFT_KIT_PEER_PYTHON;
if (python === undefined) throw new Error("set IFT_KIT_PEER_PYTHON to a Python that has ray[default]");

const folder = mkdtempSync(join(tmpdir(), "ift-kit-real-ray-"));
const { plan } = await readPlan("rewrite-formats");
const small = { ...plan, budget: { ...plan.budget, amount: Number(tokens) } };
const runs = (await planRuns({ ...small, evaluation: { testRows: 40 } })).map(
  ({ specification }) => specification,
);

function bar(label: string): NonNullable<PoolOptions["onProgress"]> {
  let shown = -1;
  return ({ finished, total }) => {
    if (finished !== shown) console.error(`${label}: ${finished} of ${total} runs`);
    shown = finished;
  };
}

/** What must not depend on where and how often a run was started. */
function numbersOf({ arm, seed, rows, curve, training }: RunResult): unknown {
  return { arm, seed, rows, curve: curve.map(({ loss }) => loss), training: { ...training, seconds: 0 } };
}

const cluster: ChildProcessWithoutNullStreams = spawn(python, [
  fileURLToPath(new URL("./ray_cluster.py", import.meta.url)),
]);
cluster.stderr.resume();
const lines = createInterface(cluster.stdout);
try {
  const [address] = (await once(lines, "line")) as [string];
  console.error(`cluster at ${address}`);
  const place = await rayPlace({
    address,
    store: kind === "upload" ? { kind, host: "127.0.0.1" } : { kind: "shared" },
  });
  const lost: string[] = [];
  let isKilled = false;
  const show = bar(place.name);
  const began = performance.now();
  const done = await doRuns(runs, new RunStore(join(folder, "ray")), {
    place,
    onTrouble: ({ id, message }) => lost.push(`${id}: ${message}`),
    onProgress: (progress) => {
      show(progress);
      if (isKilled || progress.finished < 6 || progress.tokensPerSecond === 0) return;
      isKilled = true;
      console.error("killing a worker node");
      cluster.stdin.write("kill\nadd\n");
    },
  });
  await place.close();
  const seconds = (performance.now() - began) / 1000;
  const local = await doRuns(runs, new RunStore(join(folder, "local")), { onProgress: bar("this machine") });
  assert.deepEqual(done.failed, []);
  assert.equal(done.results.length, runs.length);
  assert.equal(isKilled, true);
  assert.deepEqual(done.results.map(numbersOf), local.results.map(numbersOf));
  console.log(
    JSON.stringify({
      place: place.name,
      runs: runs.length,
      seconds: Math.round(seconds),
      lost,
      failed: done.failed,
      equal: true,
    }),
  );
} finally {
  cluster.stdin.end();
  await once(cluster, "exit");
  rmSync(folder, { recursive: true, force: true });
}
