import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { generate } from "../../src/evaluate/generate.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import { CompiledDecoder } from "../../src/model/compiled/compiled-decoder.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import type { TrainConfig } from "../../src/train/config.js";
import type { EvaluationMoment, Scores } from "../../src/train/evaluation.js";
import { MetricsFile } from "../../src/train/track/metrics-file.js";
import { scalarsOf } from "../../src/train/track/scalars.js";
import { train, type TrainOptions, type TrainResult } from "../../src/train/train.js";
import { LLAMA_PARTS, TINY_GPT2, spansOf, waveRows } from "./stand-in.js";

const LLAMA: DecoderConfig = {
  ...TINY_GPT2,
  heads: 4,
  keyValueHeads: 2,
  ...LLAMA_PARTS,
};
const CONFIG = {
  budget: { unit: "steps", amount: 12 },
  batch: { kind: "bucketed", rowsPerStep: 6 },
  optimizer: { learningRate: 0.005, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
  seed: 1,
} as const satisfies TrainConfig;
const AVERAGED: TrainConfig = { ...CONFIG, weightAverage: { decay: 0.8, use: "average" } };
const STOPPING: TrainConfig = {
  ...CONFIG,
  optimizer: { ...CONFIG.optimizer, learningRate: 0.2 },
  spike: "off",
  validation: {
    everySteps: 2,
    earlyStopping: { on: "all-tokens", patience: 2, minimumImprovement: 0 },
  },
};

const PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [2, 2]];
const PAIRS = PROMPTS.flatMap((prompt) => [
  { prompt, target: [3, 1, 2] },
  { prompt, target: [7] },
]);

/** Rows unlike those that are trained on. */
const VALIDATION = Array.from({ length: 6 }, (_, row) =>
  spansOf(
    `held out ${row}`,
    Array.from({ length: 9 }, (_, place) => (row + place * place) % 16),
    4,
  ),
);

const root = mkdtempSync(join(tmpdir(), "ift-kit-evaluation-"));
before(async () => {
  await startEngine({ backend: "tensorflow", threads: 1 });
});
after(() => rmSync(root, { recursive: true, force: true }));

/** Scores and answers as they are. */
interface Asked {
  readonly moment: EvaluationMoment;
  readonly inSession: boolean;
  readonly logprobs: readonly number[];
  readonly answers: readonly (readonly number[])[];
}

async function ask(model: Decoder, compile?: boolean): Promise<Pick<Asked, "logprobs" | "answers">> {
  const choice = compile === undefined ? {} : { compile };
  const scores = await scoreTargets(model, PAIRS, { batchTokens: 30, ...choice });
  const answers = await generate(model, PROMPTS, { maxNewTokens: 12, eos: 99, batchSize: 3, ...choice });
  return {
    logprobs: scores.flatMap(({ tokenLogprobs }) => tokenLogprobs),
    answers: answers.map(({ ids }) => ids),
  };
}

function gap(some: readonly number[], others: readonly number[]): number {
  assert.equal(some.length, others.length);
  return Math.max(...some.map((value, index) => Math.abs(value - (others[index] ?? NaN))));
}

interface Outcome {
  readonly result: TrainResult;
  readonly values: readonly number[];
  readonly asked: readonly Asked[];
}

/** Trains; every moment is asked in the training's session and by single kernels, which must agree. */
async function run(
  make: () => Decoder,
  config: TrainConfig,
  evaluation: { readonly everySteps?: number } | undefined,
  options: TrainOptions = {},
): Promise<Outcome> {
  const model = make();
  const asked: Asked[] = [];
  const evaluate = async (moment: EvaluationMoment): Promise<Scores> => {
    const inSession = CompiledDecoder.isAtHand(model);
    const found = await ask(model);
    const eager = await ask(model, false);
    assert.ok(gap(found.logprobs, eager.logprobs) < 1e-5, `step ${moment.step}`);
    assert.deepEqual(found.answers, eager.answers);
    asked.push({ moment, inSession, ...found });
    return { "mean log-probability": found.logprobs.reduce((sum, value) => sum + value, 0) };
  };
  const result = await train(model, waveRows(60, 16), config, {
    ...options,
    ...(evaluation === undefined ? {} : { evaluation: { ...evaluation, evaluate } }),
    ...(config.validation === undefined ? {} : { validation: VALIDATION }),
  });
  assert.equal(CompiledDecoder.isAtHand(model), false, "the session of the training is closed");
  const values = [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
  // What the model ends with is what was asked last.
  const afterwards = await ask(model, false);
  const last = asked.at(-1);
  if (last?.moment.isFinal === true) {
    assert.ok(gap(last.logprobs, afterwards.logprobs) < 1e-5);
    assert.deepEqual(last.answers, afterwards.answers);
  }
  model.dispose();
  return { result, values, asked };
}

const losses = ({ result }: Outcome): number[] => result.history.map(({ loss }) => loss);
const gpt2 = (): Decoder => Decoder.create(TINY_GPT2, 1);
const models: Readonly<Record<string, () => Decoder>> = {
  GPT2: gpt2,
  LLAMA: () => Decoder.create(LLAMA, 1),
  "LLAMA with an adapter": () => {
    const base = Decoder.create(LLAMA, 1);
    const settings = { rank: 2, alpha: 4, dropout: 0.2, targets: ["*.queryKeyValue"], seed: 1 };
    const adapted = base.withAdapter(LoraAdapter.create(base.config, settings));
    adapted.whenDisposed(() => setImmediate(() => base.dispose()));
    return adapted;
  },
};

for (const [name, make] of Object.entries(models)) {
  for (const [kind, config] of Object.entries({ plain: CONFIG, "average of the weights": AVERAGED })) {
    test(`${name}, ${kind}: answers and scores in the session are the eager ones, and the training has the same bits`, async () => {
      const silent = await run(make, config, undefined);
      const asking = await run(make, config, { everySteps: 5 });
      assert.equal(asking.result.step, "compiled");
      assert.deepEqual(
        asking.asked.map(({ moment, inSession }) => [moment.step, moment.isFinal, inSession]),
        [
          [5, false, true],
          [10, false, true],
          [12, true, true],
        ],
      );
      assert.deepEqual(losses(asking), losses(silent));
      assert.deepEqual(asking.values, silent.values);
      // The control: other weights give other scores, so that stale ones would show.
      const [first, second] = asking.asked;
      assert.ok(gap(first?.logprobs ?? [], second?.logprobs ?? []) > 1e-3);
    });
  }
}

test("the eager step: the same moments, the same bits; the control, an evaluation that touches the weights, shows", async () => {
  const eager = { compile: false };
  const silent = await run(gpt2, CONFIG, undefined, eager);
  const asking = await run(gpt2, CONFIG, { everySteps: 5 }, eager);
  assert.deepEqual(
    asking.asked.map(({ inSession }) => inSession),
    [false, false, false],
  );
  assert.deepEqual(asking.values, silent.values);
  const model = gpt2();
  await train(model, waveRows(60, 16), CONFIG, {
    ...eager,
    evaluation: {
      everySteps: 5,
      evaluate: () => {
        for (const variable of model.parameters.values()) {
          tf.tidy(() => variable.assign(tf.mul(variable, 1.0001)));
        }
        return Promise.resolve({});
      },
    },
  });
  const values = [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
  model.dispose();
  assert.notDeepEqual(values, silent.values);
});

test("with the average in use, the average is asked and validated in the session, and training goes on from the latest", async () => {
  const validated: TrainConfig = { ...AVERAGED, validation: { everySteps: 3 } };
  const latest: TrainConfig = { ...validated, weightAverage: { decay: 0.8, use: "latest" } };
  const [average, other] = [
    await run(gpt2, validated, { everySteps: 5 }),
    await run(gpt2, latest, { everySteps: 5 }),
  ];
  assert.deepEqual(losses(average), losses(other));
  assert.ok(gap(average.asked[0]?.logprobs ?? [], other.asked[0]?.logprobs ?? []) > 1e-4);
  const eager = await run(gpt2, validated, undefined, { compile: false });
  const lossesOf = ({ result }: Outcome): number[] => result.validations.map(({ loss }) => loss);
  assert.ok(gap(lossesOf(average), lossesOf(eager)) < 1e-5 * (lossesOf(eager)[0] ?? NaN));
  assert.ok(gap(lossesOf(average), lossesOf(other)) > 1e-4);
});

test("with early stopping the weights of the best validation are asked at the end, in the session", async () => {
  const { result, asked } = await run(gpt2, STOPPING, { everySteps: 4 });
  const best = result.best?.step ?? assert.fail("no validation was the best");
  assert.ok(best < result.progress.step, `best after ${best} of ${result.progress.step} steps`);
  const last = asked.at(-1);
  assert.deepEqual(last?.moment, { step: result.progress.step, isFinal: true });
  assert.equal(last.inSession, true);
  // The point of the curve at that step is of other weights, those after it.
  const before = asked.at(-2);
  assert.equal(before?.moment.step, result.progress.step);
  assert.ok(gap(before.logprobs, last.logprobs) > 1e-3);
  assert.deepEqual(
    result.evaluations.map(({ step }) => step),
    asked.slice(0, -1).map(({ moment }) => moment.step),
  );
});

test("left out, everySteps asks once, at the end", async () => {
  const { asked, result } = await run(gpt2, CONFIG, {});
  assert.deepEqual(
    asked.map(({ moment }) => moment),
    [{ step: 12, isFinal: true }],
  );
  assert.deepEqual(result.evaluations, []);
});

test("a run that is stopped in an evaluation asks again when it goes on; log and curves are those of one go", async () => {
  const goes = async (folder: string, stopAt: number | undefined): Promise<Outcome> => {
    const config = { ...CONFIG, checkpoint: { directory: join(folder, "checkpoints"), everySteps: 4 } };
    const controller = new AbortController();
    const model = gpt2();
    const log = new MetricsFile(join(folder, "metrics.jsonl"));
    const result = await train(model, waveRows(60, 16), config, {
      signal: controller.signal,
      resume: true,
      trackers: [log],
      evaluation: {
        everySteps: 3,
        evaluate: async ({ step }) => {
          const { logprobs } = await ask(model);
          if (step === stopAt) {
            controller.abort();
            return undefined;
          }
          return { first: logprobs[0] ?? NaN };
        },
      },
    });
    const values = [...model.parameters.values()].flatMap((variable) => [...variable.dataSync()]);
    model.dispose();
    return { result, values, asked: [] };
  };
  const [one, two] = [join(root, "one"), join(root, "two")];
  const whole = await goes(one, undefined);
  for (const [stop, points] of [
    [6, 1],
    [9, 2],
    [12, 3],
  ] as const) {
    const part = await goes(two, stop);
    assert.equal(part.result.evaluations.length, points);
  }
  const resumed = await goes(two, undefined);
  assert.equal(whole.result.evaluations.length, 4);
  assert.deepEqual(resumed.result.evaluations, whole.result.evaluations);
  assert.deepEqual(resumed.values, whole.values);
  const evaluated = (folder: string): [number, Scores | undefined][] =>
    readFileSync(join(folder, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { step: number; evaluation?: Scores })
      .map(({ step, evaluation }) => [step, evaluation]);
  assert.deepEqual(evaluated(two), evaluated(one));
  assert.equal(evaluated(two).filter(([, scores]) => scores !== undefined).length, 4);
  const record = resumed.result.history.at(-1) ?? assert.fail("no history");
  assert.ok(scalarsOf(record).some(([name]) => name === "evaluation/first"));
});

test("training, asking and closing leave no tensor behind", async () => {
  const once = async (): Promise<void> => {
    await run(gpt2, AVERAGED, { everySteps: 5 });
  };
  await once();
  const { numTensors } = tf.memory();
  await once();
  assert.equal(tf.memory().numTensors, numTensors);
});
