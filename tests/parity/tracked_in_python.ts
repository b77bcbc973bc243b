// Do TensorBoard and a real MLflow server have what the kit logs, also of a resumed run? Not part of the tests, because it
// needs a Python with tensorboard and mlflow:
//
//   IFT_KIT_PEER_PYTHON=PYTHON node --import ./src/cli/register.js --test tests/parity/tracked_in_python.ts
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { StepRecord } from "../../src/train/progress.js";
import { mlflowName } from "../../src/train/track/mlflow/client.js";
import { MlflowTracker, type MlflowRun } from "../../src/train/track/mlflow/mlflow.js";
import { type Scalar, scalarsOf } from "../../src/train/track/scalars.js";
import { TensorBoardFiles } from "../../src/train/track/tensorboard/tensorboard.js";
import type { Tracker } from "../../src/train/track/tracker.js";
import { madeUpRecords } from "../train/track/records.js";

const python = process.env.IFT_KIT_PEER_PYTHON ?? assert.fail("IFT_KIT_PEER_PYTHON names the Python");
const folder = mkdtempSync(join(tmpdir(), "ift-kit-tracked-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Curves = Readonly<Record<string, readonly (readonly [number, number])[]>>;
interface Tracked {
  readonly curves: Curves;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

function read(...args: readonly string[]): Tracked {
  const script = fileURLToPath(new URL("read_tracked.py", import.meta.url));
  const output = execFileSync(python, [script, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(output) as Tracked;
}

/** The curves of some steps. */
function curvesOf(
  records: readonly StepRecord[],
  nameOf: (name: string) => string,
  round: (x: number) => number,
): Curves {
  const curves: Record<string, [number, number][]> = {};
  for (const record of records)
    for (const [name, value] of scalarsOf(record) as readonly Scalar[])
      (curves[nameOf(name)] ??= []).push([record.step, round(value)]);
  return curves;
}

const records = madeUpRecords(400);

/** A run that logs 300 steps, is stopped, and goes on from step 250. */
async function track(make: () => Tracker): Promise<void> {
  const first = make();
  first.start([]);
  for (const record of records.slice(0, 300)) first.step(record);
  await first.end("stopped");
  const second = make();
  second.start(records.slice(0, 250));
  for (const record of records.slice(250)) second.step(record);
  await second.end("finished");
}

it("TensorBoard shows every step once", async () => {
  const logs = join(folder, "tensorboard");
  let clock = 1_700_000_000_000;
  await track(() => new TensorBoardFiles(logs, () => (clock += 100)));
  assert.deepEqual(
    read("tensorboard", logs).curves,
    curvesOf(records, (name) => name, Math.fround),
  );
});

it("a real MLflow server has every step once, the parameters and the status", async () => {
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const server = spawn(
    python,
    [
      "-m",
      "mlflow",
      "server",
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--workers",
      "1",
      "--backend-store-uri",
      `sqlite:///${join(folder, "mlflow.db")}`,
      "--default-artifact-root",
      join(folder, "artifacts"),
    ],
    { stdio: "ignore", detached: true },
  );
  try {
    await answers(uri);
    const run: MlflowRun = {
      server: { uri },
      experiment: "kit",
      name: "tracked",
      parameters: { "train.seed": "1" },
      stateFile: join(folder, "mlflow.json"),
    };
    await track(() => new MlflowTracker(run));
    const { run: id } = JSON.parse(readFileSync(run.stateFile, "utf8")) as { run: string };
    const { curves, parameters, status, experiment, name } = read("mlflow", uri, id);
    assert.deepEqual(
      curves,
      curvesOf(records, mlflowName, (value) => value),
    );
    assert.deepEqual([parameters, status, experiment, name], [run.parameters, "FINISHED", "kit", "tracked"]);
  } finally {
    if (server.pid !== undefined) process.kill(-server.pid, "SIGKILL");
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function answers(uri: string): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const ready = await fetch(`${uri}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await setTimeout(1000);
  }
  assert.fail("the server did not start");
}
