import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { embeddingLookup, softmaxCrossEntropySum } from "../../src/engine/ops/index.js";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { Random } from "../../src/support/random.js";
import { type BatchArrays, checkBatching, layOut } from "../../src/train/batch.js";
import type { TrainConfig } from "../../src/train/config.js";
import { meanLoss } from "../../src/train/loss.js";
import type { BatchTensors, Objective } from "../../src/train/objective.js";
import type { TrainingRow } from "../../src/train/rows.js";
import { fillUp } from "../../src/train/step/batch-shapes.js";
import { CompiledStep } from "../../src/train/step/compiled-step.js";
import { EagerStep } from "../../src/train/step/eager-step.js";
import type { StepMeasure } from "../../src/train/step/training-step.js";
import { trainObjective } from "../../src/train/train.js";

const VOCABULARY = 9;
const WIDTH = 4;
const OPTIMIZER = {
  learningRate: 0.05,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 1,
} as const;
const CONFIG: TrainConfig = {
  budget: { unit: "steps", amount: 12 },
  batch: { kind: "bucketed", rowsPerStep: 5 },
  microBatchRows: 2,
  optimizer: OPTIMIZER,
  schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
  seed: 3,
};

before(async () => {
  await startEngine({ backend: "tensorflow" });
});

/**
 * A made-up family that uses every optional array: it reads an encoder row and a decoder row, predicts tokens from
 * the decoder's and a label from the first token of the encoder's, and is drawn anew in each epoch.
 */
class PairObjective implements Objective {
  readonly name = "pairs";
  readonly needs = {
    targetClasses: VOCABULARY,
    padding: true,
    tokenTypes: 2,
    rowTargets: 3,
    decoder: true,
  } as const;
  readonly model = {
    config: { vocabularySize: VOCABULARY, contextLength: 32 },
    parameters: new Map(
      Object.entries({ encoder: VOCABULARY, decoder: VOCABULARY, type: 2, head: VOCABULARY, label: 3 }).map(
        ([name, rows], index) => {
          const values = Float32Array.from({ length: rows * WIDTH }, (_, at) =>
            Math.sin(at * 0.7 + index + 1),
          );
          return [name, tf.tidy(() => tf.variable(tf.tensor2d(values, [rows, WIDTH])))];
        },
      ),
    ),
  };
  readonly redraw = (row: TrainingRow, random: Random): TrainingRow => ({
    ...row,
    inputs: row.inputs.map((id) => (random.next() < 0.3 ? 0 : id)),
  });

  lossSums(batch: BatchTensors): TensorFlow.Scalar[] {
    const { ids, segments, tokenTypes, decoderIds, targetPositions, targets, rowStarts, rowTargets } = batch;
    if (!segments || !tokenTypes || !decoderIds || !rowStarts || !rowTargets)
      throw new Error("an array is missing");
    const flat = (x: TensorFlow.Tensor): TensorFlow.Tensor => tf.reshape(x, [x.size]);
    const read = (name: string, places: TensorFlow.Tensor): TensorFlow.Tensor2D =>
      embeddingLookup(this.#table(name), flat(places)) as TensorFlow.Tensor2D;
    const [rows, time] = ids.shape;
    const embedded = tf.add(read("encoder", ids), read("type", tokenTypes));
    const seen = tf.reshape(tf.cast(tf.greater(segments, 0), "float32"), [rows, 1, time]);
    const summed = tf.matMul(seen, tf.reshape(embedded, [rows, time, WIDTH]));
    const [, decoderTime] = decoderIds.shape;
    const decoded = tf.add(
      tf.reshape(read("decoder", decoderIds), [rows, decoderTime, WIDTH]),
      tf.mul(summed, 0.1),
    );
    const logits = (x: TensorFlow.Tensor, places: TensorFlow.Tensor, head: string): TensorFlow.Tensor2D =>
      tf.matMul(
        embeddingLookup(tf.reshape(x, [x.size / WIDTH, WIDTH]), places),
        this.#table(head),
        false,
        true,
      );
    return [
      softmaxCrossEntropySum(logits(decoded, targetPositions, "head"), targets),
      softmaxCrossEntropySum(logits(embedded, rowStarts, "label"), rowTargets),
    ];
  }

  #table(name: string): TensorFlow.Tensor2D {
    const table = this.model.parameters.get(name);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  }

  dispose(): void {
    tf.dispose([...this.model.parameters.values()]);
  }
}

const random = Random.derive(1, "pair rows");
const draw = (length: number, limit: number): Int32Array =>
  Int32Array.from({ length }, () => random.integer(limit));
const ROWS: readonly TrainingRow[] = Array.from({ length: 13 }, (_, row) => {
  const inputs = draw(2 + random.integer(9), VOCABULARY);
  const decoderInputs = draw(1 + random.integer(7), VOCABULARY);
  const targets = draw(decoderInputs.length, VOCABULARY);
  return {
    ...{ id: `row${row}`, inputs, decoderInputs, targets, tokens: inputs.length + decoderInputs.length },
    tokenTypes: inputs.map((_id, at) => (at > 2 ? 1 : 0)),
    targetOffsets: targets.map((_id, at) => at),
    rowTarget: row % 3,
  };
});
const batchOf = (objective: Objective, ...indexes: number[]): BatchArrays =>
  layOut(
    ROWS,
    indexes.map((index) => [index]),
    "bucketed",
    objective.needs,
  );

test("each term is divided by its own number in the whole step; control: a mean of the batches' means", () => {
  const objective = new PairObjective();
  const steps = [
    new EagerStep(objective, { optimizer: OPTIMIZER }),
    new CompiledStep(
      objective,
      { optimizer: OPTIMIZER },
      {
        ...{ longestRow: 10, longestDecoderRow: 8, packed: false, timeUnit: 1, fuse: false },
      },
    ),
  ];
  const cut = [batchOf(objective, 0), batchOf(objective, 1, 2, 3), batchOf(objective, 4, 5)];
  for (const step of steps) {
    const measure = (batches: readonly BatchArrays[]): StepMeasure => {
      const measured = step.measure(batches);
      step.discard();
      return measured;
    };
    const whole = measure([batchOf(objective, 0, 1, 2, 3, 4, 5)]);
    const parts = measure(cut);
    assert.ok(Math.abs(parts.loss / whole.loss - 1) < 1e-6, `${parts.loss}, ${whole.loss}`);
    assert.ok(Math.abs(parts.gradientNorm / whole.gradientNorm - 1) < 1e-5);
    const means = cut.map((arrays) => measure([arrays]).loss);
    const meanOfMeans = means.reduce((sum, loss) => sum + loss, 0) / means.length;
    assert.ok(Math.abs(meanOfMeans / whole.loss - 1) > 1e-3);
    step.dispose();
  }
  assert.ok(Math.abs(meanLoss(objective, cut) - meanLoss(objective, cut.toReversed())) < 1e-6);
  objective.dispose();
});

test("rows that are filled up, also the decoder's, change nothing; control: types at the wrong places", () => {
  const objective = new PairObjective();
  const arrays = batchOf(objective, 0, 1, 2, 3);
  const filled = fillUp(arrays, { timeUnit: 8, longestRow: 24, longestDecoderRow: 24 });
  assert.equal(filled.time % 8, 0);
  assert.equal((filled.decoderTime ?? NaN) % 8, 0);
  assert.notEqual(filled.time, arrays.time);
  const loss = meanLoss(objective, [arrays]);
  assert.ok(Math.abs(meanLoss(objective, [filled]) / loss - 1) < 1e-6);
  const { tokenTypes = new Int32Array() } = filled;
  const wrong = { ...filled, tokenTypes: tokenTypes.toReversed() };
  assert.ok(Math.abs(meanLoss(objective, [wrong]) / loss - 1) > 1e-4);
  objective.dispose();
});

test("the compiled run is the eager one, with rows drawn anew in each epoch, and a resumed one has its bits", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ift-kit-objective-"));
  const run = async (
    options: { compile?: boolean; resume?: boolean; signal?: AbortSignal; stopAt?: number },
    config = CONFIG,
  ): Promise<{ readonly losses: number[]; readonly values: number[][] }> => {
    const objective = new PairObjective();
    const controller = new AbortController();
    const { history } = await trainObjective(objective, ROWS, config, {
      ...options,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === options.stopAt) controller.abort();
      },
    });
    const values = [...objective.model.parameters.values()].map((variable) => [...variable.dataSync()]);
    objective.dispose();
    return { losses: history.map(({ loss }) => loss), values };
  };
  const eager = await run({ compile: false });
  const compiled = await run({});
  assert.equal(eager.losses.length, 12);
  eager.losses.forEach((loss, step) => {
    assert.ok(Math.abs((compiled.losses[step] ?? NaN) / loss - 1) < 1e-5, `step ${step + 1}`);
  });
  const other = await run({}, { ...CONFIG, seed: 4 });
  assert.ok(Math.abs((other.losses[0] ?? NaN) / (eager.losses[0] ?? NaN) - 1) > 1e-4);
  const saved = { ...CONFIG, checkpoint: { directory, everySteps: 100 } };
  await run({ stopAt: 5 }, saved);
  assert.deepEqual((await run({ resume: true }, saved)).values, compiled.values);
  rmSync(directory, { recursive: true });
});

test("rows of an encoder-decoder are not packed", () => {
  const packed = { kind: "packed", tokensPerRow: 32, rowsPerStep: 4 } as const;
  assert.throws(() => {
    checkBatching(ROWS, packed, 32, { decoder: true });
  }, /encoder-decoder cannot be packed/);
});
