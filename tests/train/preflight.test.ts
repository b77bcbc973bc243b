import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Spans } from "../../src/data/spans.js";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { Decoder } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import type { TrainConfig } from "../../src/train/config.js";
import type { ModelInput, TrainableModel } from "../../src/train/objectives/next-token.js";
import { packBestFit } from "../../src/train/pack.js";
import { lossGradient } from "../../src/train/preflight/measure.js";
import { type CheckResult, preflight, type PreflightOptions } from "../../src/train/preflight/preflight.js";
import { createStep } from "../../src/train/step/create-step.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { trainObjective } from "../../src/train/train.js";
import { spansOf, TINY_GPT2 } from "./stand-in.js";

const [BOS, EOS] = [1, 2];
/** Rows "<bos> ... <eos>" of 4 to 11 tokens, of which the last 2 or more are supervised. */
const rows: readonly Spans[] = Array.from({ length: 20 }, (_, row) => {
  const length = 2 + ((row * 5) % 8);
  const text = Array.from({ length }, (__, place) => 3 + ((row * 7 + place * place) % 12));
  return spansOf(`row${row}`, [BOS, ...text, EOS], 2 + (row % length));
});
const CONFIG: TrainConfig = {
  budget: { unit: "supervised-tokens", amount: 200 },
  batch: { kind: "packed", tokensPerRow: 24, rowsPerStep: 4 },
  microBatchRows: 3,
  optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
};
const tokens = { bos: BOS, ends: [EOS] };
let decoder: Decoder;
before(async () => {
  await startEngine({ threads: 1 });
  decoder = Decoder.create(TINY_GPT2, 1);
});
after(() => decoder.dispose());

async function failures(
  model: TrainableModel,
  given: readonly Spans[] = rows,
  options: PreflightOptions = {},
  config = CONFIG,
): Promise<Map<string, CheckResult>> {
  const report = await preflight(model, given, config, { tokens, ...options });
  const failed = report.checks.filter(({ status }) => status === "fail");
  assert.equal(report.passed, failed.length === 0);
  for (const { cure, detail } of failed) assert.ok(cure !== undefined && detail !== undefined);
  return new Map(failed.map((result) => [result.check, result]));
}
const names = (failed: ReadonlyMap<string, CheckResult>): string[] => [...failed.keys()];

/** A decoder whose hidden states are changed by what it should not see. */
function broken(
  change: (hidden: TensorFlow.Tensor3D, input: ModelInput) => TensorFlow.Tensor,
): TrainableModel {
  return {
    config: decoder.config,
    parameters: decoder.parameters,
    hiddenStates: (input) => change(decoder.hiddenStates(input), input) as TensorFlow.Tensor3D,
    logits: (hidden) => decoder.logits(hidden),
  };
}

for (const batch of [CONFIG.batch, { kind: "bucketed", rowsPerStep: 8 } as const]) {
  for (const compile of [true, false]) {
    test(`${batch.kind}, ${compile ? "compiled" : "eager"}: a sound run passes, and the model stays as it was`, async () => {
      const before = [...decoder.parameters.values()].map((variable) => [...variable.dataSync()]);
      const { passed, checks } = await preflight(decoder, rows, { ...CONFIG, batch }, { tokens, compile });
      assert.ok(passed, JSON.stringify(checks, undefined, 1));
      assert.deepEqual(
        checks.map(({ check, status }) => `${check}: ${status}`),
        [
          "mask",
          "EOS",
          "BOS",
          "micro-batch size",
          "padding after",
          "padding before",
          "packing",
          "accumulation",
          "resume",
        ].map((check) => `${check}: pass`),
      );
      for (const { check, measured = NaN, limit = NaN } of checks) assert.ok(measured <= limit, check);
      assert.deepEqual(
        [...decoder.parameters.values()].map((variable) => [...variable.dataSync()]),
        before,
      );
    });
  }
}

test("what a run adds to its loss is part of its own step", async () => {
  const smoothed: TrainConfig = { ...CONFIG, loss: { labelSmoothing: 0.1, zLoss: 1e-3 } };
  assert.deepEqual(names(await failures(decoder, rows, { compile: false }, smoothed)), []);
});

test("an adapter with dropout: its own step draws for each pass, everything else is checked", async () => {
  const adapter = LoraAdapter.create(decoder.config, {
    ...{ rank: 2, alpha: 4, dropout: 0.2, targets: ["attention.queryKeyValue"], seed: 1 },
  });
  const adapted = decoder.withAdapter(adapter);
  const { passed, checks } = await preflight(adapted, rows, CONFIG, { tokens });
  assert.ok(passed, JSON.stringify(checks, undefined, 1));
  assert.deepEqual(
    checks.filter(({ status }) => status === "not applicable").map(({ check }) => check),
    ["accumulation"],
  );
  adapted.dispose();
});

test("controls: a model that mixes rows of a batch, sees padding, or sees across packed rows", async () => {
  const mixing = broken((hidden) => tf.add(hidden, tf.mean(hidden, 0, true)));
  assert.ok((await failures(mixing, rows, { compile: false })).has("micro-batch size"));
  const seeingLater = broken((hidden) => tf.add(hidden, tf.mean(hidden, 1, true)));
  assert.ok((await failures(seeingLater, rows, { compile: false })).has("padding after"));
  const withoutSegments: TrainableModel = {
    ...broken((hidden) => hidden),
    hiddenStates: ({ ids, positions }) => decoder.hiddenStates({ ids, ...(positions && { positions }) }),
  };
  const blind = names(await failures(withoutSegments, rows, { compile: false }));
  assert.ok(blind.includes("packing") && blind.includes("padding before"), blind.join());
  assert.ok(!blind.includes("padding after") && !blind.includes("micro-batch size"), blind.join());
  const withoutPositions: TrainableModel = {
    ...withoutSegments,
    hiddenStates: ({ ids, segments }) => decoder.hiddenStates({ ids, ...(segments && { segments }) }),
  };
  assert.ok((await failures(withoutPositions, rows, { compile: false })).has("packing"));
  // A family without padding before a row says so.
  const { checks } = await preflight(decoder, rows, CONFIG, { tokens, leftPadding: false });
  assert.match(checks.find(({ check }) => check === "padding before")?.detail ?? "", /takes no padding/);
});

test("controls: a packer that loses a row, an accumulation of means, a resume that forgets the optimizer", async () => {
  const losing = await failures(decoder, rows, {
    parts: {
      pack: (...given) => packBestFit(...given).map((pack, index) => (index === 0 ? pack.slice(1) : pack)),
    },
  });
  assert.deepEqual(names(losing), ["packing"]);
  assert.match(losing.get("packing")?.detail ?? "", /loss \d\.\de-\d, gradient/);

  const meanOfMeans = await failures(decoder, rows, {
    compile: false,
    parts: {
      createStep: (...given) => {
        const step = createStep(...given);
        return Object.assign(Object.create(step) as typeof step, {
          measure: (batches: Parameters<typeof step.measure>[0]) => {
            const measures = batches.map((batch) => lossGradient(nextToken(decoder), [batch]));
            const loss = measures.reduce((sum, measure) => sum + measure.loss, 0) / measures.length;
            return { loss, gradientNorm: step.measure(batches).gradientNorm };
          },
          discard: () => step.discard(),
          synchronise: () => step.synchronise(),
          dispose: () => step.dispose(),
        });
      },
    },
  });
  assert.deepEqual(names(meanOfMeans), ["accumulation"]);

  const forgetful = await failures(decoder, rows, {
    parts: {
      train: (objective, given, config, options = {}) => {
        if (options.resume === true) rmSync(config.checkpoint?.directory ?? "", { recursive: true });
        return trainObjective(objective, given, config, {
          ...options,
          ...(options.resume === true
            ? { onStep: ({ step }) => options.onStep?.({ step: step + 2 } as never) }
            : {}),
        });
      },
    },
  });
  assert.deepEqual(names(forgetful), ["resume"]);
});

test("controls: rows without a supervised end, with a second or no BOS, or with nothing supervised", async () => {
  const [first, second, third] = rows;
  assert.ok(first && second && third);
  const others = rows.slice(3);
  const unsupervised = { ...first, supervised: first.supervised.with(-1, false) };
  const noEnd = { ...second, ids: second.ids.with(-1, 5) };
  const ends = await failures(decoder, [unsupervised, noEnd, ...others]);
  assert.deepEqual(names(ends), ["EOS"]);
  assert.equal(ends.get("EOS")?.measured, 2);
  assert.match(ends.get("EOS")?.detail ?? "", /2 of 19 rows: "row0", "row1"/);
  const starts = await failures(decoder, [
    { ...first, ids: first.ids.with(1, BOS) },
    { ...second, ids: second.ids.with(0, 5) },
    ...others,
  ]);
  assert.deepEqual(names(starts), ["BOS"]);
  const masked = await failures(decoder, [
    { ...third, supervised: third.supervised.map(() => false) },
    ...others,
  ]);
  assert.deepEqual(names(masked), ["mask", "EOS"]);

  // One token for both, as GPT-2 has it: the one that ends the row is no second BOS.
  const shared = rows.map((row) => ({ ...row, ids: row.ids.with(-1, BOS) }));
  const both = { tokens: { bos: BOS, ends: [BOS] } };
  assert.deepEqual(names(await failures(decoder, shared, both)), []);
  const { checks } = await preflight(decoder, rows, CONFIG, { tokens: { ends: [EOS] } });
  assert.match(checks.find(({ check }) => check === "BOS")?.detail ?? "", /no BOS/);
});
