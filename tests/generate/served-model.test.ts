import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startEngine } from "../../src/engine/start.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { type GeneratedData, generateData, GENERATION_FILES } from "../../src/generate/generate-data.js";
import type { MethodName } from "../../src/generate/methods/index.js";
import { addsUp, type GenerationLedger } from "../../src/generate/pipeline/ledger.js";
import { openAiTeacher } from "../../src/generate/teacher/openai-teacher.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import { Decoder } from "../../src/model/decoder.js";
import { temporaryFolder } from "../data/fixtures.js";
import { linesOf, METHOD_NAMES, seedsFor } from "./fixtures.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");
/** Small requests: what a method does with a model is to be seen, not what a model can do. */
const SMALL = { count: 4, questionsPerRound: 4, maxRounds: 2, maxAnswerTokens: 12, seed: 5 } as const;
const SEED_FILES = {
  text: "datasets/mini/corpus/validation.txt",
  rows: "datasets/mini/task-rows/train.jsonl",
};

/** A decoder that was never trained, with room for every question, and the tokenizer of the base model. */
async function writeUntrained(folder: string): Promise<void> {
  await startEngine();
  const { decoder: base, tokenizer } = await loadBase("decoder");
  const shape = { layers: 1, width: 32, heads: 2, keyValueHeads: 2, headWidth: 16, feedForwardWidth: 64 };
  const decoder = Decoder.create({ ...base.config, ...shape, contextLength: 4096 }, 8);
  saveDecoder(folder, decoder, { special: tokenizer.special });
  tokenizer.save(folder);
  decoder.dispose();
  base.dispose();
}

/** Lines of a file that are whole. */
function linesIn(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

function resultOf(folder: string): object {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const { ledger } = JSON.parse(read(GENERATION_FILES.manifest)) as { ledger: GenerationLedger };
  return { rows: read(GENERATION_FILES.rows), rejected: read(GENERATION_FILES.rejected), ledger };
}

describe("generate-data against an ift-kit serve process with models of the kit", () => {
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-untrained-"));
  let server: ChildProcess;
  let url = "";

  before(async () => {
    await writeUntrained(folder);
    const models = ["--model", `untrained=${folder}`, "--model", "base=decoder"];
    server = spawn(process.execPath, [PROGRAM, "serve", ...models, "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(server.stdout !== null);
    [url] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
  });
  after(async () => {
    server.kill("SIGINT");
    await once(server, "exit");
    rmSync(folder, { recursive: true });
  });

  /** Requests by how they ended, as the server counts them. */
  async function requestsOf(model: string): Promise<Record<"completed" | "refused" | "all", number>> {
    const metrics = await (await fetch(`${url}metrics`)).text();
    const counts = [...metrics.matchAll(/^ift_kit_requests_total\{model="(.*)",outcome="(.*)"\} (\d+)$/gm)]
      .filter(([, name]) => name === model)
      .map(([, , outcome = "", count]) => [outcome, Number(count)] as const);
    const of = (wanted: string): number => counts.find(([outcome]) => outcome === wanted)?.[1] ?? 0;
    const all = counts.reduce((sum, [, count]) => sum + count, 0);
    return { completed: of("completed"), refused: of("refused"), all };
  }

  async function generated(method: MethodName, model: string, folder: string): Promise<GeneratedData> {
    const teacher = openAiTeacher({ endpoint: `${url}v1`, model });
    const seeds = await seedsFor(method);
    return generateData({ method, seeds, folder, teacher, ...SMALL });
  }

  for (const method of METHOD_NAMES) {
    for (const model of ["untrained", "base"]) {
      it(`${method}, ${model}: it ends, all is accounted for, and repeated it asks nothing`, async (context) => {
        const folder = temporaryFolder(context);
        const before = await requestsOf(model);
        const data = await generated(method, model, folder);
        const { end, ledger, questions } = data;
        assert.ok(["count", "max-rounds", "exhausted"].includes(end.kind), end.kind);
        assert.ok(ledger.tasks.proposed > 0);
        for (const [level, line] of linesOf(ledger)) assert.ok(addsUp(line), level);
        const rejected = linesOf(ledger).flatMap(([, line]) => Object.values(line.rejected));
        assert.equal(
          linesIn(join(folder, GENERATION_FILES.rejected)).length,
          rejected.reduce((sum, count) => sum + count, 0),
        );
        assert.equal(questions.asked, questions.fromStore + questions.answered);
        const replies = linesIn(join(folder, GENERATION_FILES.replies)).map(
          (line) => (JSON.parse(line) as { reply: { ending: string } }).reply.ending,
        );
        assert.equal(replies.length, questions.answered);
        const now = await requestsOf(model);
        assert.equal(now.all - before.all, questions.sent, "the server saw each question once");
        const notTaken = replies.filter((ending) => ending === "not-taken").length;
        assert.equal(now.refused - before.refused, notTaken);
        assert.equal(now.completed - before.completed, replies.length - notTaken);
        if (model === "untrained") assert.equal(notTaken, 0, "it has room for every question");
        const again = await generated(method, model, folder);
        assert.equal(again.questions.sent, 0);
        assert.deepEqual(again.rows, data.rows);
        assert.deepEqual(again.ledger, ledger);
        assert.deepEqual(await requestsOf(model), now);
      });
    }

    it(`${method}: killed in the middle and resumed, it ends as if it had never been`, async (context) => {
      const [killed, whole] = [temporaryFolder(context), temporaryFolder(context)];
      const { questions } = await generated(method, "untrained", whole);
      const words = [
        ...["generate-data", method, "--out", killed, "--endpoint", `${url}v1`, "--teacher", "untrained"],
        ...["--seeds", method === "back-translation" ? SEED_FILES.text : SEED_FILES.rows],
        ...["--count", "4", "--questions-per-round", "4", "--max-rounds", "2"],
        ...["--max-answer-tokens", "12", "--seed", "5", "--concurrency", "1"],
      ];
      const start = (): ChildProcess =>
        spawn(process.execPath, [PROGRAM, ...words], { stdio: ["ignore", "ignore", "inherit"] });
      const answered = (): number => linesIn(join(killed, GENERATION_FILES.replies)).length;
      let before = await requestsOf("untrained");
      for (;;) {
        const victim = start();
        const ended = once(victim, "exit");
        while (answered() < 1 && victim.exitCode === null) await sleep(1);
        victim.kill("SIGKILL");
        await ended;
        if (answered() < questions.answered) break;
        // On a machine that is busy it may have come to its end before: it begins again.
        rmSync(killed, { recursive: true });
        before = await requestsOf("untrained");
      }
      assert.ok(answered() > 0);
      const resumed = start();
      const [code] = (await once(resumed, "exit")) as [number];
      assert.equal(code, 0);
      assert.deepEqual(resultOf(killed), resultOf(whole));
      const asked = (await requestsOf("untrained")).all - before.all;
      assert.ok(asked <= questions.sent + 1, `${asked} requests: one more than ${questions.sent} at most`);
    });
  }
});
