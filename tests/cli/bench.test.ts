import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Contestant, type ContestResult, runContest, spreadOf } from "../../src/cli/bench/contest.js";
import { Peer } from "../../src/cli/bench/peer.js";
import { flopsPerToken, workloadNamed, workloadRows } from "../../src/cli/bench/workload.js";
import { runProgram } from "../../src/engine/install/run-program.js";
import { KitError } from "../../src/support/errors.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-bench-test-"));
after(() => rmSync(folder, { recursive: true }));

const CLI = fileURLToPath(new URL("../../src/cli/ift-kit.js", import.meta.url));

/** A program that speaks as peers.py does and takes a millisecond for each amount of 1, which counts as 2,048. */
function standIn(name: string, parameters: number): string {
  const path = join(folder, name);
  const script = `#!${process.execPath}
    let task;
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const request = JSON.parse(line);
      console.log(JSON.stringify(task === undefined ? { ready: "stand-in", parameters: ${parameters} }
        : { seconds: request.amount / 1000, amount: 2048 * request.amount, value: 1, peakMegabytes: 7 }));
      task ??= request.task;
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
    const large = workloadNamed("large");
    const { vocabularySize, width, layers, heads } = large.config;
    assert.deepEqual(
      [width, layers, heads, large.time, large.batch, vocabularySize],
      [256, 6, 8, 256, 8, 4096],
    );
    const rows = workloadRows(large);
    assert.equal(rows.length, 8);
    assert.ok(rows.every((row) => row.length === 257 && row.every((id) => id >= 0 && id < 4096)));
    assert.ok(new Set(rows.flat()).size > 1000, "a loss that falls at once would say nothing");
    // Six for each of the 5.8 M parameters of products, and 2.4 M for attention.
    assert.ok(Math.abs(flopsPerToken(large, 5_853_696) - 3.71e7) < 1e5, `${flopsPerToken(large, 5_853_696)}`);
  });

  it("lets the contestants take turns, and states ratios lap by lap and who is absent", async () => {
    const turns: string[] = [];
    const contestant = (name: string, seconds: number) => (): Promise<Contestant> =>
      Promise.resolve({
        name,
        lap: (amount) => {
          turns.push(name);
          return Promise.resolve({ seconds, amount, peakMegabytes: 1, value: 2 });
        },
        close: () => turns.push(`${name} closed`),
      });
    const result = await runContest(
      {
        part: "test",
        what: "a test",
        unit: "things/s",
        contestants: [contestant("a", 1), () => Promise.reject(new Error("no b here")), contestant("c", 4)],
        lapAmount: 8,
        laps: { least: 3, most: 3, warmUp: false },
        flopsPerUnit: 5,
      },
      { seconds: 0, peak: () => 80 },
    );
    assert.deepEqual(turns, ["a", "c", "c", "a", "a", "c", "a closed", "c closed"]);
    assert.deepEqual(result.absent, ["no b here"]);
    assert.deepEqual(
      result.sides.map(({ rate, ratio, peakShare }) => [rate.median, ratio?.median, peakShare]),
      [
        [8, undefined, 0.5],
        [2, 4, 0.125],
      ],
    );
  });

  it("prints the kit and the peers side by side as JSON", async () => {
    const python = standIn("python", 344_928);
    const argv = [CLI, "bench", "--only", "training", "--size", "small", "--minutes", "0.001", "--json"];
    const options = ["--no-torch-compile", "--peer-python", python];
    const { code, stdout, stderr } = await runProgram(process.execPath, [...argv, ...options]);
    assert.equal(code, 0, stderr);
    const { results, matmulGflops } = JSON.parse(stdout) as {
      readonly results: readonly ContestResult[];
      readonly matmulGflops: Readonly<Record<string, number>>;
    };
    assert.ok((matmulGflops.float32 ?? 0) > 1 && (matmulGflops.bfloat16 ?? 0) > 1);
    const [{ sides, unit, laps } = assert.fail("no result")] = results;
    assert.equal(unit, "tokens/s");
    assert.equal(laps, 3);
    const names = ["ift-kit, float32", "ift-kit, bfloat16", "stand-in", "stand-in"];
    assert.deepEqual(
      sides.map(({ name }) => name),
      names,
    );
    const [own, , peer] = sides;
    // ln 64 = 4.16 before any step; rows that are always the same are learned by heart.
    assert.ok(own && own.rate.median > 100 && own.value < 4.16, `loss ${own?.value ?? NaN}`);
    assert.ok(Math.abs((peer?.rate.median ?? 0) - 2_048_000) < 1);
    assert.ok(
      peer?.ratio && Math.abs(peer.ratio.median - own.rate.median / 2_048_000) < 0.5 * peer.ratio.median,
    );
  });

  it("says so when the Python has no peers, and when the peer trains another model", async () => {
    const request = { task: "training", threads: 1 };
    await assert.rejects(Peer.start(join(folder, "missing"), request, 1), (error) => {
      assert.ok(error instanceof KitError);
      assert.match(error.message, /ENOENT.*torch, transformers/);
      return true;
    });
    await assert.rejects(Peer.start(process.execPath, request, 1), KitError);
    await assert.rejects(Peer.start(standIn("other", 5), request, 6), /5 parameters, the kit 6/);
  });
});
