import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { main } from "../../src/cli/main.js";
import { startEngine } from "../../src/engine/start.js";
import { hashJson, sha256 } from "../../src/support/hash.js";
import { Random } from "../../src/support/random.js";
import { newestCheckpoint, rewriteState } from "./checkpoint-folder.js";
import { type Ended, launch, type Stop } from "./command-child.js";
import { OBJECTIVES, place, type Place, type RunFile } from "./objective-configs.js";

before(() => startEngine({ threads: 1 }));

const STEPS = 150;

/** As the objective has it, long enough to be stopped, with dropout, and the best weights kept. */
function longRun(at: Place, name: string): RunFile {
  const config = OBJECTIVES[name]?.(at) ?? {};
  return {
    ...config,
    ...("bert" in config ? { bert: { ...(config.bert as object), dropout: 0.1 } } : {}),
    train: {
      ...(config.train as object),
      budget: { unit: "steps", amount: STEPS },
      validation: {
        everySteps: 30,
        earlyStopping: { on: "all-tokens", patience: STEPS, minimumImprovement: 0 },
      },
    },
    checkpointEverySteps: 7,
  };
}

/** Runs to the end in this process. */
async function finish(context: TestContext, file: string, out: string, ...flags: string[]): Promise<string> {
  process.env.IFT_KIT_THREADS = "1";
  const mocks = (["log", "error"] as const).map((kind) =>
    context.mock.method(console, kind, () => undefined),
  );
  await main(["node", "ift-kit", "train", file, "--out", out, ...flags]);
  const said = mocks.flatMap(({ mock }) => mock.calls.map((call) => String(call.arguments[0]))).join("\n");
  for (const { mock } of mocks) mock.restore();
  assert.equal(process.exitCode ?? 0, 0, said);
  return said;
}

/** What a finished run leaves, bit for bit: weights, each step's numbers but its clock, scores, rows. */
function bitsOf(out: string): Record<string, string> {
  const steps = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
  assert.equal(steps.length, STEPS);
  const clocks = new Set(["seconds", "tokensPerSecond", "supervisedTokensPerSecond", "memoryBytes"]);
  const numbers = steps.map((line) =>
    Object.entries(JSON.parse(line) as object).filter(([name]) => !clocks.has(name)),
  );
  const hashes = ["model/model.safetensors", "evaluation.json", "ledger.json"].map((name) => [
    name,
    sha256(readFileSync(join(out, name))),
  ]);
  return { ...Object.fromEntries(hashes), numbers: hashJson(numbers) } as Record<string, string>;
}

for (const name of Object.keys(OBJECTIVES)) {
  test(`${name}: stopped by Ctrl-C, killed twice and robbed of its newest checkpoint, a run ends with the bits of the unbroken one; control: from another place in the data`, async (context) => {
    const at = place(context);
    const random = Random.derive(20261126, name);
    const [file, whole, broken] = ["run.json", "whole", "broken"].map((each) => join(at.folder, each)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, JSON.stringify(longRun(at, name)));
    await finish(context, file, whole);
    const stop = (signal: Stop["signal"]): Stop => ({
      ...{ signal, out: broken, steps: 8 + random.integer(20), delay: 8 * random.next() },
    });
    const killed = async (): Promise<Ended> => {
      const ended = await launch(["train", file, "--out", broken, "--resume"], stop("SIGKILL"));
      assert.equal(ended.signal, "SIGKILL", ended.stderr);
      return ended;
    };

    const interrupted = await launch(["train", file, "--out", broken], stop("SIGINT"));
    assert.equal(interrupted.code, 130, interrupted.stderr);
    const [, step, again] =
      /^stopped after step (\d+); to go on: (.*)$/m.exec(interrupted.stdout) ??
      assert.fail(interrupted.stdout);
    assert.equal(again, `ift-kit train ${file} --out ${broken} --resume`);
    const checkpoints = join(broken, "checkpoints");
    assert.equal(newestCheckpoint(checkpoints), join(checkpoints, `step-${step?.padStart(8, "0") ?? ""}`));
    assert.ok(!existsSync(join(broken, "model")), "no model of an unfinished run");

    const displaced = join(at.folder, "displaced");
    cpSync(broken, displaced, { recursive: true });
    rewriteState(newestCheckpoint(join(displaced, "checkpoints")), ({ position: { epoch, step } }) => ({
      position: { epoch, step: step === 0 ? 1 : step - 1 },
    }));

    await killed();
    const tensors = join(newestCheckpoint(checkpoints), "tensors.safetensors");
    const bytes = readFileSync(tensors);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(tensors, bytes);
    const { stderr } = await killed();
    const [damage, ...others] = stderr.split("\n").filter((line) => line.startsWith("ift-kit: "));
    assert.match(damage ?? "", /the checkpoint is damaged \(its hash is another\).*Going on from step-\d+/);
    assert.deepEqual(others, []);
    await finish(context, file, broken, "--resume");
    assert.deepEqual(bitsOf(broken), bitsOf(whole));

    await finish(context, file, displaced, "--resume");
    const [control, unbroken] = [bitsOf(displaced), bitsOf(whole)];
    for (const what of ["model/model.safetensors", "numbers"]) {
      assert.notEqual(control[what], unbroken[what], `control: ${what}`);
    }
  });
}
