import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { main } from "../../src/cli/main.js";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { targetLogProbabilities } from "../../src/engine/ops/cross-entropy.js";
import { beamSearch } from "../../src/evaluate/beam-search.js";
import { generateGreedy } from "../../src/evaluate/generate.js";
import { loadModelFolder } from "../../src/evaluate/model-folder.js";
import { scoreOptions } from "../../src/evaluate/option-scores.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import { saveModel } from "../../src/model/load.js";
import { loadAdapter } from "../../src/model/lora/peft.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { T5 } from "../../src/model/t5/t5.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { temporaryFolder } from "../data/fixtures.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { matrix } from "../model/models.js";

const TOKENIZER = join(import.meta.dirname, "../parity/golden/unigram/nfkc");
const CONFIG: T5Config = {
  vocabularySize: 312,
  width: 16,
  encoderLayers: 1,
  decoderLayers: 1,
  heads: 2,
  headWidth: 6,
  feedForwardWidth: 24,
  activation: "geglu",
  positionBuckets: 8,
  farthestPosition: 16,
  epsilon: 1e-6,
  tiedHead: false,
  scaledHead: false,
  contextLength: 400,
  dropout: 0,
  decoderStart: 0,
  inputEnd: 1,
};
const PROMPTS = ["kalo mine", "ta", "the er an st re con ed lo mi ne ta ri so", "so the ing"];

before(() => startEngine());

/** The program in this process. */
async function called(context: TestContext, ...options: string[]): Promise<string> {
  const said: string[] = [];
  const mocks = (["log", "error"] as const).map((name) =>
    context.mock.method(console, name, (...texts: unknown[]) => said.push(texts.join(" "))),
  );
  process.exitCode = 0;
  await main(["node", "ift-kit", ...options]);
  for (const mock of mocks) mock.mock.restore();
  assert.equal(process.exitCode, 0, said.join("\n"));
  return said.join("\n");
}

/** A folder with a T5 in `model`. */
function folderOf(context: TestContext): string {
  const folder = temporaryFolder(context);
  const model = T5.create(CONFIG, 3);
  const tokenizer = loadTokenizer(TOKENIZER);
  saveModel(join(folder, "model"), model, { special: tokenizer.special });
  tokenizer.save(join(folder, "model"));
  model.dispose();
  return folder;
}

function jsonLines(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function writeLines(path: string, rows: readonly unknown[]): void {
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
}

test("generate and score a T5: what the functions give, whatever the batch", async (context) => {
  const folder = folderOf(context);
  const [prompts, out] = [join(folder, "prompts.jsonl"), join(folder, "out.jsonl")];
  writeLines(
    prompts,
    PROMPTS.map((prompt, id) => ({ id, prompt, target: "mine lo" })),
  );
  const { decoder, tokenizer } = loadModelFolder(join(folder, "model"));
  const rows = PROMPTS.map((prompt) => tokenizer.encode(prompt).ids);
  const options = { maxNewTokens: 5, eos: 1, batchSize: 1 };
  const flags = ["--model", join(folder, "model"), "--out", out] as const;

  await called(context, "generate", ...flags, "--prompts", prompts, "--max-new-tokens", "5");
  const greedy = await generateGreedy(decoder, rows, options);
  assert.deepEqual(
    jsonLines(out).map(({ text }) => text),
    greedy.map((ids) => tokenizer.decode(ids)),
  );

  const beams = ["--beams", "3", "--length-penalty", "0.5", "--early-stopping", "never"] as const;
  await called(context, "generate", ...flags, "--prompts", prompts, "--max-new-tokens", "5", ...beams);
  const search = { beams: 3, lengthPenalty: 0.5, earlyStopping: "never" } as const;
  const found = await beamSearch(decoder, rows, search, options);
  assert.deepEqual(
    jsonLines(out).map(({ text }) => text),
    found.map(([best]) => tokenizer.decode(best?.ids ?? [])),
  );

  await called(context, "score", ...flags, "--requests", prompts, "--batch-tokens", "40");
  const target = tokenizer.encode("mine lo").ids;
  const scores = await scoreTargets(
    decoder,
    rows.map((prompt) => ({ prompt, target })),
    { batchTokens: 1 },
  );
  assertClose(
    jsonLines(out).map(({ logprob }) => Number(logprob)),
    scores.map(({ logprob }) => logprob),
    1e-5,
  );
  decoder.dispose();
});

test("the score of an option is that of the whole pass, beside others or alone", async (context) => {
  const { decoder, tokenizer } = loadModelFolder(join(folderOf(context), "model"));
  assert.ok(decoder instanceof T5);
  const requests = PROMPTS.map((prompt, row) => ({
    prompt: tokenizer.encode(prompt).ids,
    options: [
      [5, 6, 1],
      [7, 1],
      [8 + row, 9, 10, 11, 1],
    ].slice(0, 1 + (row % 3)),
  }));
  const scores = await scoreOptions(decoder, requests, { batchTokens: 400 });
  const whole = (prompt: readonly number[], target: readonly number[]): number[] =>
    tf.tidy(() => {
      const input = { ids: matrix([prompt]), decoderIds: matrix([[0, ...target.slice(0, -1)]]) };
      const hidden = tf.reshape<TensorFlow.Rank.R2>(decoder.hiddenStates(input), [-1, CONFIG.width]);
      const labels = tf.tensor1d([...target], "int32");
      return Array.from(targetLogProbabilities(decoder.logits(hidden), labels).dataSync());
    });
  requests.forEach(({ prompt, options }, row) => {
    options.forEach((target, option) => {
      const own = scores[row]?.[option]?.tokenLogprobs ?? [];
      assertClose(own, whole([...prompt, 1], target), 1e-5);
      const unended = largestDifference(own, whole(prompt, target)).worst;
      assert.ok(unended > 1e-3, "the end of the input is read");
    });
  });
  decoder.dispose();
});

test("train and evaluate a T5: it learns its rows, with full weights and with LoRA", async (context) => {
  const folder = folderOf(context);
  const data = join(folder, "alpaca.json");
  const words = ["kalo", "mine", "tari"];
  writeFileSync(
    data,
    JSON.stringify(
      Array.from({ length: 24 }, (_, row) => ({
        instruction: "the",
        input: words[row % 3],
        output: words[(row + 1) % 3],
      })),
    ),
  );
  const config = {
    data: { path: data, format: "alpaca" },
    template: { name: "short", format: "ift", prompt: "{instruction} {input}" },
    tokenizer: { directory: TOKENIZER },
    render: { maxTokens: 60, overlong: "drop", lossOn: "response" },
    decoder: { from: join(folder, "model") },
    train: {
      budget: { unit: "steps", amount: 60 },
      batch: { kind: "bucketed", rowsPerStep: 8 },
      optimizer: { learningRate: 0.02, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
      schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
      seed: 1,
    },
  };
  const train = async (name: string, more: object): Promise<string> => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ ...config, ...more }));
    const out = join(folder, name);
    await called(context, "train", file, "--out", out, "--eager");
    return out;
  };
  const full = await train("full", {});
  const evaluation = [
    "--data",
    data,
    "--format",
    "alpaca",
    "--template",
    "alpaca",
    "--max-new-tokens",
    "8",
    "--json",
  ] as const;
  assert.match(
    await called(context, "evaluate", "--model", join(full, "model"), ...evaluation),
    /"exactMatch"/,
  );
  const { decoder, tokenizer } = loadModelFolder(join(full, "model"));
  const prompts = words.map((word) => tokenizer.encode(`the ${word}`).ids);
  const answers = await generateGreedy(decoder, prompts, { maxNewTokens: 8, eos: 1, batchSize: 4 });
  assert.deepEqual(
    answers.map((ids) => tokenizer.decode(ids)),
    ["mine", "tari", "kalo"],
  );
  decoder.dispose();

  const lora = {
    rank: 4,
    alpha: 8,
    dropout: 0,
    targets: ["attention.*", "crossAttention.*", "feedForward.*"],
  };
  const adapted = await train("lora", { lora });
  const adapter = loadAdapter(join(adapted, "adapter"), CONFIG);
  assert.equal(adapter.pairs.length, 2 * 4 + 4 + 2 * 3);
  adapter.dispose();
  const losses = jsonLines(join(adapted, "metrics.jsonl")).map(({ loss }) => Number(loss));
  assert.ok((losses.at(-1) ?? Infinity) < 0.7 * (losses[0] ?? 0), losses.join(" "));
});
