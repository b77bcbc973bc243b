import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";
import { hashJson, sha256 } from "../../src/support/hash.js";
import { Random } from "../../src/support/random.js";
import { train } from "../../src/train/train.js";
import { newestCheckpoint, rewriteState, type SavedState, stateOf } from "./checkpoint-folder.js";
import { RESUME_CONFIG, RESUME_VALIDATION } from "./resume-config.js";
import { NextTokenModel, waveRows } from "./stand-in.js";

const root = mkdtempSync(join(tmpdir(), "ift-kit-kill-"));
const child = fileURLToPath(new URL("kill-child.ts", import.meta.url));
const register = fileURLToPath(new URL("../../src/cli/register.js", import.meta.url));

before(() => startEngine({ threads: 1 }));
after(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** File operations of a run that came to its end. */
  readonly operations: number | undefined;
}

/** Runs until the end or the kill. @param killAfter milliseconds after the run began at which it is killed from outside */
async function launch(directory: string, args: readonly string[], killAfter?: number): Promise<Ended> {
  const started = spawn(process.execPath, ["--import", register, child, directory, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<Pick<Ended, "signal" | "code">>((resolve) =>
    started.on("close", (code, signal) => resolve({ code, signal })),
  );
  let operations: number | undefined;
  for await (const line of createInterface({ input: started.stdout })) {
    if (line === "ready" && killAfter !== undefined) setTimeout(() => started.kill("SIGKILL"), killAfter);
    if (line.startsWith("done ")) operations = Number(line.slice("done ".length));
  }
  return { ...(await ended), operations };
}

/** Everything that a run ends with, bit for bit: weights, optimizer, best weights, history, validations. Not its clock. */
function fingerprint(directory: string): string {
  const checkpoint = newestCheckpoint(directory);
  const { history, ...state } = stateOf(checkpoint);
  const { seconds, tokensPerSecond, supervisedTokensPerSecond, memoryBytes, ...numbers } = history;
  for (const column of [seconds, tokensPerSecond, supervisedTokensPerSecond, memoryBytes])
    assert.equal(column?.length, numbers.step?.length);
  return hashJson({
    state: { ...state, hash: undefined },
    numbers,
    tensors: sha256(readFileSync(join(checkpoint, "tensors.safetensors"))),
  });
}

test("a run killed at 24 moments, 16 of them inside checkpoint writes, ends with the bits of the unbroken one", async (context) => {
  const whole = join(root, "whole");
  const { code, operations = 0 } = await launch(whole, []);
  assert.equal(code, 0);
  assert.equal(stateOf(newestCheckpoint(whole)).finished, true);
  const random = new Random(20261125);
  // A few operations a process, so that every stage of a write is met before the run ends.
  const perCheckpoint = operations / ((stateOf(newestCheckpoint(whole)).history.step?.length ?? NaN) / 2);
  assert.ok(perCheckpoint >= 8, `${operations} operations`);
  /** Four runs side by side, each killed six times: all moments are drawn before, so that they do not depend on each other. */
  const plans = [0, 1, 2, 3].map(() =>
    Array.from({ length: 6 }, (_, kill) => ({
      outside: kill % 3 === 2,
      operation: 1 + random.integer(Math.ceil(2 * perCheckpoint)),
      half: random.next() < 0.5,
      delay: 40 * random.next(),
    })),
  );
  let kills = 0;
  const killedRun = async (plan: (typeof plans)[number], directory: string): Promise<string> => {
    for (const { outside, operation, half, delay } of plan) {
      const args = outside ? [] : [String(operation), ...(half ? ["half"] : [])];
      const ended = await launch(directory, args, outside ? delay : undefined);
      assert.ok(ended.signal === "SIGKILL" || ended.code === 0);
      if (ended.signal === "SIGKILL") kills++;
    }
    await launch(directory, []);
    return fingerprint(directory);
  };
  const ends = await Promise.all(plans.map((plan, index) => killedRun(plan, join(root, `killed${index}`))));
  context.diagnostic(`${kills} kills, ${operations} file operations in an unbroken run`);
  assert.ok(kills >= 20, `${kills} kills`);
  for (const end of ends) assert.equal(end, fingerprint(whole));
});

/** Goes on from a copy of an unfinished run, after a change of its newest checkpoint. */
async function goOnAfter(change: (state: SavedState) => object): Promise<string> {
  const directory = join(root, `changed${readdirSync(root).length}`);
  cpSync(join(root, "stopped"), directory, { recursive: true });
  rewriteState(newestCheckpoint(directory), change);
  await trainIn(directory);
  return fingerprint(directory);
}

async function trainIn(directory: string, until = Infinity): Promise<void> {
  const model = new NextTokenModel();
  const controller = new AbortController();
  await train(
    model,
    waveRows(32),
    { ...RESUME_CONFIG, ...RESUME_VALIDATION.config, checkpoint: { directory, everySteps: 2 } },
    {
      resume: true,
      validation: RESUME_VALIDATION.rows,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === until) controller.abort();
      },
    },
  );
  model.dispose();
}

test("controls: a checkpoint without the place in the data, the validations or the history ends otherwise", async () => {
  await trainIn(join(root, "stopped"), 9);
  assert.ok(existsSync(join(root, "whole")), "the unbroken run of the test before");
  const whole = fingerprint(join(root, "whole"));
  assert.equal(await goOnAfter(() => ({})), whole, "nothing changed");
  assert.notEqual(await goOnAfter(() => ({ position: { epoch: 0, step: 0 } })), whole);
  assert.notEqual(await goOnAfter(() => ({ validations: [] })), whole);
  assert.notEqual(
    await goOnAfter(({ history }) => ({
      history: Object.fromEntries(
        Object.entries(history).map(([name, values]) => [
          name,
          name === "loss" ? values.map((x) => x + 1e-9) : values,
        ]),
      ),
    })),
    whole,
  );
});
