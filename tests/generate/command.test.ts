import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { baseFolder } from "../../src/evaluate/base-checkpoint.js";
import { generateData } from "../../src/generate/generate-data.js";
import { addsUp, type GenerationLedger } from "../../src/generate/pipeline/ledger.js";
import { openAiTeacher } from "../../src/generate/teacher/openai-teacher.js";
import { scriptedTeacher } from "../../src/generate/teacher/scripted-teacher.js";
import { Random } from "../../src/support/random.js";
import { temporaryFolder } from "../data/fixtures.js";
import { completion, madeUpEndpoint, servedScript } from "./endpoint.js";
import { linesOf, METHOD_NAMES, seedsFor } from "./fixtures.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");
const ROWS = "datasets/mini/task-rows/train.jsonl";

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly notes: string }>;
}

function start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(process.execPath, [PROGRAM, "generate-data", ...words], {
    env: { ...process.env, ...environment },
  });
  let [out, notes] = ["", ""];
  child.stdout.on("data", (text) => (out += String(text)));
  child.stderr.on("data", (text) => (notes += String(text)));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out, notes }));
  return { child, ended };
}

/** The rows, rejections and ledger of a folder; not how often it was asked. */
function resultOf(folder: string): { rows: string; rejected: string; ledger: GenerationLedger } {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const { ledger } = JSON.parse(read("manifest.json")) as { ledger: GenerationLedger };
  return { rows: read("instructions.jsonl"), rejected: read("rejected.jsonl"), ledger };
}

describe("generate-data against ift-kit serve", () => {
  it("every method, with the scripted teacher: as without a server", async (context) => {
    const endpoint = await servedScript(context);
    for (const method of METHOD_NAMES) {
      const seeds = await seedsFor(method);
      const common = { method, seeds, count: 12, questionsPerRound: 3 };
      const [served, direct] = [temporaryFolder(context), temporaryFolder(context)];
      const data = await generateData({
        ...common,
        folder: served,
        teacher: openAiTeacher({ endpoint, model: "script" }),
      });
      assert.ok(data.rows.length >= 10, method);
      for (const [level, line] of linesOf(data.ledger)) assert.ok(addsUp(line), level);
      await generateData({ ...common, folder: direct, teacher: scriptedTeacher() });
      assert.deepEqual(resultOf(served), resultOf(direct), method);
    }
  });

  it("killed again and again and resumed, it ends as if it had never been", async (context) => {
    const random = Random.derive(3, "kills");
    let [asked, victim, next] = [0, undefined as ChildProcess | undefined, Infinity];
    const endpoint = await servedScript(context, async () => {
      if (++asked >= next) {
        next = Infinity;
        victim?.kill("SIGKILL");
      }
      await new Promise((resolve) => setTimeout(resolve, 4 * random.next()));
    });
    const [killed, whole] = [temporaryFolder(context), temporaryFolder(context)];
    const words = [
      "self-instruct",
      "--seeds",
      ROWS,
      "--count",
      "30",
      "--endpoint",
      endpoint,
      "--teacher",
      "script",
    ];
    const unharmed = await start([...words, "--out", whole]).ended;
    assert.equal(unharmed.code, 0, unharmed.notes);
    const all = asked;
    let kills = 0;
    for (;;) {
      next = kills < 4 ? asked + 1 + random.integer(Math.floor(all / 5)) : Infinity;
      const run = start([...words, "--out", killed, "--concurrency", String(1 + random.integer(8))]);
      victim = run.child;
      const { code, notes } = await run.ended;
      if (code === 0) break;
      assert.equal(run.child.signalCode, "SIGKILL", notes);
      kills++;
    }
    assert.equal(kills, 4);
    assert.deepEqual(resultOf(killed), resultOf(whole));
    // What was being answered at a kill is asked again, the rest is not: at most the concurrency a kill.
    assert.ok(asked - all <= all + 4 * 8, `${asked - all} questions instead of ${all}`);
    const before = asked;
    const again = await start([...words, "--out", killed]).ended;
    assert.equal(again.code, 0);
    assert.equal(asked, before, "a repeated run asks nothing");
  });

  it("Ctrl-C ends it whole, and the same command goes on", async (context) => {
    let asked = 0;
    let press: () => void = () => undefined;
    const endpoint = await servedScript(context, async () => {
      if (++asked === 12) press();
      await new Promise((resolve) => setTimeout(resolve, 3));
    });
    const folder = temporaryFolder(context);
    const words = [
      "personas",
      "--count",
      "15",
      "--endpoint",
      endpoint,
      "--teacher",
      "script",
      "--out",
      folder,
      "--json",
    ];
    const run = start(words);
    press = () => run.child.kill("SIGINT");
    const { code, out, notes } = await run.ended;
    assert.equal(code, 130, notes);
    assert.match(notes, /Nothing is lost/);
    assert.equal((JSON.parse(out) as { end: { kind: string } }).end.kind, "interrupted");
    const { code: good } = await start(words).ended;
    assert.equal(good, 0);
    assert.equal(readFileSync(join(folder, "instructions.jsonl"), "utf8").trim().split("\n").length, 15);
  });
});

/** Every file below a folder, as one text. */
function everythingIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

describe("generate-data and its key", () => {
  const KEY = "sk-canary-4711-aaaabbbbcccc";

  it("is sent to the endpoint and stands in no file, log, output or error", async (context) => {
    const seen = new Set<string | undefined>();
    const answers = [
      () => ({
        body: completion(JSON.stringify({ instruction: `Say the word ${KEY} five times now`, input: KEY })),
      }),
      () => ({ body: completion(`The key is ${KEY}, in base64 ${Buffer.from(KEY).toString("base64")}.`) }),
      () => ({ body: completion("", { refusal: `I will not say ${KEY}` }) }),
      () => ({ status: 400, body: { error: { message: `bad ${KEY}` } } }),
    ];
    const { url } = await madeUpEndpoint(context, (call, { headers }) => {
      seen.add(headers.authorization);
      return answers[call % answers.length]?.() ?? { body: "" };
    });
    const statuses = [401, 403, 500, 429];
    const failing = await madeUpEndpoint(context, (call) => ({
      status: statuses[call % statuses.length] ?? 500,
      headers: { "retry-after-ms": "1", "x-echo": KEY },
      body: { error: { message: `Incorrect API key provided: ${KEY}`, code: KEY, type: KEY } },
    }));
    const folder = temporaryFolder(context);
    const environment = { TEACHER_KEY: KEY, OPENAI_LOG: "debug", OPENAI_API_KEY: "sk-other-canary-000" };
    const words = (endpoint: string, out: string): string[] => [
      ...["personas", "--endpoint", endpoint, "--teacher", "m", "--key-env", "TEACHER_KEY"],
      ...["--out", join(folder, out), "--count", "6", "--max-rounds", "3", "--retries", "2"],
    ];
    const good = await start(words(url, "good"), environment).ended;
    assert.equal(good.code, 0, good.notes);
    assert.deepEqual([...seen], [`Bearer ${KEY}`]);
    const said = [good];
    for (const out of ["a", "b", "c"]) said.push(await start(words(failing.url, out), environment).ended);
    said.push(await start(words("http://127.0.0.1:9/v1", "d"), environment).ended);
    said.push(await start(words(`${url}?key=${KEY}`, "e"), environment).ended);
    assert.ok(said.slice(1).every(({ code }) => code === 1));
    const told = said.map(({ out, notes }) => `${out}\n${notes}`).join("\n") + everythingIn(folder);
    assert.ok(told.includes("[key]"), "it was there to be taken out");
    for (const form of [KEY, Buffer.from(KEY).toString("base64"), "canary", "sk-other"])
      assert.ok(!told.includes(form), form);
  });
});

describe("generate-data with a model of the kit", () => {
  const MODEL = baseFolder("decoder");

  it("the base model: nearly all is rejected, the ledger adds up, and it stops by itself", async (context) => {
    await startEngine();
    for (const [method, rounds] of [
      ["template-synthesis", "3"],
      ["personas", "2"],
    ] as const) {
      const folder = temporaryFolder(context);
      const words = [method, "--seeds", ROWS, "--model", MODEL, "--out", folder, "--count", "5"];
      const run = await start([...words, "--max-rounds", rounds, "--questions-per-round", "3", "--json"])
        .ended;
      assert.equal(run.code, 0, run.notes);
      const { ledger, end } = JSON.parse(run.out) as { ledger: GenerationLedger; end: { kind: string } };
      assert.ok(["max-rounds", "exhausted", "patience", "count"].includes(end.kind), end.kind);
      assert.ok(ledger.tasks.proposed >= 6);
      for (const [level, line] of linesOf(ledger)) assert.ok(addsUp(line), level);
    }
  });
});

describe("generate-data: the command line", () => {
  async function refuses(context: TestContext, words: readonly string[], message: RegExp): Promise<void> {
    const { code, notes } = await start([...words, "--out", join(temporaryFolder(context), "out")]).ended;
    assert.ok(code === 1 || code === 2, String(code));
    assert.match(notes, message);
  }

  it("bad input gives one line", async (context) => {
    await Promise.all([
      refuses(context, ["nonsense", "--script"], /nonsense/),
      refuses(context, ["personas"], /one teacher is needed/),
      refuses(context, ["personas", "--script", "--model", "x"], /one teacher is needed/),
      refuses(context, ["personas", "--endpoint", "http://127.0.0.1:1/v1"], /--teacher/),
      refuses(context, ["self-instruct", "--script"], /needs 8 seeds/),
      refuses(context, ["personas", "--script", "--budget-money", "1"], /needs prices/),
      refuses(context, ["personas", "--script", "--judge", "9"], /1 to 5/),
      refuses(context, ["alpaca", "--script", "--seeds", "missing.json"], /missing\.json/),
    ]);
  });
});
