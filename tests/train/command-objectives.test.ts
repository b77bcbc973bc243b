import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { main } from "../../src/cli/main.js";
import { readRunConfig } from "../../src/cli/commands/train/config.js";
import { parseMaskedConfig } from "../../src/cli/commands/train/encoder-config.js";
import { prepareMasked } from "../../src/cli/commands/train/masked-run.js";
import { disposeModels } from "../../src/cli/commands/train/objective-run.js";
import { startEngine } from "../../src/engine/start.js";
import { loadBertFolder } from "../../src/evaluate/bert-folder.js";
import { loadModelFolder } from "../../src/evaluate/model-folder.js";
import { classify } from "../../src/evaluate/text-pairs.js";
import { tf } from "../../src/engine/tensorflow.js";
import { Bert } from "../../src/model/bert/bert.js";
import { loadAdaptedBert } from "../../src/model/lora/peft.js";
import { T5 } from "../../src/model/t5/t5.js";
import { KitError } from "../../src/support/errors.js";
import type { PreflightReport } from "../../src/train/preflight/check.js";
import { checkEncoderRows } from "../../src/train/preflight/rows.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { matrix } from "../model/models.js";
import {
  BERT_SHAPE,
  classificationConfig,
  LABELLED,
  lossesOf,
  maskedConfig,
  place,
  type RunFile,
  trained,
  sequenceConfig,
  spanConfig,
  T5_SHAPE,
  TRAIN,
  VALIDATED,
  WORDPIECE,
} from "./objective-configs.js";

before(() => startEngine());

const jsonIn = (out: string, name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(out, name), "utf8")) as Record<string, unknown>;

test("classification: labels are learned, scored on rows set aside, and the folder classifies", async (context) => {
  const at = place(context);
  const { out, result } = await trained(context, at, "classes", classificationConfig(at));
  assert.equal(result.stepKind, "compiled");
  const { accuracy, floor, rows } = jsonIn(out, "evaluation.json") as {
    accuracy: number;
    floor: { accuracy: number };
    rows: number;
  };
  assert.ok(rows >= 10 && accuracy >= 0.9 && floor.accuracy <= 0.7, `${accuracy} of ${rows}`);
  const loaded = loadBertFolder(join(out, "model"));
  const said = await classify(loaded, [
    { a: "tom saw the drum. it was good" },
    { a: "tom saw the drum. it was bad" },
  ]);
  assert.deepEqual(
    said?.map(({ label }) => label),
    ["Yes", "No"],
  );
  loaded.bert.dispose();
  const printed = context.mock.method(console, "log", () => undefined);
  const scored = ["--data", at.rows, "--format", "alpaca", "--template", "sft-plain", "--json"];
  await main(["node", "ift-kit", "evaluate", "--model", join(out, "model"), ...scored]);
  const evaluated = JSON.parse(String(printed.mock.calls[0]?.arguments[0])) as {
    rows: number;
    accuracy: number;
  };
  printed.mock.restore();
  assert.equal(evaluated.rows, LABELLED.length);
  // Another template than that of the training: what counts is that it says what the function says.
  const shown = await classify(
    loadBertFolder(join(out, "model")),
    LABELLED.map(({ input }) => ({ a: `Input: ${input}\nOutput:` })),
  );
  const right = shown?.filter(({ label }, row) => label === LABELLED[row]?.output).length ?? NaN;
  assert.equal(evaluated.accuracy, right / LABELLED.length);
  // From the checkpoint, another head over a frozen encoder: the encoder stays as it is.
  const tuned = await trained(context, at, "frozen", {
    ...classificationConfig(at),
    tokenizer: undefined,
    labels: ["Yes", "No", "Maybe"],
    bert: { from: join(out, "model") },
    tune: "head",
  });
  const [before, after] = [out, tuned.out].map((folder) => loadBertFolder(join(folder, "model")).bert);
  const values = (bert: typeof before, name: string): number[] => [...(bert?.weight(name).dataSync() ?? [])];
  assert.deepEqual(
    values(after, "layers.0.feedForward.up.weight"),
    values(before, "layers.0.feedForward.up.weight"),
  );
  assert.notDeepEqual(
    values(after, "pooler.weight"),
    values(before, "pooler.weight"),
    "control: the head moves",
  );
  assert.equal(values(after, "classifier.bias").length, 3);
  before?.dispose();
  after?.dispose();
});

test("classification with LoRA and in bfloat16: the head is trained beside the updates, and both are in the model", async (context) => {
  const at = place(context);
  const lora = {
    rank: 8,
    alpha: 16,
    dropout: 0,
    targets: ["attention.query", "attention.value", "feedForward.*"],
  };
  const train = { ...VALIDATED, budget: { unit: "steps", amount: 300 } };
  const { out } = await trained(context, at, "lora", { ...classificationConfig(at), lora, train }, "--bf16");
  assert.ok(existsSync(join(out, "adapter", "adapter_model.safetensors")));
  const evaluation = jsonIn(out, "evaluation.json") as {
    accuracy: number;
  };
  assert.ok(evaluation.accuracy >= 0.9, `${evaluation.accuracy}`);
  const loaded = loadBertFolder(join(out, "model"));
  const said = await classify(
    loaded,
    LABELLED.map(({ input }) => ({ a: input })),
  );
  const right = said?.filter(({ label }, row) => label === LABELLED[row]?.output).length ?? 0;
  assert.ok(right / LABELLED.length >= 0.9, `the merged model has ${right} right`);
  const start = Bert.create(loaded.bert.config, TRAIN.seed);
  const moved = (name: string): boolean =>
    [...start.weight(name).dataSync()].some((value, at) => value !== loaded.bert.weight(name).dataSync()[at]);
  assert.ok(moved("classifier.weight") && moved("layers.0.attention.queryKeyValue.weight"));
  assert.ok(!moved("embedding.token"), "control: what has no update stays");
  // The adapter by itself has the head too.
  const adapted = loadAdaptedBert(join(out, "adapter"), start);
  const logits = (bert: Bert): number[] => [
    ...tf.tidy(() => {
      const hidden = bert.hiddenStates({ ids: matrix([[2, 8, 9, 10, 11, 3]]) });
      return bert.classLogits(tf.reshape(tf.slice(hidden, [0, 0, 0], [1, 1, -1]), [1, -1])).dataSync();
    }),
  ];
  const merged = logits(loaded.bert);
  assertClose(logits(adapted.model), merged, 1e-4);
  assert.ok(largestDifference(logits(adapted.base), merged).worst > 1e-3, "control: without the updates");
  for (const each of [adapted.model, adapted.base, start, loaded.bert]) each.dispose();
});

test("pairs: the text is cut in two where the file says", async (context) => {
  const at = place(context);
  const config = {
    ...classificationConfig(at),
    pairAt: "it was",
    train: { ...VALIDATED, budget: { unit: "steps", amount: 30 } },
  };
  const { out } = await trained(context, at, "pairs", config);
  // The folder says what was shown, and evaluate shows the same.
  const folder = join(out, "model");
  const scored = ["--data", at.rows, "--format", "alpaca", "--template", "trained", "--json"];
  const printed = context.mock.method(console, "log", () => undefined);
  await main(["node", "ift-kit", "evaluate", "--model", folder, ...scored]);
  const evaluated = JSON.parse(String(printed.mock.calls[0]?.arguments[0])) as { accuracy: number };
  printed.mock.restore();
  const loaded = loadBertFolder(folder);
  const said = await classify(
    loaded,
    LABELLED.map(({ input }) => ({
      a: input.split(" it was ")[0] ?? "",
      b: input.split(" it was ")[1] ?? "",
    })),
  );
  loaded.bert.dispose();
  const right = said?.filter(({ label }, row) => label === LABELLED[row]?.output).length ?? NaN;
  assert.equal(evaluated.accuracy, right / LABELLED.length);
  assert.equal(jsonIn(folder, "trained_template.json").pairAt, "it was");
  writeFileSync(
    join(folder, "trained_template.json"),
    JSON.stringify({ ...jsonIn(folder, "trained_template.json"), pairAt: "nowhere" }),
  );
  const error = context.mock.method(console, "error", () => undefined);
  await main(["node", "ift-kit", "evaluate", "--model", folder, ...scored]);
  process.exitCode = 0;
  assert.match(
    String(error.mock.calls[0]?.arguments[0]),
    /no "nowhere" to be cut/,
    "control: the file is read",
  );
  error.mock.restore();
  const missing = { ...config, pairAt: "nowhere" };
  await assert.rejects(trained(context, at, "no-pairs", missing), /has no \\"nowhere\\"|has no "nowhere"/);
});

for (const objective of ["masked-language", "masked-language-next-sentence"] as const) {
  test(`${objective}: words are learned beyond the most frequent one; a finished run is found again`, async (context) => {
    const at = place(context);
    const config = {
      ...maskedConfig(at, objective),
      train: { ...VALIDATED, budget: { unit: "steps", amount: 150 } },
    };
    const { out } = await trained(context, at, objective, config);
    const scores = jsonIn(out, "evaluation.json") as {
      masked: { accuracy: number; floor: number };
      nextSentence?: { pairs: number };
    };
    assert.ok(scores.masked.accuracy > scores.masked.floor, JSON.stringify(scores));
    assert.equal(scores.nextSentence === undefined, objective === "masked-language");
    const { bert } = loadBertFolder(join(out, "model"));
    assert.equal(bert.config.head.kind, objective === "masked-language" ? "masked-language" : "pre-training");
    bert.dispose();
    const again = await trained(context, at, objective, config, "--resume");
    assert.equal(again.result.step, 150);
  });
}

test("span corruption: a T5 with dropout and its sentinels; its folder is what sequence-to-sequence starts from", async (context) => {
  const at = place(context);
  const { out, result } = await trained(context, at, "spans", spanConfig(at));
  const losses = lossesOf(out);
  assert.ok((losses.at(-1) ?? NaN) < 0.7 * (losses[0] ?? NaN));
  assert.ok((result.evaluation as { spans: number }).spans > 10);
  const model = loadModelFolder(join(out, "model"));
  assert.ok(model.decoder instanceof T5 && model.decoder.config.dropout === 0.1);
  assert.ok(model.tokenizer.addedTokens?.has("<extra_id_99>"));
  model.decoder.dispose();
  const answers = await trained(context, at, "answers", {
    ...sequenceConfig(at),
    tokenizer: { directory: join(out, "model") },
    t5: { from: join(out, "model") },
  });
  const { overall } = answers.result.evaluation as { overall: { exactMatch: { mean: number } } };
  assert.ok(overall.exactMatch.mean >= 0 && existsSync(join(answers.out, "evaluation.json")));
});

for (const objective of ["masked-language", "span-corruption"] as const) {
  test(`${objective}: with activation checkpointing the losses are the same, compiled and eager, with dropout`, async (context) => {
    const at = place(context);
    const config = (dropout: number, activationCheckpointing: boolean): RunFile => ({
      ...(objective === "span-corruption"
        ? { ...spanConfig(at), t5: { ...T5_SHAPE, encoderLayers: 2, decoderLayers: 2, dropout } }
        : { ...maskedConfig(at, objective), bert: { ...BERT_SHAPE, layers: 3, dropout } }),
      train: { ...VALIDATED, budget: { unit: "steps", amount: 12 }, activationCheckpointing },
    });
    const lossesOf = async (name: string, ...how: [number, boolean, ...string[]]): Promise<number[]> => {
      const [dropout, again, ...flags] = how;
      const { out, result } = await trained(context, at, name, config(dropout, again), ...flags);
      assert.equal(result.stepKind, flags.includes("--eager") ? "eager" : "compiled");
      return readFileSync(join(out, "metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .flatMap((line) => (JSON.parse(line) as { loss?: number }).loss ?? []);
    };
    const apart = (some: number[], others: number[]): number =>
      Math.max(...some.map((loss, step) => Math.abs(loss / (others[step] ?? NaN) - 1)));
    const kept = await lossesOf("kept", 0.1, false);
    assert.ok(kept.length >= 12);
    assert.ok(apart(await lossesOf("again", 0.1, true), kept) < 1e-6);
    const eager = await lossesOf("eager", 0.1, false, "--eager");
    assert.ok(apart(await lossesOf("eager-again", 0.1, true, "--eager"), eager) < 1e-6);
    // The control: another dropout.
    assert.ok(apart(await lossesOf("other", 0.11, true), kept) > 1e-5);
  });
}

test("--check: every check that means something passes, the others say why; a row with a mark too many fails", async (context) => {
  const at = place(context);
  const config = {
    objective: "masked-language",
    data: { path: at.text },
    tokenizer: WORDPIECE,
    bert: BERT_SHAPE,
    maxTokens: 30,
    train: TRAIN,
  };
  const { result } = await trained(context, at, "checked", config, "--check");
  const report = result as unknown as PreflightReport;
  assert.ok(report.passed);
  const named = report.checks.map(({ check }) => check);
  for (const check of ["mask", "marks", "redraw", "padding before", "accumulation", "resume"]) {
    assert.ok(named.includes(check), check);
  }
  for (const { status, detail } of report.checks) assert.ok(status === "pass" || (detail ?? "") !== "");
  assert.ok(!existsSync(join(at.folder, "checked")), "nothing is written");

  const parsed = parseMaskedConfig(config, "masked-language", "file");
  const run = await prepareMasked(parsed, "file");
  const separator = run.rows[0]?.inputs.at(-1) ?? NaN;
  const rows = run.rows.map((row, index) =>
    index === 1 ? { ...row, inputs: row.inputs.with(1, separator) } : row,
  );
  const failed = checkEncoderRows(rows, { first: run.rows[0]?.inputs[0] ?? NaN, separator });
  assert.deepEqual(
    failed.filter(({ status }) => status === "fail").map(({ check, measured }) => [check, measured]),
    [["marks", 1]],
  );
  disposeModels(run.models);
});

test("a field of another objective, or another family, is one line that names it", (context) => {
  const at = place(context);
  const good = classificationConfig(at);
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ ...good, objective: "regression" }, "objective", /no objective "regression".*"span-corruption"/],
    [
      { ...good, corruption: { share: 0.1 } },
      "corruption",
      /belongs to "span-corruption", and this run's objective is "classification"/,
    ],
    [{ ...good, objective: undefined }, "bert", /belongs to .*"masked-language".* is "next-token"/],
    [{ ...good, render: {} }, "render", /belongs to "next-token", "sequence-to-sequence"/],
    [{ ...good, maskedShare: 0.2 }, "maskedShare", /belongs to "masked-language"/],
    [{ ...good, colour: 1 }, "colour", /no such field/],
    [{ ...good, tokenizer: undefined }, "tokenizer", /a new model needs a tokenizer/],
    [
      { ...good, tune: "head", lora: { rank: 1, alpha: 1, dropout: 0, targets: ["up"] } },
      "tune",
      /together with the head/,
    ],
  ];
  for (const [config, field, words] of cases) {
    const file = join(at.folder, "wrong.json");
    writeFileSync(file, JSON.stringify(config));
    assert.throws(
      () => readRunConfig(file),
      (error) => {
        assert.ok(error instanceof KitError);
        assert.match(error.message, words);
        assert.equal(error.location.field, field, error.message);
        return true;
      },
    );
  }
  for (const name of [
    "next-token",
    "sequence-to-sequence",
    "classification",
    "masked-language",
    "masked-language-next-sentence",
    "span-corruption",
  ]) {
    assert.equal(
      readRunConfig(join(import.meta.dirname, `../../datasets/train/train-${name}.json`)).objective,
      name,
    );
  }
});
