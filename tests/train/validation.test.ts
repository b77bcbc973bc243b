import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Spans } from "../../src/data/spans.js";
import { startEngine } from "../../src/engine/start.js";
import { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { layOut } from "../../src/train/batch.js";
import type { EarlyStopping, TrainConfig } from "../../src/train/config.js";
import { judgeValidations } from "../../src/train/early-stopping.js";
import { meanLoss } from "../../src/train/loss.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { prepareRows } from "../../src/train/rows.js";
import { train, type TrainOptions } from "../../src/train/train.js";
import type { LossMeasure, Validation } from "../../src/train/validation.js";
import { TINY_GPT2, untimed, waveRows } from "./stand-in.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-validation-"));
let folders = 0;
before(() => startEngine({ threads: 1 }));
after(() => rmSync(folder, { recursive: true }));

/** Rows 0 to 23 are trained on, 24 to 39 are of three task types and only measured. */
const rows = waveRows(40, 16);
const trained = rows.slice(0, 24);
const held: readonly Spans[] = rows.slice(24).map((row, index) => ({
  ...row,
  ids: row.ids.map((id) => (id + 1) % 16),
  taskType: ["a", "b", "b", "c"][index % 4] ?? "",
}));
const bytesOf = ({ supervised }: Spans): number => 3 * supervised.filter(Boolean).length;

const earlyStopping: EarlyStopping = { on: "all-tokens", patience: 2, minimumImprovement: 0 };
const CONFIG: TrainConfig = {
  budget: { unit: "supervised-tokens", amount: 3000 },
  batch: { kind: "bucketed", rowsPerStep: 8 },
  optimizer: { learningRate: 0.02, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
  schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
  seed: 1,
  validation: { everySteps: 5, earlyStopping },
};
const options: TrainOptions = { validation: held, bytesOf };
const values = (decoder: Decoder): number[][] =>
  [...decoder.parameters.values()].map((variable) => [...variable.dataSync()]);

/** Nats per token of some rows, each by itself. */
function lossOf(decoder: Decoder, some: readonly Spans[]): number {
  const prepared = prepareRows(some, decoder.config);
  return meanLoss(
    nextToken(decoder),
    prepared.map((_, index) => layOut(prepared, [[index]], "bucketed")),
  );
}
const close = (a: number | undefined, b: number): boolean => Math.abs((a ?? NaN) / b - 1) < 1e-5;

for (const batch of [CONFIG.batch, { kind: "packed", tokensPerRow: 24, rowsPerStep: 3 } as const]) {
  test(`${batch.kind}: losses on the validation rows by task type, in nats a token and bits a byte`, async () => {
    const decoder = Decoder.create(TINY_GPT2, 1);
    const config: TrainConfig = { ...CONFIG, batch, validation: { everySteps: 7 } };
    const { validations, history, best, progress } = await train(decoder, trained, config, options);
    assert.equal(best, undefined);
    const last = validations.at(-1);
    assert.ok(last !== undefined);
    assert.equal(last.step, progress.step, "one after the last step, whose weights the model has");
    assert.deepEqual(
      validations.slice(0, -1).map(({ step }) => step),
      validations.slice(0, -1).map((_, index) => 7 * (index + 1)),
    );
    const types = ["a", "b", "c"];
    assert.deepEqual(Object.keys(last.byTaskType), types);
    for (const type of types) {
      const ofType = held.filter(({ taskType }) => taskType === type);
      const { loss, rows: count, bitsPerByte }: LossMeasure = last.byTaskType[type] ?? assert.fail(type);
      assert.ok(close(loss, lossOf(decoder, ofType)), type);
      assert.equal(count, ofType.length);
      assert.ok(close(bitsPerByte, lossOf(decoder, ofType) / Math.LN2 / 3));
    }
    assert.ok(close(last.loss, lossOf(decoder, held)));
    const mean = types.reduce((sum, type) => sum + (last.byTaskType[type]?.loss ?? NaN), 0) / 3;
    assert.ok(close(last.taskTypeMean, mean));
    assert.ok(Math.abs(last.taskTypeMean / last.loss - 1) > 1e-3, "control: the two means differ here");
    for (const record of history) {
      assert.ok(close(record.bitsPerByte, record.loss / Math.LN2 / 3));
      assert.equal(
        record.validation,
        validations.find(({ step }) => step === record.step),
      );
    }
    decoder.dispose();
  });
}

test("early stopping ends the run, and the model has the weights of its best validation", async () => {
  const decoder = Decoder.create(TINY_GPT2, 1);
  const result = await train(decoder, trained, CONFIG, options);
  const { best, validations, stoppedEarly, status, progress } = result;
  assert.ok(stoppedEarly && status === "finished" && progress.supervisedTokens < 2500);
  assert.ok(best !== undefined);
  const [third, second, chosen] = [...validations].reverse();
  assert.ok(third && second && chosen);
  assert.equal(best, chosen);
  assert.ok(second.loss >= best.loss && third.loss >= best.loss, "no better for two validations");
  assert.ok(close(best.loss, lossOf(decoder, held)), "the best weights");
  assert.ok(!close(third.loss, lossOf(decoder, held)), "control: not the last ones");
  decoder.dispose();

  // Control: without early stopping the whole budget is used.
  const other = Decoder.create(TINY_GPT2, 1);
  const whole = await train(other, trained, { ...CONFIG, validation: { everySteps: 5 } }, options);
  assert.ok(!whole.stoppedEarly && whole.progress.step > progress.step);
  other.dispose();
});

test("a run resumed at any step, also twice, validates and ends as an unbroken one, bit for bit", async () => {
  const reference = Decoder.create(TINY_GPT2, 1);
  const whole = await train(reference, trained, CONFIG, options);
  const directory = join(folder, `run${folders++}`);
  const config: TrainConfig = { ...CONFIG, checkpoint: { directory, everySteps: 4 } };
  for (const until of [3, 10, whole.progress.step - 1, Infinity, Infinity]) {
    const decoder = Decoder.create(TINY_GPT2, 1);
    const controller = new AbortController();
    const result = await train(decoder, trained, config, {
      ...options,
      resume: until !== 3,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === until) controller.abort();
      },
    });
    if (until === Infinity) {
      assert.deepEqual(values(decoder), values(reference));
      assert.deepEqual(result.validations, whole.validations);
      assert.deepEqual(result.history.map(untimed), whole.history.map(untimed));
      assert.deepEqual(result.best, whole.best);
      assert.equal(result.stoppedEarly, true);
    } else assert.equal(result.status, "stopped");
    decoder.dispose();
  }
  const decoder = Decoder.create(TINY_GPT2, 1);
  await assert.rejects(
    train(decoder, trained, config, { ...options, resume: true, validation: held.slice(1) }),
    /run on other rows/,
  );
  for (const each of [reference, decoder]) each.dispose();
});

test("the verdict follows patience, improvement and the mean that is asked for", () => {
  const at = (loss: number, taskTypeMean = loss): Validation => ({
    ...{ step: 1, supervisedTokens: 1, rows: 1, byTaskType: {} },
    loss,
    taskTypeMean,
  });
  const judge = (losses: readonly Validation[], rule: Partial<EarlyStopping> = {}) =>
    judgeValidations(losses, { ...earlyStopping, ...rule });
  assert.deepEqual(judge([]), { best: undefined, exhausted: false });
  assert.equal(judge([at(3), at(2), at(2), at(2.5)]).exhausted, true);
  assert.equal(judge([at(3), at(2), at(2.5), at(1.9)]).exhausted, false);
  assert.equal(judge([at(3), at(2.9), at(2.8)], { minimumImprovement: 0.5 }).exhausted, true);
  assert.equal(judge([at(3), at(2.9), at(2.8)], { minimumImprovement: 0.5 }).best?.loss, 3);
  const disagreeing = [at(3, 1), at(2, 2)];
  assert.equal(judge(disagreeing).best?.loss, 2);
  assert.equal(judge(disagreeing, { on: "task-types" }).best?.loss, 3);
});

test("rows that are trained on, rows without a config and a config without rows are refused", async () => {
  const decoder = Decoder.create(TINY_GPT2, 1);
  const refused = async (config: TrainConfig, given: TrainOptions, words: RegExp): Promise<void> => {
    await assert.rejects(train(decoder, trained, config, given), (error) => {
      assert.ok(error instanceof KitError);
      assert.match(error.message, words);
      return true;
    });
  };
  const [first] = trained;
  assert.ok(first);
  await refused(
    CONFIG,
    { validation: [...held, { ...first, id: "again" }] },
    /row 17: the validation row "again" has the same tokens as the training row "row(0|16)"/,
  );
  await refused(CONFIG, {}, /field "validation": .*no validation rows are given/);
  await refused(
    Object.fromEntries(
      Object.entries(CONFIG).filter(([name]) => name !== "validation"),
    ) as unknown as TrainConfig,
    options,
    /validation rows, but the config has no validation/,
  );
  decoder.dispose();
});
