import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Example } from "../../src/data/example.js";
import { readExamples } from "../../src/data/read/index.js";
import {
  generateData,
  type GeneratedData,
  type GenerateDataOptions,
} from "../../src/generate/generate-data.js";
import { addsUp } from "../../src/generate/pipeline/ledger.js";
import { scriptedTeacher } from "../../src/generate/teacher/scripted-teacher.js";
import { KitError } from "../../src/support/errors.js";
import { exampleWith, temporaryFolder } from "../data/fixtures.js";
import { linesOf, METHOD_NAMES, seedsFor, teacherSaying, unsteadyTeacher } from "./fixtures.js";

const COUNT = 24;

function generated(
  method: string,
  seeds: readonly Example[],
  more: Partial<GenerateDataOptions>,
): Promise<GeneratedData> {
  return generateData({
    method,
    seeds,
    teacher: scriptedTeacher(),
    folder: more.folder ?? "",
    count: COUNT,
    questionsPerRound: 4,
    ...more,
  });
}

for (const method of METHOD_NAMES) {
  describe(`generate: ${method}`, () => {
    it("keeps rows that the kit reads, its ledger adds up, and it costs nothing to repeat", async (context) => {
      const folder = temporaryFolder(context);
      const seeds = await seedsFor(method);
      const first = await generated(method, seeds, { folder });
      assert.ok(first.rows.length >= 10, `${first.rows.length} rows`);
      for (const [level, line] of linesOf(first.ledger)) assert.ok(addsUp(line), level);
      assert.ok(linesOf(first.ledger).some(([, line]) => line.proposed > line.kept));
      const { examples } = await readExamples(join(folder, "instructions.jsonl"));
      assert.deepEqual(examples, JSON.parse(JSON.stringify(first.rows)));
      const rejected = readFileSync(join(folder, "rejected.jsonl"), "utf8").trim().split("\n");
      const counted = linesOf(first.ledger).flatMap(([, line]) => Object.values(line.rejected));
      assert.equal(
        rejected.length,
        counted.reduce((sum, count) => sum + count, 0),
      );
      const silent = teacherSaying(() => assert.fail("a question was asked again"));
      const again = await generated(method, seeds, { folder, teacher: { ...silent, name: "script" } });
      assert.equal(again.questions.sent, 0);
      assert.deepEqual(again.rows, first.rows);
      assert.deepEqual(again.paid, first.paid);
    });

    it("gives the same rows whatever the concurrency and the order of the replies", async (context) => {
      const seeds = await seedsFor(method);
      const [alone, ...others] = await Promise.all(
        [1, 3, 16].map((concurrency, index) =>
          generated(method, seeds, {
            folder: temporaryFolder(context),
            concurrency,
            teacher: unsteadyTeacher(index),
          }),
        ),
      );
      for (const other of others) {
        assert.deepEqual(other.rows, alone?.rows);
        assert.deepEqual(other.ledger, alone?.ledger);
      }
    });
  });
}

describe("generate: runs", () => {
  it("control: another seed, and other rounds of a method that looks at its pool, give other rows", async (context) => {
    const seeds = await seedsFor("self-instruct");
    const run = (more: Partial<GenerateDataOptions>): Promise<GeneratedData> =>
      generated("self-instruct", seeds, { folder: temporaryFolder(context), ...more });
    const { rows } = await run({});
    assert.notDeepEqual((await run({ seed: 1 })).rows, rows);
    assert.notDeepEqual((await run({ questionsPerRound: 2 })).rows, rows);
  });

  it("a folder goes on with its own run only; more may be wanted of it", async (context) => {
    const folder = temporaryFolder(context);
    const seeds = await seedsFor("personas");
    const few = await generated("personas", seeds, { folder, count: 8 });
    const more = await generated("personas", seeds, { folder, count: 16 });
    assert.deepEqual(more.rows.slice(0, 8), few.rows);
    assert.ok(more.questions.fromStore >= few.questions.asked - 8);
    for (const [field, change] of [
      ["seed", { seed: 3 }],
      ["questionsPerRound", { questionsPerRound: 7 }],
      ["seeds", { seeds: seeds.slice(1) }],
    ] as const) {
      await assert.rejects(generated("personas", seeds, { folder, ...change }), (error: unknown) => {
        assert.ok(error instanceof KitError);
        assert.equal(error.location.field, field);
        return true;
      });
    }
  });

  it("the replies of another run are taken where the questions are the same", async (context) => {
    const [first, second] = [temporaryFolder(context), temporaryFolder(context)];
    const seeds = await seedsFor("alpaca");
    const paid = await generated("alpaca", seeds, { folder: first });
    const reused = await generated("alpaca", seeds, { folder: second, reuse: [first] });
    assert.equal(reused.questions.sent, 0);
    assert.deepEqual(reused.paid, { promptTokens: 0, answerTokens: 0, money: 0 });
    assert.deepEqual(reused.rows, paid.rows);
  });

  it("a budget stops between rounds, is never passed, and a larger one goes on to the same rows", async (context) => {
    const seeds = await seedsFor("evol-instruct");
    const whole = await generated("evol-instruct", seeds, { folder: temporaryFolder(context) });
    const folder = temporaryFolder(context);
    let stops = 0;
    for (let tokens = 3000; ; tokens += 1000) {
      const part = await generated("evol-instruct", seeds, { folder, budget: { tokens } });
      assert.ok(part.paid.promptTokens + part.paid.answerTokens <= tokens);
      assert.deepEqual(part.rows, whole.rows.slice(0, part.rows.length));
      for (const [level, line] of linesOf(part.ledger)) assert.ok(addsUp(line), level);
      if (part.end.kind === "count") break;
      assert.equal(part.end.kind, "budget");
      stops++;
    }
    assert.ok(stops > 2);
    const priced = { budget: { money: 0.02 }, prices: { prompt: 1, answer: 2 } };
    const dear = await generated("evol-instruct", seeds, { folder: temporaryFolder(context), ...priced });
    assert.equal(dear.end.kind, "budget");
    assert.ok(dear.paid.money > 0 && dear.paid.money <= 0.02);
  });

  it("ends when nothing is kept for long, and when it is interrupted", async (context) => {
    const seeds = await seedsFor("self-instruct");
    const mute = teacherSaying(() => ({ text: "I'm sorry, but I can't do that." }));
    const none = await generated("self-instruct", seeds, {
      folder: temporaryFolder(context),
      teacher: mute,
      patience: 3,
    });
    assert.deepEqual([none.end.kind, none.rounds, none.rows.length], ["patience", 3, 0]);
    assert.deepEqual(none.ledger.tasks, { proposed: 12, kept: 0, rejected: { "propose: refused": 12 } });
    const stop = new AbortController();
    const folder = temporaryFolder(context);
    const part = await generated("personas", seeds, {
      folder,
      signal: stop.signal,
      onRound: ({ rounds }) => rounds === 2 && stop.abort(),
    });
    assert.deepEqual([part.end.kind, part.rounds], ["interrupted", 2]);
    const whole = await generated("personas", seeds, { folder });
    assert.deepEqual(whole.rows.slice(0, part.rows.length), part.rows);
  });

  it("held-out rows do not come out again, and without the filter they do", async (context) => {
    const seeds = await seedsFor("alpaca");
    const plain = await generated("alpaca", seeds, { folder: temporaryFolder(context) });
    const heldOut = plain.rows
      .slice(0, 3)
      .map(({ instruction = "", input }, index) => exampleWith({ id: `test-${index}`, instruction, input }));
    const clean = await generated("alpaca", seeds, { folder: temporaryFolder(context), heldOut });
    const asked = (rows: readonly Example[]): Set<string> =>
      new Set(rows.map(({ instruction = "", input }) => `${instruction}\n${input}`));
    const leaked = (rows: readonly Example[]): number =>
      [...asked(rows)].filter((text) => asked(heldOut).has(text)).length;
    assert.equal(leaked(plain.rows), 3);
    assert.equal(leaked(clean.rows), 0);
    assert.ok((clean.ledger.tasks.rejected["held-out: contaminated"] ?? 0) >= 3);
  });

  it("a judge rejects what has too few points and says so", async (context) => {
    const seeds = await seedsFor("personas");
    const { rows, ledger } = await generated("personas", seeds, {
      folder: temporaryFolder(context),
      leastScore: 4,
    });
    assert.ok((ledger.tasks.rejected["judge: low-score"] ?? 0) > 0);
    assert.ok(rows.every(({ fields }) => Number(fields?.score) >= 4));
  });

  it("too few seeds: one line that says how many are needed", async (context) => {
    const folder = temporaryFolder(context);
    await assert.rejects(
      generated("self-instruct", [exampleWith({})], { folder }),
      /needs 8 seeds .* there are 1/,
    );
    await assert.rejects(generated("nonsense", [], { folder }), /there is no method "nonsense"/);
  });
});
