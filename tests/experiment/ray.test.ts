import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RayClient } from "../../src/experiment/places/ray/client.js";
import { upload } from "../../src/experiment/places/ray/hand-over.js";
import { rayPlace } from "../../src/experiment/places/ray/place.js";
import { TOKEN_VARIABLE } from "../../src/experiment/places/work.js";
import { doRuns } from "../../src/experiment/pool.js";
import type { RunResult } from "../../src/experiment/result.js";
import { planRewriteRuns, type RewriteRun } from "../../src/experiment/rewrite/plan.js";
import { RunStore } from "../../src/experiment/store.js";
import { RayHead } from "./ray-head.js";
import { TINY_SETTINGS } from "./tiny.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-ray-store-"));
const head = new RayHead();
let address = "";
before(async () => {
  address = await head.start();
});
after(() => {
  head.close();
  rmSync(folder, { recursive: true, force: true });
});

const [first, second] = planRewriteRuns(TINY_SETTINGS) as [RewriteRun, RewriteRun];

/** What must not depend on where a run was done. */
function numbersOf({ rows, curve, training }: RunResult): unknown {
  return { rows, curve: curve.map(({ loss }) => loss), training: { ...training, seconds: 0 } };
}

let local: readonly RunResult[] = [];

test("runs on Ray give the bits of runs on this machine, by shared folder, also when a job is killed", async () => {
  local = (await doRuns([first, second], new RunStore(join(folder, "local")), { processes: 2 })).results;
  const lines: string[] = [];
  const troubles: [string, boolean][] = [];
  let isKilled = false;
  const place = await rayPlace({ address, pollEvery: 100, onLog: (_, line) => lines.push(line) });
  assert.equal(place.capacity, 2, "the dead node does not count");
  const done = await doRuns([first, second], new RunStore(join(folder, "shared")), {
    place,
    onTrouble: ({ message }, again) => troubles.push([message, again]),
    onProgress: ({ fraction }) => {
      if (isKilled || fraction <= 0.02) return;
      isKilled = true;
      [...head.jobs.values()].at(-1)?.process.kill("SIGKILL");
    },
  });
  await place.close();
  assert.deepEqual([done.status, done.failed], ["finished", []]);
  assert.deepEqual(done.results.map(numbersOf), local.map(numbersOf));
  assert.equal(isKilled, true);
  assert.equal(troubles.length, 1, JSON.stringify(troubles));
  assert.match(troubles[0]?.[0] ?? "", /ended as FAILED without a result/);
  assert.equal(head.jobs.size, 3, "the run that was lost was started once more");
  assert.deepEqual([...head.jobs.values()][0]?.resources, { cpus: 1, gpus: 0 });
});

test("results come by upload where the folder is not shared; nobody else is answered", async () => {
  const place = await rayPlace({ address, pollEvery: 100, store: { kind: "upload", host: "127.0.0.1" } });
  const done = await doRuns([first], new RunStore(join(folder, "upload")), { place });
  await place.close();
  assert.deepEqual(done.failed, []);
  assert.deepEqual(done.results.map(numbersOf), local.slice(0, 1).map(numbersOf));

  const handOver = await upload("127.0.0.1");
  const request = {
    version: 1,
    key: "a".repeat(64),
    specification: first,
    workFolder: join(folder, "w"),
    resultFile: join(folder, "w", "result.json"),
  } as const;
  const { source, environment } = handOver.offer(request);
  const ask = async (url: string, token: string, method = "GET"): Promise<number> =>
    (await fetch(url, { method, headers: { authorization: `Bearer ${token}` } })).status;
  const token = environment[TOKEN_VARIABLE] ?? "";
  assert.deepEqual(
    await Promise.all([
      ask(source, token),
      ask(source, "another"),
      ask(source.replace("aaaa", "bbbb"), token),
      ask(`${source}/../../../etc/passwd`, token),
      ask(source, token, "PUT"),
    ]),
    [200, 401, 404, 404, 405],
  );
  handOver.withdraw(request);
  assert.equal(await ask(source, token), 404);
  await handOver.close();
});

test("a run that fails leaves its reason and is not tried again", async () => {
  const broken = { ...second, id: "broken", settings: { ...second.settings, learningRate: -1 } };
  const place = await rayPlace({ address, pollEvery: 100 });
  const before = head.jobs.size;
  const done = await doRuns([broken], new RunStore(join(folder, "shared")), { place });
  await place.close();
  assert.match(done.failed[0]?.message ?? "", /learningRate/);
  assert.equal(head.jobs.size - before, 1);
});

test("an abort stops the jobs, and the experiment goes on later from their checkpoints", async () => {
  const long = {
    ...first,
    settings: { ...first.settings, budget: { unit: "supervised-tokens", amount: 6000 }, trainingRows: 1200 },
  } as const;
  const store = new RunStore(join(folder, "stopped"));
  const stop = new AbortController();
  const place = await rayPlace({ address, pollEvery: 100 });
  const stopped = await doRuns([long], store, {
    place,
    signal: stop.signal,
    onProgress: ({ fraction }) => {
      if (fraction > 0) stop.abort();
    },
  });
  assert.equal(stopped.status, "stopped");
  const job = [...head.jobs.values()].at(-1);
  assert.equal(job?.status, "STOPPED");
  const resumed = await doRuns([long], store, { place });
  await place.close();
  assert.deepEqual([resumed.status, resumed.failed], ["finished", []]);
});

test("a head that is away for a moment loses nothing; what is not Ray, and cannot hold a run, is said", async () => {
  const place = await rayPlace({ address, pollEvery: 50 });
  let away = 0;
  const done = await doRuns([first], new RunStore(join(folder, "away")), {
    place,
    onProgress: ({ active }) => {
      if (active.length === 0 || away++ > 0) return;
      head.isAway = true;
      setTimeout(() => (head.isAway = false), 400);
    },
  });
  await place.close();
  assert.deepEqual(done.failed, []);
  assert.ok(away > 0);
  await assert.rejects(rayPlace({ address, resources: { cpus: 1, gpus: 1 } }), /no node .* 1 GPUs/);
  await assert.rejects(
    rayPlace({ address: "http://127.0.0.1:9" }),
    /no answer from Ray .*`ray start --head`/,
  );
  assert.throws(() => new RayClient("nonsense"), /not an address/);
  assert.equal(new RayClient("ray://head:10001").address, "http://head:8265");
});
