import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Measurement, spreadOf } from "../../src/cli/bench/compare.js";
import { PeerTraining } from "../../src/cli/bench/peer-training.js";
import { WORKLOADS, workloadRows } from "../../src/cli/bench/workload.js";
import { runProgram } from "../../src/engine/install/run-program.js";
import { KitError } from "../../src/support/errors.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-bench-"));
after(() => rmSync(folder, { recursive: true }));

const CLI = fileURLToPath(new URL("../../src/cli/ift-kit.js", import.meta.url));

/** A program that speaks as torch_training.py does and takes a millisecond a step. */
function standIn(name: string, parameters: number): string {
  const path = join(folder, name);
  const script = `#!${process.execPath}
    let ready = false;
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { steps, threads } = JSON.parse(line);
      console.log(JSON.stringify(ready ? { seconds: steps / 1000, loss: 1, peakMegabytes: 7 }
        : { ready: "stand-in", parameters: ${parameters}, threads }));
      ready = true;
    });`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

describe("bench", () => {
  it("takes the median, also of an even number", () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, low: 1, high: 3 });
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, low: 1, high: 4 });
  });

  it("measures the work that the design names", () => {
    const large = WORKLOADS.find(({ name }) => name === "large");
    assert.ok(large);
    const { vocabularySize, width, layers, heads } = large.config;
    assert.deepEqual(
      [width, layers, heads, large.time, large.batch, vocabularySize],
      [256, 6, 8, 256, 8, 4096],
    );
    const rows = workloadRows(large);
    assert.equal(rows.length, 8);
    assert.ok(rows.every((row) => row.length === 257 && row.every((id) => id >= 0 && id < 4096)));
    assert.ok(new Set(rows.flat()).size > 1000, "a loss that falls at once would say nothing");
  });

  it("prints the kit and the peer side by side as JSON", async () => {
    const python = standIn("python", 344_928);
    const argv = [CLI, "bench", "--size", "small", "--minutes", "0.001", "--json", "--peer-python", python];
    const { code, stdout, stderr } = await runProgram(process.execPath, argv);
    assert.equal(code, 0, stderr);
    const { measurements } = JSON.parse(stdout) as { readonly measurements: readonly Measurement[] };
    const [{ parameters, laps, kit, peer, ratio } = assert.fail("no measurement")] = measurements;
    assert.equal(parameters, 344_928);
    assert.equal(laps, 3);
    assert.ok(kit.tokensPerSecond.median > 100);
    // ln 64 = 4.16 before any step; rows that are always the same are learned by heart.
    assert.ok(kit.loss < 4.16, `loss ${kit.loss}`);
    assert.ok(Math.abs((peer?.tokensPerSecond.median ?? 0) - 2_048_000) < 1);
    assert.ok(ratio && Math.abs(ratio.median - kit.tokensPerSecond.median / 2_048_000) < 0.5 * ratio.median);
  });

  it("says so when the Python has no PyTorch, and when the peer trains another model", async () => {
    const [small] = WORKLOADS;
    assert.ok(small);
    await assert.rejects(PeerTraining.start(join(folder, "missing"), small, 1, 1), (error) => {
      assert.ok(error instanceof KitError);
      assert.match(error.message, /ENOENT.*import torch/);
      return true;
    });
    await assert.rejects(PeerTraining.start(process.execPath, small, 1, 1), KitError);
    await assert.rejects(PeerTraining.start(standIn("other", 5), small, 1, 6), /5 parameters, the kit 6/);
  });
});
