import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { MINI_TASKS } from "../../src/data/mini/tasks/index.js";
import { drawTaskRows } from "../../src/data/mini/tasks/rows.js";
import { renderExamples } from "../../src/data/render-all.js";
import { patternTemplate } from "../../src/data/templates/index.js";
import { startEngine } from "../../src/engine/start.js";
import {
  type PublicTuning,
  type PublicTuningSettings,
  tuneAnswers,
  tuneLabels,
  type TuningRows,
} from "../../src/experiment/public-tuning.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import { fetchModelOr, type HubOptions } from "../../src/model/hub.js";
import { loadModel } from "../../src/model/load.js";
import { loadAdapter } from "../../src/model/lora/peft.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";
import { HubServer } from "../model/hub-server.js";

const GOLDEN = join(import.meta.dirname, "../parity/golden/public-folders");
const TEMPLATE = patternTemplate({ name: "short", format: "sft", prompt: "{input} => " });
const SETTINGS: PublicTuningSettings = {
  rank: 4,
  maxTokens: 96,
  training: {
    budget: { unit: "steps", amount: 60 },
    batch: { kind: "bucketed", rowsPerStep: 16 },
    optimizer: { learningRate: 0.02, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    schedule: { kind: "linear", warmupFraction: 0.1, finalFraction: 0 },
    seed: 1,
  },
};

const folder = mkdtempSync(join(tmpdir(), "ift-kit-public-"));
const server = new HubServer();
let rows: TuningRows;
let hub: HubOptions;

before(async () => {
  await server.start();
  await startEngine();
  hub = { hub: server.address, cache: join(folder, "cache"), offline: false, retryDelayMs: 1 };
  for (const name of readdirSync(GOLDEN)) {
    const files = readdirSync(join(GOLDEN, name));
    server.models[`owner/${name}`] = Object.fromEntries(
      files.map((file) => [file, readFileSync(join(GOLDEN, name, file))]),
    );
  }
  const task = MINI_TASKS.filter(({ name }) => name === "film-sentiment");
  const drawn = drawTaskRows({ train: 160, validation: 1, test: 60 }, 1, task);
  rows = { train: drawn.train, held: drawn.test };
});
after(() => {
  server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The folder of a model by its name, which the local server has. */
async function byName(name: string): Promise<string> {
  const { folder: found, problem } = await fetchModelOr("none", `owner/${name}`, hub);
  assert.equal(problem, undefined);
  return found;
}

function learned({ losses, trained, parameters, heldRows, samples }: PublicTuning): void {
  const mean = (some: readonly number[]): number => some.reduce((sum, loss) => sum + loss, 0) / some.length;
  assert.ok(mean(losses.slice(-10)) < 0.97 * mean(losses.slice(0, 5)), losses.join(" "));
  assert.ok(trained < parameters / 4 && trained > 0);
  assert.ok(heldRows > 30);
  assert.equal(samples.length, 3);
}

for (const [name, family] of [
  ["gpt2", "decoder"],
  ["flan-t5", "encoder-decoder"],
] as const) {
  test(`${name} by its name: tuned with low-rank updates, better on held rows, and PEFT's adapter gives the same`, async () => {
    const found = await byName(name);
    const adapterFolder = join(folder, `${name}-adapter`);
    const tuned = await tuneAnswers(found, rows, TEMPLATE, SETTINGS, { adapterFolder });
    assert.equal(tuned.family, family);
    learned(tuned);
    assert.ok(tuned.change.high < 0, `${tuned.change.low} to ${tuned.change.high} nats a token`);
    const base = loadModel(found);
    const adapted = base.withAdapter(loadAdapter(adapterFolder, base.config));
    const { spans } = renderExamples(rows.held, TEMPLATE, loadTokenizer(found), {
      ...{ maxTokens: 96, overlong: "drop", lossOn: "response" },
    });
    const heldLoss = async (model: typeof base): Promise<number> => {
      const scores = await scoreTargets(
        model,
        spans.map(({ ids, promptLength }) => ({
          prompt: ids.slice(0, promptLength),
          target: ids.slice(promptLength),
        })),
        { batchTokens: 4096 },
      );
      const each = scores.map(({ logprob, tokenLogprobs }) => -logprob / tokenLogprobs.length);
      return each.reduce((sum, loss) => sum + loss, 0) / each.length;
    };
    assert.ok(Math.abs((await heldLoss(adapted)) - tuned.change.a.mean) < 1e-5);
    assert.ok(Math.abs((await heldLoss(base)) - tuned.change.b.mean) < 1e-5);
    adapted.dispose();
    base.dispose();
    // The control: without steps worth the name nothing is better.
    const { optimizer } = SETTINGS.training;
    const still = await tuneAnswers(found, rows, TEMPLATE, {
      ...SETTINGS,
      training: {
        ...SETTINGS.training,
        budget: { unit: "steps", amount: 2 },
        optimizer: { ...optimizer, learningRate: 1e-9 },
      },
    });
    assert.ok(Math.abs(still.change.mean) < 1e-4);
  });
}

/** Rows whose label is the kind of their first word: what random weights can learn. */
const kinds: TuningRows = (() => {
  const words = { plant: ["rose", "oak", "fern"], colour: ["red", "blue", "green"] } as const;
  const make = (count: number, from: number): Example[] =>
    Array.from({ length: count }, (_, index): Example => {
      const number = from + index;
      const label = number % 2 === 0 ? "plant" : "colour";
      const input = `${words[label][number % 3] ?? ""} number ${number}`;
      return { id: `${number}`, task: "kind", taskType: "kind", source: "kind", input, outputs: [label] };
    });
  return { train: make(160, 0), held: make(60, 1000) };
})();

test("BERT by its name: a head for the labels of the rows, better than before and than one label for all", async () => {
  const tuned = await tuneLabels(await byName("bert"), kinds, SETTINGS, {
    adapterFolder: join(folder, "bert-adapter"),
  });
  assert.equal(tuned.family, "BERT");
  learned(tuned);
  assert.equal(tuned.measure, "accuracy");
  assert.ok(tuned.change.low > 0, `${tuned.change.low} to ${tuned.change.high}`);
  assert.ok(tuned.change.a.mean > (tuned.floor ?? 1), `${tuned.change.a.mean}, floor ${tuned.floor ?? NaN}`);
});

test("where the hub is out of reach the local folder is taken, with the reason; it is made only then", async () => {
  let made = 0;
  const make = (): Promise<string> => {
    made++;
    return Promise.resolve("made");
  };
  const there = await fetchModelOr(make, "owner/bert", hub);
  assert.equal(made, 0);
  assert.notEqual(there.folder, "made");
  const away = await fetchModelOr(make, "owner/elsewhere", { ...hub, offline: true });
  assert.deepEqual([away.folder, made], ["made", 1]);
  assert.match(away.problem?.message ?? "", /owner\/elsewhere/);
  const gone = await fetchModelOr("here", "owner/elsewhere", hub);
  assert.equal(gone.folder, "here");
});

test("rows that do not fit, and a label that was never trained", async () => {
  const found = await byName("gpt2");
  await assert.rejects(
    tuneAnswers(found, rows, TEMPLATE, { ...SETTINGS, maxTokens: 3 }),
    /overlong.*raise maxTokens \(now 3\)/,
  );
  const bert = await byName("bert");
  await assert.rejects(tuneLabels(bert, rows, { ...SETTINGS, maxTokens: 2 }), /no row fits into 2 tokens/);
  const held: Example[] = rows.held.map((example) => ({ ...example, outputs: ["Neutral"] }));
  const odd = await tuneLabels(bert, { ...rows, held }, SETTINGS);
  assert.equal(odd.change.a.mean, 0);
});
