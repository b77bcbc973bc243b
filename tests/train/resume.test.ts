import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { KitError } from "../../src/support/errors.js";
import { hashJson } from "../../src/support/hash.js";
import { checkpointSteps } from "../../src/train/checkpoint.js";
import type { TrainConfig } from "../../src/train/config.js";
import { train, type TrainOptions, type TrainResult } from "../../src/train/train.js";
import { RESUME_CONFIG } from "./resume-config.js";
import { NextTokenModel, spansOf, untimed, waveRows } from "./stand-in.js";

const root = mkdtempSync(join(tmpdir(), "ift-kit-resume-"));
let folders = 0;
const newFolder = (): string => join(root, `run${folders++}`);

/** Of the uninterrupted run. */
let whole = "";
let uninterrupted: TrainResult;

before(async () => {
  await startEngine({ threads: 1 });
  [whole, uninterrupted] = await run(RESUME_CONFIG);
});
after(() => rmSync(root, { recursive: true, force: true }));

/** What must be equal, bit for bit: every loss and every parameter. */
function fingerprint(model: NextTokenModel, { history }: TrainResult): string {
  return hashJson([history.map(({ loss }) => loss), [...model.values()]]);
}

async function run(config: TrainConfig, options: TrainOptions = {}): Promise<[string, TrainResult]> {
  const model = new NextTokenModel();
  try {
    const result = await train(model, waveRows(40), config, options);
    return [fingerprint(model, result), result];
  } finally {
    model.dispose();
  }
}

/** Runs until a step and stops there, which leaves a checkpoint of that step. */
async function runUntil(config: TrainConfig, last: number, resume = false): Promise<TrainResult> {
  const controller = new AbortController();
  const onStep: TrainOptions["onStep"] = ({ step }) => {
    if (step === last) controller.abort();
  };
  const [, result] = await run(config, { signal: controller.signal, onStep, resume });
  assert.equal(result.status, "stopped");
  assert.equal(result.progress.step, last);
  return result;
}

const withCheckpoints = (directory: string, everySteps = 3): TrainConfig => ({
  ...RESUME_CONFIG,
  checkpoint: { directory, everySteps },
});

test("a run that is stopped and resumed is the uninterrupted run, bit for bit", async () => {
  const { history, progress } = uninterrupted;
  assert.ok(progress.step > 20 && progress.epochs > 4);
  const config = withCheckpoints(newFolder());
  for (const step of [2, 3, 11, 19]) await runUntil(config, step, step !== 2);
  const [resumed, result] = await run(config, { resume: true });
  assert.equal(resumed, whole);
  assert.equal(result.status, "finished");
  assert.deepEqual(result.history.map(untimed), history.map(untimed));
  assert.ok(result.progress.seconds > (result.history[18]?.seconds ?? NaN), "the clock goes on");
  // A finished run is read back; nothing is trained.
  let steps = 0;
  const [again] = await run(config, { resume: true, onStep: () => steps++ });
  assert.equal(again, whole);
  assert.equal(steps, 0);
});

test("what a killed process left half-written is passed over and removed", async () => {
  const directory = newFolder();
  const config = withCheckpoints(directory);
  await runUntil(config, 10);
  const unfinished = join(directory, "step-00000012.4711.part");
  mkdirSync(unfinished);
  writeFileSync(join(unfinished, "tensors.safetensors"), "half");
  assert.equal((await run(config, { resume: true }))[0], whole);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes("part")),
    [],
  );
  assert.equal(checkpointSteps(directory).length, 2, "the newest two are kept");
});

type Damage = (checkpoint: string) => void;
const damages: Record<string, Damage> = {
  "cut off": (checkpoint) => truncateSync(join(checkpoint, "tensors.safetensors"), 500),
  "one byte changed": (checkpoint) => {
    const path = join(checkpoint, "tensors.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  },
  "file missing": (checkpoint) => rmSync(join(checkpoint, "tensors.safetensors")),
  "state not JSON": (checkpoint) => truncateSync(join(checkpoint, "state.json"), 100),
  "state edited": (checkpoint) => {
    const path = join(checkpoint, "state.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(/"epoch":\d/, '"epoch":7'));
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a damaged checkpoint (${name}): the one before leads to the same bits; without one, an error`, async (context) => {
    const directory = newFolder();
    const config = withCheckpoints(directory);
    await runUntil(config, 13);
    const [newest, older] = checkpointSteps(directory).map((step) =>
      join(directory, `step-${String(step).padStart(8, "0")}`),
    );
    assert.ok(newest !== undefined && older !== undefined);
    damage(newest);
    const notice = context.mock.method(console, "error", () => undefined);
    assert.equal((await run(config, { resume: true }))[0], whole);
    assert.match(String(notice.mock.calls[0]?.arguments[0]), /damaged.*Going on from step-00000012/);
    notice.mock.restore();

    for (const step of checkpointSteps(directory))
      damage(join(directory, `step-${String(step).padStart(8, "0")}`));
    await assert.rejects(
      run(config, { resume: true }),
      (error) =>
        error instanceof KitError &&
        error.message.includes("the checkpoint is damaged") &&
        error.message.includes("To mend it: remove") &&
        (error.location.file ?? "").startsWith(directory),
    );
  });
}

test("a run goes on from its own checkpoints only, and never over those of another", async () => {
  const directory = newFolder();
  const config = withCheckpoints(directory);
  await runUntil(config, 4);
  const refused = async (
    change: Partial<TrainConfig>,
    words: RegExp,
    options: TrainOptions = { resume: true },
  ): Promise<void> => {
    await assert.rejects(run({ ...config, ...change }, options), (error) => {
      assert.ok(error instanceof KitError);
      assert.match(error.message, words);
      return true;
    });
  };
  await refused({}, /already has checkpoints.*resume that run/, {});
  await refused({}, /a run with compiled steps, these would be eager/, { resume: true, compile: false });
  await refused({ seed: 2 }, /field "seed": .* with 1 here, now it is 2/);
  await refused({ optimizer: { ...config.optimizer, learningRate: 0.02 } }, /field "optimizer.learningRate"/);
  await refused(
    { batch: { kind: "packed", tokensPerRow: 16, rowsPerStep: 8 } },
    /field "batch.kind": .*"bucketed" here/,
  );
  const otherRows = [...waveRows(39), spansOf("new", [1, 2], 1)];
  const model = new NextTokenModel();
  await assert.rejects(train(model, otherRows, config, { resume: true }), /run on other rows/);
  model.dispose();
  const wider = new NextTokenModel(11, 8);
  await assert.rejects(train(wider, waveRows(40), config, { resume: true }), /model with other parameters/);
  wider.dispose();
  // How often to save is no part of what the run is.
  await runUntil(withCheckpoints(directory, 50), 9, true);
});

test("a diverging run leaves the last good checkpoint, and says so", async () => {
  const directory = newFolder();
  const config = withCheckpoints(directory, 2);
  const model = new NextTokenModel();
  const poison: TrainOptions["onStep"] = ({ step }) => {
    if (step === 5) throw new Error("the cell failed");
  };
  await assert.rejects(train(model, waveRows(40), config, { onStep: poison }), /the cell failed/);
  assert.deepEqual(checkpointSteps(directory), [4, 2]);
  model.dispose();
  const explosive = { ...RESUME_CONFIG.optimizer, learningRate: 1e38, clipNorm: "off" as const };
  const other = newFolder();
  await assert.rejects(
    run({ ...withCheckpoints(other, 1), optimizer: explosive }),
    /at step (\d+), .*the checkpoint of step \d+ is untouched/,
  );
  assert.ok(checkpointSteps(other).length > 0);
});

test("a folder that cannot be made is an error before the first step", async () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  let steps = 0;
  await assert.rejects(
    run(withCheckpoints(join(file, "checkpoints")), { onStep: () => steps++ }),
    (error) => error instanceof KitError && error.message.includes("a part of the path is a file"),
  );
  assert.equal(steps, 0);
});
