import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { main } from "../../src/cli/main.js";
import type { Example } from "../../src/data/example.js";
import { sftPlain, taskPrefix } from "../../src/data/templates/index.js";
import { startEngine } from "../../src/engine/start.js";
import { randomAnswer } from "../../src/evaluate/floors.js";
import { withLetters } from "../../src/evaluate/protocols/letters.js";
import {
  protocolByName,
  type ProtocolInput,
  type ProtocolOutcome,
} from "../../src/evaluate/protocols/index.js";
import { readResult, writeResult } from "../../src/evaluate/result/file.js";
import { toLmEval } from "../../src/evaluate/result/lm-eval.js";
import type { EvaluationResult } from "../../src/evaluate/result/schema.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import type { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { exampleWith, temporaryFolder } from "../data/fixtures.js";
import { largeDecoder, LLAMA } from "../model/models.js";

const TOKENIZER = CharacterTokenizer.fromTexts([
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .:-0123456789",
  "Input: Output:\n[]",
]);
const CONFIG = { ...LLAMA, vocabularySize: TOKENIZER.vocabularySize, contextLength: 64 };
let decoder: Decoder;

before(async () => {
  await startEngine();
  decoder = largeDecoder(CONFIG);
});

function rows(count: number): Example[] {
  return Array.from({ length: count }, (_, index) =>
    exampleWith({
      id: `row-${index}`,
      task: `task-${index % 2}`,
      taskType: `type-${index % 2}`,
      input: "abcdefghij".slice(index % 7),
      outputs: [["yes", "no", "maybe"][index % 3] ?? ""],
    }),
  );
}

function input(
  examples: readonly Example[],
  templates: ProtocolInput["templates"] = [sftPlain],
): ProtocolInput {
  return {
    model: { decoder, tokenizer: TOKENIZER },
    examples,
    templates,
    settings: {
      policy: { maxTokens: 64, overlong: "drop" },
      maxNewTokens: 6,
      match: "normalized",
      stem: true,
      scoreEnd: true,
      bootstrap: { resamples: 200, level: 0.95, seed: 1 },
    },
    run: { batchSize: 4, batchTokens: 400 },
  };
}

async function outcomeOf(protocol: string, given: ProtocolInput): Promise<ProtocolOutcome> {
  const outcome = await protocolByName(protocol).evaluate(given);
  assert.ok(outcome !== undefined);
  return outcome;
}

test("super-ni scores the first 100 rows of a task, by task type and task, beside all floors", async () => {
  const { metrics, examples } = await outcomeOf("super-ni", input(rows(204)));
  assert.equal(examples.length, 200);
  assert.deepEqual(
    metrics.map(({ metric, scope, of, rows: count }) => `${metric}, ${scope} ${of}: ${count}`).slice(0, 4),
    [
      "ROUGE-L, all all: 200",
      "exact match, all all: 200",
      "ROUGE-L, task type type-0: 100",
      "exact match, task type type-0: 100",
    ],
  );
  const exact = metrics.find(({ metric, scope }) => metric === "exact match" && scope === "all");
  assert.ok(Math.abs((exact?.floors?.random ?? NaN) - 1 / 3) < 1e-12);
  assert.equal(
    exact?.floors?.["majority label"],
    0.34,
    "34 of 100 rows of each task have its most frequent label",
  );
  const tasks = metrics.filter(({ scope }) => scope === "task");
  assert.equal(tasks.length, 4);
});

test("t0 says median and spread over templates, flan average and best, rank all five scores", async () => {
  const templates = [sftPlain, taskPrefix];
  const given = rows(12);
  const t0 = await outcomeOf("t0", input(given, templates));
  const overall = (outcome: ProtocolOutcome): Record<string, number> =>
    Object.fromEntries(
      outcome.metrics
        .filter(({ scope }) => scope === "all")
        .map(({ metric, template, mean }) => [`${template}: ${metric}`, mean]),
    );
  const scores = overall(t0);
  const [first = NaN, second = NaN] = templates.map(({ name }) => scores[`${name}: accuracy sum`]);
  assert.equal(scores["all templates: accuracy sum, median"], (first + second) / 2);
  assert.equal(scores["all templates: accuracy sum, lowest"], Math.min(first, second));
  assert.equal(t0.examples.length, 24, "one line for each row and template");
  const flan = overall(await outcomeOf("flan", input(given, templates)));
  assert.equal(flan["all templates: accuracy sum, highest"], Math.max(first, second));
  assert.equal(flan["all templates: accuracy sum, average"], (first + second) / 2);
  const rank = await outcomeOf("rank", input(given));
  assert.equal(rank.metrics.filter(({ scope }) => scope === "all").length, 5);
  assert.match(rank.notes.join("\n"), /differ most, on \d+ of 12 rows|choose the same/);
});

test("mmlu-letters lists the options and ranks their letters", async () => {
  const row = exampleWith({ input: "which", outputs: ["pear"], options: ["stone", "pear", "bee"] });
  const lettered = withLetters(row);
  assert.equal(lettered.input, "which\nA. stone\nB. pear\nC. bee");
  assert.deepEqual([lettered.options, lettered.outputs], [["A", "B", "C"], ["B"]]);
  const { examples, metrics } = await outcomeOf("mmlu-letters", input([row]));
  assert.ok(["A", "B", "C"].includes(examples[0]?.output ?? ""));
  assert.equal(metrics[0]?.floors?.random, 1 / 3);
  const many = Array.from({ length: 27 }, (_, index) => `option ${index}`);
  assert.throws(() => withLetters({ ...row, options: many }), /27 options, there are 26 letters/);
});

test("ifeval holds answers against their constraints, with copying the prompt as floor", async () => {
  const constraint = (kind: string, settings = {}): Partial<Example> => ({
    outputs: [],
    evaluationOnly: true,
    constraints: [{ kind, settings }],
  });
  const examples = [
    exampleWith({ id: "1", input: "no comma", ...constraint("punctuation:no_comma") }),
    exampleWith({ id: "2", input: "in brackets [a]", ...constraint("detectable_format:json_format") }),
  ];
  const { metrics, examples: lines } = await outcomeOf("ifeval", input(examples));
  const strict = metrics.find(({ metric }) => metric === "prompt strict");
  assert.equal(strict?.floors?.["copy input"], 0.5);
  assert.equal(lines[0]?.scores["prompt strict"], 1, "six letters have no comma");
  await assert.rejects(outcomeOf("ifeval", input(rows(2))), /no row has constraints/);
});

test("a random answer is right as often as its task has answers", () => {
  const [a, b] = [exampleWith({ outputs: ["Yes", "yes."] }), exampleWith({ outputs: ["no"] })];
  assert.equal(randomAnswer([a, b], "normalized"), 0.5);
  assert.equal(randomAnswer([a, b], "strict"), (2 / 3 + 1 / 3) / 2);
});

async function result(): Promise<EvaluationResult> {
  const { metrics, examples } = await outcomeOf("rank", input(rows(6)));
  const config = {
    model: "model",
    tokenizerHash: TOKENIZER.hash,
    data: "rows.json",
    dataHash: "0".repeat(64),
    protocol: "rank",
    templates: [{ name: sftPlain.name, hash: sftPlain.hash }],
    settings: { maxTokens: 64 },
  };
  return { config, metrics, examples };
}

test("a result file gives back what was written, and refuses what was changed", async (context) => {
  const file = join(temporaryFolder(context), "result.jsonl");
  const written = await result();
  writeResult(file, written);
  assert.deepEqual(await readResult(file), written);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const refuses = async (changed: readonly string[], message: RegExp): Promise<void> => {
    writeFileSync(file, changed.join("\n"));
    await assert.rejects(
      readResult(file),
      (error) => error instanceof KitError && message.test(error.message),
    );
  };
  const [header = "", first = "", ...rest] = lines;
  await refuses([header, first], /has 1 answers, its first line says 6/);
  await refuses(
    [header.replace('"version":1', '"version":2'), first, ...rest],
    /:1, field "version": .*version 2/,
  );
  await refuses(
    [header, first.replace(/"promptHash":"\w/, '"promptHash":"x'), ...rest],
    /:2, field "promptHash"/,
  );
  await refuses([header, first.replace('"task"', '"tusk"'), ...rest], /:2, field "t[au]sk"/);
  await refuses([header, "{", ...rest], /:2: the line is not valid JSON/);
  await refuses([first], /:1, field "format"/);
  await refuses([], /the file is empty/);
});

test("the form of lm-evaluation-harness has its names, with a standard error for each interval", async () => {
  const written = await result();
  const { results, "n-samples": samples } = toLmEval(written);
  const [first] = written.metrics;
  assert.equal(results.all?.["acc,none"], first?.mean);
  const width = (first?.interval?.high ?? 0) - (first?.interval?.low ?? 0);
  const error = results.all?.["acc_stderr,none"];
  assert.ok(typeof error === "number" && Math.abs(error - width / 3.919928) < 1e-6);
  assert.ok("acc_norm,none" in (results["type-1"] ?? {}));
  assert.deepEqual(samples["type-0"], { original: 3, effective: 3 });
});

async function called(context: TestContext, ...options: string[]): Promise<[number, string]> {
  const said: string[] = [];
  const mocks = (["log", "error"] as const).map((name) =>
    context.mock.method(console, name, (...texts: unknown[]) => said.push(texts.join(" "))),
  );
  try {
    await main(["node", "ift-kit", "evaluate", ...options]);
    return [Number(process.exitCode ?? 0), said.join("\n")];
  } finally {
    process.exitCode = 0;
    for (const mock of mocks) mock.mock.restore();
  }
}

test("evaluate --protocol prints the table and writes both files; misuse is one line", async (context) => {
  const folder = temporaryFolder(context);
  saveDecoder(folder, decoder);
  TOKENIZER.save(folder);
  const data = join(folder, "rows.json");
  const given = rows(8).map(({ input: text, outputs }) => ({
    instruction: "say it",
    input: text,
    output: outputs[0],
  }));
  writeFileSync(data, JSON.stringify(given));
  const base = ["--model", folder, "--data", data, "--resamples", "200"];
  const [code, out] = await called(
    context,
    ...[...base, "--protocol", "rank", "--template", "sft-plain"],
    ...["--result", join(folder, "result.jsonl"), "--lm-eval", join(folder, "lm.json")],
  );
  assert.equal(code, 0, out);
  assert.match(out, /sft-plain +all +accuracy pmi +8 +\d+\.\d \[.*\] +random 33\.3, majority label 37\.5/);
  const stored = await readResult(join(folder, "result.jsonl"));
  assert.equal(stored.examples.length, 8);
  assert.equal(stored.config.protocol, "rank");
  assert.ok(readFileSync(join(folder, "lm.json"), "utf8").includes('"acc_mutual_info,none"'));
  for (const [options, message] of [
    [
      ["--protocol", "super-ni", "--template", "sft-plain", "task-prefix"],
      /2 templates.*super-ni takes no more/,
    ],
    [["--template", "sft-plain", "--result", "x"], /a result file belongs to a protocol/],
    [["--protocol", "ifeval", "--template", "sft-plain"], /no row has constraints/],
  ] as const) {
    const [failed, error] = await called(context, ...base, ...options);
    assert.equal(failed, 1);
    assert.match(error, message);
  }
});

test("super-ni evaluates the official test tasks only, where the folder lists them", async (context) => {
  const folder = temporaryFolder(context);
  saveDecoder(folder, decoder);
  TOKENIZER.save(folder);
  const data = join(folder, "sni");
  mkdirSync(join(data, "tasks"), { recursive: true });
  mkdirSync(join(data, "splits", "default"), { recursive: true });
  for (const [side, task] of Object.entries({ train: "task1_a", test: "task2_b", excluded: "task3_c" })) {
    writeFileSync(join(data, "splits", "default", `${side}_tasks.txt`), `${task}\n`);
    const content = {
      Definition: ["say it"],
      Categories: [`category of ${side}`],
      Source: ["s"],
      "Positive Examples": [{ input: "a", output: "b", explanation: "" }],
      "Negative Examples": [],
      Instances: [{ id: `${task}-1`, input: "abc", output: ["yes"] }],
    };
    writeFileSync(join(data, "tasks", `${task}.json`), JSON.stringify(content));
  }
  const [code, out] = await called(
    context,
    ...["--model", folder, "--data", join(data, "tasks"), "--resamples", "200", "--max-new-tokens", "4"],
    ...["--protocol", "super-ni", "--template", "sft-plain", "--out", join(folder, "scores.json")],
  );
  assert.equal(code, 0, out);
  const { examples } = JSON.parse(readFileSync(join(folder, "scores.json"), "utf8")) as {
    examples: { task: string }[];
  };
  assert.deepEqual(
    examples.map(({ task }) => task),
    ["task2_b"],
  );
});
