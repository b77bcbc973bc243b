import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { Example } from "../../src/data/example.js";
import { generateData, type GenerateDataOptions } from "../../src/generate/generate-data.js";
import type { MethodName } from "../../src/generate/methods/index.js";
import { scriptedTeacher } from "../../src/generate/teacher/scripted-teacher.js";
import type { Teacher } from "../../src/generate/teacher/teacher.js";
import { KitError } from "../../src/support/errors.js";
import { temporaryFolder } from "../data/fixtures.js";
import { METHOD_NAMES, seedsFor } from "./fixtures.js";

/** What a run asked, in any order, and what came out. */
interface Observed {
  readonly questions: readonly string[];
  readonly rows: readonly Example[];
  readonly told: string;
}

async function observe(
  context: TestContext,
  method: MethodName,
  more: Partial<GenerateDataOptions>,
): Promise<Observed> {
  const questions: string[] = [];
  const script = more.teacher ?? scriptedTeacher();
  const teacher: Teacher = {
    ...script,
    ask: (request, signal) => {
      questions.push(JSON.stringify(request));
      return script.ask(request, signal);
    },
  };
  const { rows, end, rounds, ledger } = await generateData({
    method,
    seeds: await seedsFor(method),
    folder: temporaryFolder(context),
    count: 6,
    questionsPerRound: 2,
    ...more,
    teacher,
  });
  return { questions: questions.sort(), rows, told: JSON.stringify({ end, rounds, ledger }) };
}

/** A teacher that never says anything that can be used. */
const useless: Teacher = {
  name: "useless",
  ask: () => Promise.resolve({ text: "", ending: "stop", promptTokens: 1, answerTokens: 1 }),
};

/** Options that decide what comes out: each, with a value that must change something, beside a run without it. */
const DECIDING: readonly {
  readonly option: string;
  /** @param rows of the run beside it */
  readonly values: (rows: readonly Example[]) => Partial<GenerateDataOptions>;
  readonly beside?: Partial<GenerateDataOptions>;
  /** Methods that have no use for it say so. */
  readonly refusedBy?: readonly MethodName[];
}[] = [
  { option: "--count", values: () => ({ count: 2 }) },
  { option: "--seed", values: () => ({ seed: 1 }) },
  { option: "--questions-per-round", values: () => ({ questionsPerRound: 1 }) },
  { option: "--judge", values: () => ({ leastScore: 5 }), refusedBy: ["template-synthesis"] },
  // What came out before must not come out again.
  { option: "--held-out", values: (rows) => ({ heldOut: rows }) },
  // Each method has an answer that is longer than a token.
  { option: "--max-answer-tokens", values: () => ({ maxAnswerTokens: 1 }) },
  { option: "--max-rounds", values: () => ({ maxRounds: 1 }), beside: { count: 1000, maxRounds: 2 } },
  {
    option: "--patience",
    values: () => ({ patience: 1 }),
    beside: { teacher: useless, patience: 2, questionsPerRound: 1 },
  },
  { option: "--budget-tokens", values: () => ({ budget: { tokens: 1500 } }) },
  {
    option: "--budget-money",
    values: () => ({ budget: { money: 0.0015 } }),
    beside: { prices: { prompt: 1, answer: 1 } },
  },
];

for (const method of METHOD_NAMES) {
  describe(`generate-data ${method}: no option does nothing without a word`, () => {
    for (const { option, values, beside = {}, refusedBy = [] } of DECIDING) {
      it(option, async (context) => {
        const plain = await observe(context, method, beside);
        const changed = { ...beside, ...values(plain.rows) };
        if (refusedBy.includes(method)) {
          await assert.rejects(
            observe(context, method, changed),
            (error: unknown) => error instanceof KitError && error.message.includes(`leave ${option} out`),
          );
          return;
        }
        assert.notDeepEqual(await observe(context, method, changed), plain);
      });
    }

    it("negative control: the same options give the same, and --concurrency changes nothing", async (context) => {
      const plain = await observe(context, method, {});
      assert.deepEqual(await observe(context, method, {}), plain);
      assert.deepEqual(await observe(context, method, { concurrency: 1 }), plain);
    });

    it("--reuse spares all questions, and replies of another teacher are refused", async (context) => {
      const folder = temporaryFolder(context);
      const seeds = await seedsFor(method);
      const common = { method, seeds, count: 6, questionsPerRound: 2 };
      await generateData({ ...common, teacher: scriptedTeacher(), folder });
      const again = await observe(context, method, { reuse: [folder] });
      assert.equal(again.questions.length, 0);
      await assert.rejects(
        observe(context, method, { reuse: [folder], teacher: scriptedTeacher("other") }),
        /of the teacher "script", and "other" is asked/,
      );
    });
  });
}

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");

describe("generate-data: options that the teacher would not heed", () => {
  const ENDPOINT = ["--endpoint", "http://127.0.0.1:9/v1", "--teacher", "m"];
  const refused: readonly [readonly string[], RegExp][] = [
    [["--script", "--template", "chatml"], /leave --template out/],
    [[...ENDPOINT, "--template", "chatml"], /where it is served/],
    ...(["--script", "--model"] as const).flatMap((teacher) =>
      (["key-env", "timeout", "concurrency", "retries"] as const).map((flag): [readonly string[], RegExp] => [
        [teacher, ...(teacher === "--model" ? ["nowhere"] : []), `--${flag}`, "3"],
        teacher === "--model"
          ? new RegExp(`leave --${flag} out, or serve the model`)
          : new RegExp(`leave --${flag} out`),
      ]),
    ),
    [
      ["--script", "--seeds", "datasets/mini/corpus/validation.txt"],
      /Personas needs 1 seeds? with an instruction/,
    ],
  ];
  for (const [words, message] of refused) {
    it(words.join(" "), (context) => {
      const out = join(temporaryFolder(context), "out");
      const { status, stderr } = spawnSync(
        process.execPath,
        [PROGRAM, "generate-data", "personas", "--count", "1", ...words, "--out", out],
        { encoding: "utf8" },
      );
      assert.equal(status, 1, stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split("\n").length, 1, "one line");
    });
  }
});
