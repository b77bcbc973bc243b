import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { main } from "../../src/cli/main.js";
import { Random } from "../../src/support/random.js";
import { temporaryFolder } from "../data/fixtures.js";

const NAMES = ["mia", "tom", "nora", "hugo", "ella", "karl"];
const THINGS = ["plum", "lamp", "swan", "boat", "drum", "tower"];
const random = Random.derive(1, "texts");
const sentence = (): string => `${random.choice(NAMES)} saw the ${random.choice(THINGS)}.`;
const DOCUMENTS = Array.from({ length: 60 }, () => [sentence(), sentence(), sentence()].join("\n"));
/** The label is in the text: "good" or "bad". */
export const LABELLED = Array.from({ length: 80 }, (_, row) => {
  const good = row % 2 === 0;
  return {
    instruction: "Judge it.",
    input: `${sentence()} it was ${good ? "good" : "bad"}`,
    output: good ? "Yes" : "No",
  };
});

export const TRAIN = {
  budget: { unit: "steps", amount: 60 },
  batch: { kind: "bucketed", rowsPerStep: 8 },
  optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 },
  schedule: { kind: "linear", warmupFraction: 0.1, finalFraction: 0 },
  seed: 1,
};
export const VALIDATED = { ...TRAIN, validation: { everySteps: 30 } };
export const BERT_SHAPE = {
  width: 16,
  layers: 1,
  heads: 2,
  feedForwardWidth: 32,
  contextLength: 40,
  dropout: 0,
};
export const T5_SHAPE = {
  ...{ width: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, headWidth: 8, feedForwardWidth: 32 },
  ...{ contextLength: 48, dropout: 0.1 },
};
export const WORDPIECE = { train: "wordpiece", vocabularySize: 120 };

/** Where the data and the runs of a test are. */
export interface Place {
  readonly folder: string;
  readonly text: string;
  readonly rows: string;
}

/** A folder with the texts and the labelled rows. */
export function place(context: TestContext): Place {
  const folder = temporaryFolder(context);
  const [text, rows] = [join(folder, "text.txt"), join(folder, "rows.json")];
  writeFileSync(text, DOCUMENTS.join("\n\n"));
  writeFileSync(rows, JSON.stringify(LABELLED));
  return { folder, text, rows };
}

/** The file of a run. */
export type RunFile = Readonly<Record<string, unknown>>;

export function classificationConfig({ rows }: Place): RunFile {
  return {
    objective: "classification",
    data: { path: rows, format: "alpaca", validation: { by: "row", share: 0.2 } },
    template: { name: "text", format: "sft", prompt: "{input}" },
    tokenizer: WORDPIECE,
    bert: BERT_SHAPE,
    train: VALIDATED,
  };
}

export function maskedConfig(
  { text }: Place,
  objective: "masked-language" | "masked-language-next-sentence",
): RunFile {
  return {
    objective,
    data: { path: text, validation: { share: 0.2 } },
    tokenizer: WORDPIECE,
    bert: BERT_SHAPE,
    maxTokens: 30,
    train: VALIDATED,
  };
}

export function spanConfig({ text }: Place): RunFile {
  return {
    objective: "span-corruption",
    data: { path: text, validation: { share: 0.2 } },
    tokenizer: { train: "byte-level-bpe", vocabularySize: 420 },
    t5: T5_SHAPE,
    train: VALIDATED,
  };
}

export function sequenceConfig({ rows }: Place): RunFile {
  return {
    objective: "sequence-to-sequence",
    data: { path: rows, format: "alpaca", validation: { by: "row", share: 0.2 } },
    template: "sft-plain",
    tokenizer: { train: "byte-level-bpe", vocabularySize: 300 },
    render: { maxTokens: 60, overlong: "drop", lossOn: "response" },
    t5: T5_SHAPE,
    evaluation: { rows: 8, maxNewTokens: 4 },
    train: VALIDATED,
  };
}

/** The file of each objective by its name, but for the next token. */
export const OBJECTIVES: Readonly<Record<string, (at: Place) => RunFile>> = {
  "sequence-to-sequence": sequenceConfig,
  classification: classificationConfig,
  "masked-language": (at) => maskedConfig(at, "masked-language"),
  "masked-language-next-sentence": (at) => maskedConfig(at, "masked-language-next-sentence"),
  "span-corruption": spanConfig,
};

/** Low-rank updates for the model of a file. */
export function loraOf(config: RunFile): Readonly<Record<string, unknown>> {
  const targets =
    "bert" in config
      ? ["attention.query", "attention.value", "feedForward.*"]
      : ["query", "value", "feedForward.*"];
  return { rank: 8, alpha: 16, dropout: 0, targets };
}

/** `ift-kit train` in this process. @returns the folder of the run and what was printed with --json */
export async function trained(
  context: TestContext,
  { folder }: Place,
  name: string,
  config: unknown,
  ...flags: string[]
): Promise<{ out: string; result: Record<string, unknown>; said: string }> {
  const [file, out] = [join(folder, `${name}.json`), join(folder, name)];
  writeFileSync(file, JSON.stringify(config));
  const said: string[] = [];
  const mocks = (["log", "error"] as const).map((kind) =>
    context.mock.method(console, kind, (...texts: unknown[]) => said.push(texts.join(" "))),
  );
  process.exitCode = 0;
  await main(["node", "ift-kit", "train", file, "--out", out, "--json", ...flags]);
  for (const mock of mocks) mock.mock.restore();
  const code = process.exitCode;
  process.exitCode = 0;
  const text = said.join("\n");
  assert.equal(code, 0, text);
  return { out, result: JSON.parse(text.slice(text.indexOf("{"))) as Record<string, unknown>, said: text };
}

/** The loss of each step. */
export function lossesOf(out: string): number[] {
  const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { loss: number }).loss);
}
