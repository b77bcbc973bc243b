import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { command } from "../../src/cli/commands/train.js";
import { checkObjective } from "../../src/cli/commands/train/check.js";
import { prepareRun } from "../../src/cli/commands/train/prepare.js";
import { answerRun } from "../../src/cli/commands/train/answers-run.js";
import { readRunConfig } from "../../src/cli/commands/train/config.js";
import { parseAnswerConfig } from "../../src/cli/commands/train/run-config.js";
import { patternTemplate } from "../../src/data/templates/index.js";
import { startEngine } from "../../src/engine/start.js";
import { defaultChatTemplate } from "../../src/evaluate/chat/templates.js";
import { loadDecoder } from "../../src/model/checkpoint.js";
import { Decoder } from "../../src/model/decoder.js";
import { loadAdapter } from "../../src/model/lora/peft.js";
import { KitError } from "../../src/support/errors.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import type { PreflightReport } from "../../src/train/preflight/check.js";
import type { TrainProgress } from "../../src/train/progress.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { hiddenAlone } from "../model/models.js";
import { launch } from "./command-child.js";

const root = mkdtempSync(join(tmpdir(), "ift-kit-train-command-"));
after(() => rmSync(root, { recursive: true, force: true }));

const rows = Array.from({ length: 48 }, (_, row) => ({
  instruction: `Say ${"abcdef"[row % 6] ?? ""}`,
  input: `${row}`,
  output: ("abcdef"[row % 6] ?? "").repeat(1 + (row % 3)),
}));
const dataPath = join(root, "alpaca.json");
writeFileSync(dataPath, JSON.stringify(rows));

const GOOD = {
  data: { path: dataPath, format: "alpaca" },
  template: { name: "short", format: "ift", prompt: "{instruction} {input}: " } as const,
  tokenizer: { train: "character" },
  render: { maxTokens: 32, overlong: "drop", lossOn: "response" },
  decoder: {
    width: 16,
    layers: 1,
    heads: 2,
    feedForwardWidth: 32,
    contextLength: 32,
    positions: { kind: "learned" },
    norm: { kind: "layer", epsilon: 1e-5 },
    activation: "gelu-tanh",
    biases: true,
    tiedHead: true,
  },
  train: {
    budget: { unit: "steps", amount: 300 },
    batch: { kind: "bucketed", rowsPerStep: 8 },
    optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
    schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
    seed: 1,
  },
  checkpointEverySteps: 20,
};

let files = 0;
function configFile(config: unknown): string {
  const path = join(root, `config${files++}.json`);
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

const lossesOf = (out: string): number[] =>
  readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as TrainProgress).loss);

test("a run from a file: Ctrl-C leaves a checkpoint and 130, and the resumed run is the uninterrupted one", async () => {
  const config = configFile(GOOD);
  const [whole, stopped] = [join(root, "whole"), join(root, "stopped")];
  const first = await launch(["train", config, "--out", whole, "--json"]);
  assert.equal(first.code, 0, first.stderr);
  const result = JSON.parse(first.stdout) as { status: string; model: string; step: number; loss: number };
  assert.equal(result.status, "finished");
  assert.equal(result.step, 300);
  assert.match(first.stderr, /whole: 100% \| step 300 \| loss \d/);

  const interrupted = await launch(["train", config, "--out", stopped], {
    ...{ signal: "SIGINT", out: stopped, steps: 25 },
  });
  assert.equal(interrupted.code, 130, interrupted.stderr);
  assert.match(interrupted.stderr, /Stopping after this step/);
  const [, step, again] = /stopped after step (\d+); to go on: ift-kit (.*)/.exec(interrupted.stdout) ?? [];
  assert.ok(Number(step) >= 20 && Number(step) < 300, interrupted.stdout);
  assert.ok(!existsSync(join(stopped, "model")), "no model of an unfinished run");

  await assert.rejects(
    command().parseAsync([config, "--out", stopped], { from: "user" }),
    /already has a run, up to step \d+\. To mend it: add --resume/,
  );

  const resumed = await launch((again ?? "").split(" "));
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(lossesOf(stopped), lossesOf(whole));
  const weights = (out: string): Buffer => readFileSync(join(out, "model", "model.safetensors"));
  assert.ok(weights(stopped).equals(weights(whole)));

  await startEngine();
  const decoder = loadDecoder(result.model);
  const tokenizer = loadTokenizer(result.model);
  assert.equal(tokenizer.vocabularySize, decoder.config.vocabularySize);
  assert.equal(defaultChatTemplate(tokenizer, result.model).hash, patternTemplate(GOOD.template).hash);
  decoder.dispose();
  const ledger = JSON.parse(readFileSync(join(whole, "ledger.json"), "utf8")) as {
    render: { total: { rendered: number } };
  };
  assert.equal(ledger.render.total.rendered, 48);
  const record = JSON.parse(readFileSync(join(whole, "run.json"), "utf8")) as {
    config: { train: unknown; source: unknown };
    manifest: { rules: { loss: string }; tokenizerHash: string };
  };
  assert.deepEqual(record.config.train, GOOD.train);
  assert.deepEqual(record.config.source, GOOD);
  assert.match(record.manifest.rules.loss, /divided by their number/);
});

test("evaluation during the run: answers and ranks are curves, the weights are those of a run without, and the last point is evaluation.json", async () => {
  const config = {
    ...GOOD,
    data: { ...GOOD.data, validation: { by: "row", share: 0.25 } },
    train: { ...GOOD.train, budget: { unit: "steps", amount: 30 }, validation: { everySteps: 30 } },
  };
  const go = async (name: string, evaluation?: unknown): Promise<string> => {
    const out = join(root, name);
    const file = configFile({ ...config, ...(evaluation === undefined ? {} : { evaluation }) });
    const { code, stderr } = await launch(["train", file, "--out", out, "--json"]);
    assert.equal(code, 0, stderr);
    return out;
  };
  const silent = await go("silent");
  const written = await go("written", { rows: 8, maxNewTokens: 6, everySteps: 12 });
  const ranked = await go("ranked", { rows: 8, answers: "ranked", everySteps: 12 });
  const points = (out: string): [number, Record<string, number>][] =>
    readFileSync(join(out, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { step: number; evaluation?: Record<string, number> })
      .flatMap(({ step, evaluation }) => (evaluation === undefined ? [] : [[step, evaluation]]));
  for (const out of [written, ranked]) {
    assert.deepEqual(lossesOf(out), lossesOf(silent));
    assert.deepEqual(
      points(out).map(([step]) => step),
      [12, 24, 30],
    );
  }
  assert.deepEqual(points(silent), []);
  const scores = JSON.parse(readFileSync(join(written, "evaluation.json"), "utf8")) as {
    overall: { exactMatch: { mean: number }; rougeL: { mean: number } };
  };
  const [, last = {}] = points(written).at(-1) ?? [];
  assert.equal(last["exact match"], scores.overall.exactMatch.mean);
  assert.equal(last["ROUGE-L"], scores.overall.rougeL.mean);
  const ranks = JSON.parse(readFileSync(join(ranked, "evaluation.json"), "utf8")) as {
    accuracy: { sum: { mean: number } };
    floors: { random: number };
  };
  const [, lastRanks = {}] = points(ranked).at(-1) ?? [];
  assert.equal(lastRanks.accuracy, ranks.accuracy.sum.mean);
  // Six answers occur, of which one is right.
  assert.ok(Math.abs(ranks.floors.random - 1 / 6) < 1e-9);
});

test("LoRA: the base stays, the adapter is PEFT's, and the saved model has it merged", async () => {
  const lora = { rank: 2, alpha: 4, dropout: 0, targets: ["attention.queryKeyValue", "feedForward.*"] };
  const train = { ...GOOD.train, budget: { unit: "steps", amount: 20 } };
  const out = join(root, "lora");
  const config = configFile({ ...GOOD, lora, train });
  const { code, stderr } = await launch(["train", config, "--out", out, "--json"]);
  assert.equal(code, 0, stderr);
  await startEngine();
  const merged = loadDecoder(join(out, "model"));
  const base = Decoder.create(merged.config, GOOD.train.seed);
  const adapted = base.withAdapter(loadAdapter(join(out, "adapter"), base.config));
  assert.equal(adapted.adapter?.pairs.length, 3);
  const hidden = (decoder: Decoder): number[][] => hiddenAlone(decoder, [3, 4, 5]);
  assertClose(hidden(adapted).flat(), hidden(merged).flat(), 1e-4);
  assert.ok(largestDifference(hidden(base).flat(), hidden(merged).flat()).worst > 1e-3);
  for (const each of [adapted, base, merged]) each.dispose();
});

test("--bf16 is the precision of the run, and needs the compiled step", async () => {
  const train = { ...GOOD.train, budget: { unit: "steps", amount: 8 } };
  const out = join(root, "bf16");
  const config = configFile({ ...GOOD, train });
  const { code, stderr } = await launch(["train", config, "--out", out, "--bf16"]);
  assert.equal(code, 0, stderr);
  const record = JSON.parse(readFileSync(join(out, "run.json"), "utf8")) as {
    config: { train: { precision: string } };
  };
  assert.equal(record.config.train.precision, "bfloat16");
  const resumed = await launch(["train", config, "--out", out, "--resume"]);
  assert.equal(resumed.code, 1);
  assert.match(resumed.stderr, /field "precision".*"bfloat16" here, now it is absent/);
  const eager = await launch(["train", config, "--out", join(root, "bf16-eager"), "--bf16", "--eager"]);
  assert.equal(eager.code, 1);
  assert.match(eager.stderr, /bfloat16 takes a compiled step, and compiling is turned off.*--eager/);
});

test("a wrong run configuration is one line that names file, field and cure, and exit code 1", async () => {
  const cases: [unknown, string | undefined, RegExp][] = [
    ["{", undefined, /not valid JSON/],
    [{ ...GOOD, models: 1 }, "models", /use one of data, template, tokenizer, render, decoder, lora, train/],
    [{ ...GOOD, data: { ...GOOD.data, format: "csv" } }, "data.format", /"super-natural-instructions"/],
    [{ ...GOOD, data: {} }, "data.path", /lacks this field/],
    [
      { ...GOOD, data: { ...GOOD.data, validation: { by: "row", share: 0.1 } } },
      "train.validation",
      /data.validation is given, but train.validation is not/,
    ],
    [
      { ...GOOD, evaluation: { rows: 4, maxNewTokens: 4 } },
      "evaluation",
      /rows that are set aside, and none/,
    ],
    [
      { ...GOOD, evaluation: { rows: 4, answers: "ranked", maxNewTokens: 4 } },
      "evaluation.maxNewTokens",
      /no such field/,
    ],
    [
      { ...GOOD, template: "alpacca" },
      "template",
      /no template "alpacca".*sft-plain.*ift-definition.*alpaca/,
    ],
    [{ ...GOOD, template: { ...GOOD.template, prompt: "{what}" } }, "template", /does not work.*what/],
    [{ ...GOOD, tokenizer: { train: "words" } }, "tokenizer.train", /"words"/],
    [
      { ...GOOD, tokenizer: { train: "byte-level-bpe" } },
      "tokenizer.vocabularySize",
      /lacks this field.*give a number/,
    ],
    [{ ...GOOD, render: { ...GOOD.render, lossOn: undefined } }, "render.lossOn", /"response", "all"/],
    [{ ...GOOD, train: { ...GOOD.train, batchSize: 3 } }, "train.batchSize", /no such field/],
    [
      { ...GOOD, train: { ...GOOD.train, schedule: { kind: "cosine", finalFraction: 0 } } },
      "train.schedule.warmupFraction",
      /warm-up is not given/,
    ],
    [
      { ...GOOD, train: { ...GOOD.train, checkpoint: { directory: "x", everySteps: 1 } } },
      "train.checkpoint",
      /checkpointEverySteps/,
    ],
    [{ ...GOOD, decoder: { from: "" } }, "decoder.from", /has the value ""/],
  ];
  for (const [config, field, words] of cases) {
    const file = configFile(config);
    assert.throws(
      () => readRunConfig(file),
      (error) => {
        assert.ok(error instanceof KitError);
        assert.match(error.message, words);
        assert.equal(error.location.field, field, error.message);
        assert.equal(error.location.file, file);
        return true;
      },
    );
  }
  assert.ok(readRunConfig(configFile(GOOD)));
  const file = configFile({ ...GOOD, decoder: { ...GOOD.decoder, vocabularySize: 7 } });
  const ended = await launch(["train", file, "--out", join(root, "none")]);
  assert.equal(ended.code, 1);
  assert.match(
    ended.stderr,
    /^ift-kit: .*field "decoder.vocabularySize".*To mend it: remove this field.*\n$/,
  );
  assert.ok(!existsSync(join(root, "none")), "nothing is written");
});

test("--check prints what was measured, trains nothing and exits with 0; rows without their end fail", async (context) => {
  const out = join(root, "checked");
  const file = configFile(GOOD);
  const { code, stdout, stderr } = await launch(["train", file, "--out", out, "--check", "--json"]);
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as PreflightReport;
  assert.ok(report.passed && report.checks.length === 9);
  assert.ok(!existsSync(out), "nothing is written");

  await startEngine();
  const config = parseAnswerConfig(GOOD, "next-token", file);
  const run = await prepareRun(config, file);
  const spans = run.spans.map((row) => ({ ...row, supervised: row.supervised.with(-1, false) }));
  const printed = context.mock.method(console, "log", () => undefined);
  const passed = await checkObjective(answerRun({ ...run, spans }, config), config, {
    compile: false,
    json: false,
  });
  const text = String(printed.mock.calls[0]?.arguments[0]);
  printed.mock.restore();
  run.decoder.dispose();
  assert.equal(passed, false);
  assert.match(text, /^EOS +fail +48 +0 +48 of 48 rows: .* and 45 more$/m);
  assert.match(text, /EOS failed .*To mend it: render with/);
  assert.match(text, /1 of 9 checks failed\.$/);
});
