import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test, type TestContext } from "node:test";
import { main } from "../../src/cli/main.js";
import { startEngine } from "../../src/engine/start.js";
import { generateGreedy } from "../../src/evaluate/generate.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { temporaryFolder } from "../data/fixtures.js";
import { largeDecoder, LLAMA } from "../model/models.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");
const TOKENIZER = CharacterTokenizer.fromTexts(["abcdefghij ", "Input: Output:\n"]);

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly out: string;
  readonly error: string;
}

/** The program in a process of its own. */
function spawned(folder: string, ...options: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...options], {
    cwd: folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, error: stderr };
}

/** The program in this process, which is much faster. */
async function called(context: TestContext, ...options: string[]): Promise<Outcome> {
  const said = { log: [] as string[], error: [] as string[] };
  const mocks = (["log", "error"] as const).map((name) =>
    context.mock.method(console, name, (...texts: unknown[]) => said[name].push(texts.join(" "))),
  );
  try {
    await main(["node", "ift-kit", ...options]);
    return { code: process.exitCode ?? 0, out: said.log.join("\n"), error: said.error.join("\n") };
  } finally {
    process.exitCode = 0;
    for (const mock of mocks) mock.mock.restore();
  }
}

/** A folder with a model (in `model`) whose answers are long. */
function modelFolder(context: TestContext): string {
  const folder = temporaryFolder(context);
  const config = { ...LLAMA, vocabularySize: TOKENIZER.vocabularySize, contextLength: 64 };
  const decoder = largeDecoder(config);
  saveDecoder(join(folder, "model"), decoder);
  TOKENIZER.save(join(folder, "model"));
  decoder.dispose();
  return folder;
}

function jsonLines(path: string): Record<string, unknown>[] {
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function writeLines(path: string, rows: readonly unknown[]): void {
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
}

const REQUESTS = [
  { id: "first", prompt: "abc ", target: "de", other: "passed over" },
  { id: 2, prompt: "", target: "j" },
  { id: "3", prompt: "a longer".replaceAll(/[^a-j ]/g, "b"), target: "fgh ij" },
];

before(async () => {
  await startEngine();
});

test("score and generate give what the library gives, from the command line", async (context) => {
  const folder = modelFolder(context);
  writeLines(join(folder, "requests.jsonl"), REQUESTS);
  const scored = spawned(
    folder,
    "score",
    "--model",
    "model",
    "--requests",
    "requests.jsonl",
    "--out",
    "out/scores.jsonl",
  );
  assert.equal(scored.code, 0, scored.error);
  const generated = await called(
    context,
    ...["generate", "--model", join(folder, "model"), "--prompts", join(folder, "requests.jsonl")],
    ...["--out", join(folder, "answers.jsonl"), "--max-new-tokens", "7"],
  );
  assert.equal(generated.code, 0, generated.error);

  const decoder = largeDecoder({ ...LLAMA, vocabularySize: TOKENIZER.vocabularySize, contextLength: 64 });
  const bos = TOKENIZER.special.bos ?? -1;
  const prompts = REQUESTS.map(({ prompt }) => [bos, ...TOKENIZER.encode(prompt).ids]);
  const scores = await scoreTargets(
    decoder,
    REQUESTS.map(({ target }, index) => ({
      prompt: prompts[index] ?? [],
      target: TOKENIZER.encode(target).ids,
    })),
    { batchTokens: 1000 },
  );
  const lines = jsonLines(join(folder, "out/scores.jsonl"));
  assert.deepEqual(Object.keys(lines[0] ?? {}), ["id", "logprob", "tokens", "tokenLogprobs"]);
  assert.deepEqual(
    lines.map(({ id, tokens }) => [id, tokens]),
    [
      ["first", 2],
      [2, 1],
      ["3", 6],
    ],
  );
  lines.forEach(({ logprob }, index) => {
    assert.ok(Math.abs(Number(logprob) - (scores[index]?.logprob ?? Number.NaN)) < 1e-5);
  });
  const answers = await generateGreedy(decoder, prompts, {
    maxNewTokens: 7,
    eos: TOKENIZER.special.eos,
    batchSize: 3,
  });
  assert.deepEqual(
    jsonLines(join(folder, "answers.jsonl")),
    REQUESTS.map(({ id }, index) => ({ id, text: TOKENIZER.decode(answers[index] ?? []) })),
  );
  assert.ok(answers.some((ids) => ids.length > 2));
  decoder.dispose();
});

test("generate samples by seed and stops at texts", async (context) => {
  const folder = modelFolder(context);
  writeLines(join(folder, "prompts.jsonl"), [{ id: 1, prompt: "abc" }]);
  const run = async (...options: string[]): Promise<string> => {
    const outcome = await called(
      context,
      ...["generate", "--model", join(folder, "model"), "--prompts", join(folder, "prompts.jsonl")],
      ...["--out", join(folder, "out.jsonl"), "--max-new-tokens", "12", ...options],
    );
    assert.equal(outcome.code, 0, outcome.error);
    return String(jsonLines(join(folder, "out.jsonl"))[0]?.text);
  };
  const first = await run("--temperature", "3", "--seed", "1");
  assert.equal(await run("--temperature", "3", "--seed", "1"), first);
  const texts: string[] = [];
  for (const seed of ["2", "3", "4"]) texts.push(await run("--temperature", "3", "--seed", seed));
  assert.ok(texts.some((text) => text !== first));
  const greedy = await run();
  assert.equal(await run("--temperature", "0"), greedy);
  const letter = greedy.charAt(2);
  assert.equal(await run("--stop", "~", letter), greedy.slice(0, greedy.indexOf(letter)));
});

test("evaluate scores each task type beside its floors, and writes every answer", async (context) => {
  const folder = modelFolder(context);
  const rows = ["dig", "dig", "face"].flatMap((category, index) =>
    ["abc", "bad", "cab"].map((input) => ({
      instruction: "j",
      input: `${input}${index}`.replaceAll(/\d/g, "g"),
      output: "big",
      category,
    })),
  );
  writeFileSync(join(folder, "rows.json"), JSON.stringify(rows));
  const outcome = await called(
    context,
    ...["evaluate", "--model", join(folder, "model"), "--data", join(folder, "rows.json")],
    ...[
      "--template",
      "sft-plain",
      "--max-new-tokens",
      "8",
      "--resamples",
      "200",
      "--json",
      "--out",
      join(folder, "scores.json"),
    ],
  );
  assert.equal(outcome.code, 0, outcome.error);
  const printed = JSON.parse(outcome.out) as {
    taskTypes: { taskType: string; rows: number; floors: { majorityLabel: object } }[];
  };
  assert.deepEqual(
    printed.taskTypes.map(({ taskType, rows: count }) => [taskType, count]),
    [
      ["dig", 6],
      ["face", 3],
    ],
  );
  assert.deepEqual(printed.taskTypes[0]?.floors.majorityLabel, { exactMatch: 1, rougeL: 1, rows: 6 });
  const { predictions } = JSON.parse(readFileSync(join(folder, "scores.json"), "utf8")) as {
    predictions: unknown[];
  };
  assert.equal(predictions.length, 9);
  const table = await called(
    context,
    ...["evaluate", "--model", join(folder, "model"), "--data", join(folder, "rows.json")],
    ...["--template", "sft-plain", "--max-new-tokens", "8", "--resamples", "200", "--task-types", "face"],
  );
  assert.match(table.out, /face +3 /);
  assert.doesNotMatch(table.out, /^dig/m);
});

test("bad input is one line with its place, and nothing is written", async (context) => {
  const folder = modelFolder(context);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const model = join(folder, "model");
  const out = join(folder, "out.jsonl");
  const good = '{"id":1,"prompt":"a","target":"b"}\n';
  const score = (requests: string, from = model): string[] => [
    "score",
    "--model",
    from,
    "--requests",
    requests,
    "--out",
    out,
  ];
  const generate = (prompts: string, ...more: string[]): string[] => [
    "generate",
    "--model",
    model,
    "--prompts",
    prompts,
    "--out",
    out,
    ...more,
  ];
  const long = JSON.stringify({ id: 9, prompt: "a".repeat(70), target: "b" });
  const cases: [string[], RegExp][] = [
    [score(file("cut.jsonl", `${good}{"id":2,"pro`)), /cut\.jsonl:2: the line is not valid JSON/],
    [
      score(file("lacks.jsonl", `${good}\n{"id":2,"prompt":"a"}`)),
      /lacks\.jsonl:3, field "target": the request lacks this field/,
    ],
    [score(file("type.jsonl", '{"id":2,"prompt":5,"target":"b"}')), /type\.jsonl:1, field "prompt"/],
    [score(file("array.jsonl", "[1]")), /array\.jsonl:1/],
    [
      score(file("empty-target.jsonl", '{"id":2,"prompt":"a","target":""}')),
      /:1, field "target": the target is empty/,
    ],
    [score(file("twice.jsonl", good + good)), /twice\.jsonl:2, field "id": the id 1 is already on line 1/],
    [
      score(file("letter.jsonl", `${good}{"id":2,"prompt":"a","target":"bZ"}`)),
      /letter\.jsonl:2, field "target": .*"Z"/,
    ],
    [score(file("long.jsonl", good + long)), /long\.jsonl:2, field "prompt": .*71 \+ 1 tokens.*64/],
    [generate(join(folder, "long.jsonl")), /long\.jsonl:2, field "prompt": .*71 tokens.*64/],
    [score(file("none.jsonl", "\n\n")), /none\.jsonl: the file has no requests/],
    [score(join(folder, "missing.jsonl")), /missing\.jsonl: no such file/],
    [score(file("good.jsonl", good), join(folder, "nowhere")), /nowhere\/tokenizer\.json: no such file/],
    [generate(join(folder, "good.jsonl"), "--temperature", "-1"), /temperature of -1/],
    [["report", join(folder, "nowhere")], /nowhere: no such file or folder/],
    [["report", folder], /no report\.json/],
  ];
  for (const [options, message] of cases) {
    const { code, error } = await called(context, ...options);
    assert.equal(code, 1, error);
    assert.match(error, message);
    assert.equal(error.split("\n").length, 1, error);
  }
  const written = readdirSync(folder).filter((name) => name.startsWith("out"));
  assert.deepEqual(written, []);
  assert.ok(!existsSync(out));
});
