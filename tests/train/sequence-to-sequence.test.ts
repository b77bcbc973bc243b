import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { T5 } from "../../src/model/t5/t5.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { layOut } from "../../src/train/batch.js";
import type { TrainConfig } from "../../src/train/config.js";
import { batchTensors, type Objective } from "../../src/train/objective.js";
import { sequenceRow, sequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.js";
import { corruptedCounts, corruptSpans, spanCorruption } from "../../src/train/objectives/span-corruption.js";
import type { TrainingRow } from "../../src/train/rows.js";
import { trainObjective } from "../../src/train/train.js";

const SMALL: T5Config = {
  vocabularySize: 29,
  width: 8,
  encoderLayers: 2,
  decoderLayers: 2,
  heads: 2,
  headWidth: 3,
  feedForwardWidth: 12,
  activation: "geglu",
  positionBuckets: 8,
  farthestPosition: 12,
  epsilon: 1e-6,
  tiedHead: false,
  scaledHead: false,
  contextLength: 32,
  dropout: 0,
  decoderStart: 0,
  inputEnd: 1,
};
const CONFIG = {
  budget: { unit: "steps", amount: 50 },
  batch: { kind: "bucketed", rowsPerStep: 6 },
  microBatchRows: 4,
  optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
} as const satisfies TrainConfig;
const CORRUPTION = { share: 0.15, meanSpan: 3, sentinels: [28, 27, 26, 25], eos: 1 };

/** Texts of 9 to 24 tokens that repeat a pattern. */
const TEXTS = Array.from({ length: 30 }, (_, row) => ({
  id: `text ${row}`,
  ids: Array.from({ length: 9 + (row % 16) }, (_, place) => 2 + ((3 * row + place * (1 + (row % 4))) % 22)),
}));

/** The answer is the last token of the input, then the first. */
function rows(): TrainingRow[] {
  return TEXTS.map(({ id, ids }, index) =>
    sequenceRow(id, [...ids, 1], [ids.at(-1) ?? 0, ids[0] ?? 0, 1].slice(index % 2), SMALL, index + 1),
  );
}

async function losses(
  objective: Objective,
  data: readonly TrainingRow[],
  compile: boolean,
): Promise<number[]> {
  const result = await trainObjective(objective, data, CONFIG, { compile });
  assert.equal(result.step, compile ? "compiled" : "eager");
  return result.history.map(({ loss }) => loss);
}

before(() => startEngine({ backend: "tensorflow" }));

describe("training an encoder-decoder", () => {
  const kinds: Readonly<
    Record<string, (model: T5) => { objective: Objective; rows: readonly TrainingRow[] }>
  > = {
    answers: (model) => ({ objective: sequenceToSequence(model), rows: rows() }),
    "span corruption": (model) => spanCorruption(model, TEXTS, CORRUPTION, new Random(3)),
  };
  for (const [name, make] of Object.entries(kinds)) {
    for (const [version, dropout] of [
      ["1.0", 0],
      ["1.1", 0],
      ["1.1", 0.1],
    ] as const) {
      it(`${name}, ${version}, dropout ${dropout}: the compiled step gives the losses of the eager one, and they fall`, async () => {
        const config: T5Config = {
          ...(version === "1.1" ? SMALL : { ...SMALL, activation: "relu", tiedHead: true, scaledHead: true }),
          dropout,
        };
        const run = async (compile: boolean): Promise<number[]> => {
          const model = T5.create(config, 5);
          const { objective, rows: data } = make(model);
          const found = await losses(objective, data, compile);
          model.dispose();
          return found;
        };
        const [eager, compiled] = [await run(false), await run(true)];
        assert.equal(eager.length, 50);
        eager.forEach((loss, step) => {
          const other = compiled[step] ?? NaN;
          assert.ok(Math.abs(other / loss - 1) < 1e-5, `step ${step}: ${loss} and ${other}`);
        });
        const mean = (part: readonly number[]): number =>
          part.reduce((sum, loss) => sum + loss, 0) / part.length;
        assert.ok(mean(eager.slice(-5)) < 0.9 * mean(eager.slice(0, 5)), eager.join(" "));
      });
    }
  }

  it("with dropout: gradients are those of finite differences; another seed and no seed give other losses", () => {
    const model = T5.create({ ...SMALL, dropout: 0.3 }, 5);
    const objective = sequenceToSequence(model);
    const arrays = layOut(rows(), [[0], [1], [2]], "bucketed", objective.needs);
    const lossOf = (seed?: readonly [number, number]): TensorFlow.Scalar => {
      const dropoutSeed = seed === undefined ? {} : { dropoutSeed: tf.tensor1d([...seed], "int32") };
      const [loss] = objective.lossSums({ ...batchTensors(arrays), ...dropoutSeed });
      assert.ok(loss !== undefined);
      return loss;
    };
    const inTraining = (...seed: [number, number]): number =>
      tf.variableGrads(() => lossOf(seed)).value.dataSync()[0] ?? NaN;
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => lossOf([7, 1]));
      assert.equal(value.dataSync()[0], inTraining(7, 1));
      assert.notEqual(value.dataSync()[0], inTraining(7, 2));
      assert.notEqual(value.dataSync()[0], lossOf().dataSync()[0]);
      for (const name of Object.keys(grads)) {
        const gradient = grads[name];
        const variable = [...model.parameters.values()].find((one) => one.name === name);
        assert.ok(gradient !== undefined && variable !== undefined);
        const [values, slopes] = [variable.dataSync<"float32">().slice(), gradient.dataSync<"float32">()];
        const place = slopes.reduce(
          (best, slope, at) => (Math.abs(slope) > Math.abs(slopes[best] ?? 0) ? at : best),
          0,
        );
        const at = (step: number): number => {
          const moved = values.map((one, index) => (index === place ? one + step : one));
          variable.assign(tf.tensor(moved, variable.shape));
          return inTraining(7, 1);
        };
        const slope = (at(0.01) - at(-0.01)) / 0.02;
        variable.assign(tf.tensor(values, variable.shape));
        const expected = slopes[place] ?? NaN;
        assert.ok(
          Math.abs(slope - expected) < 0.02 * Math.abs(expected) + 0.02,
          `${name}: ${slope}, ${expected}`,
        );
      }
    });
    model.dispose();
  });

  it("the loss does not depend on how rows are padded together", async () => {
    const once = async (microBatchRows: number): Promise<number> => {
      const model = T5.create(SMALL, 5);
      const config = { ...CONFIG, budget: { unit: "steps", amount: 1 } as const, microBatchRows };
      const { history } = await trainObjective(sequenceToSequence(model), rows(), config, { compile: false });
      model.dispose();
      return history[0]?.loss ?? NaN;
    };
    const alone = await once(1);
    const together = await once(6);
    assert.ok(Math.abs(together / alone - 1) < 1e-6, `${together} and ${alone}`);
  });

  it("packing, and a row without an answer, are refused", async () => {
    const model = T5.create(SMALL, 5);
    const packed = { ...CONFIG, batch: { kind: "packed", tokensPerRow: 30, rowsPerStep: 2 } as const };
    await assert.rejects(trainObjective(sequenceToSequence(model), rows(), packed), /cannot be packed/);
    assert.throws(() => sequenceRow("a", [1], [], SMALL, 4), KitError);
    assert.throws(() => sequenceRow("a", [29], [1], SMALL, 4), /no token 29/);
    model.dispose();
  });
});

describe("span corruption", () => {
  it("read and said together are the text, with the counts of the paper's code", () => {
    for (const length of [2, 3, 10, 20, 57, 200]) {
      const ids = Array.from({ length }, (_, index) => 100 + index);
      const sentinels = Array.from({ length: 40 }, (_, index) => index + 2);
      const corruption = { share: 0.15, meanSpan: 3, sentinels, eos: 1 };
      const { left, spans } = corruptedCounts(length, corruption);
      for (let seed = 0; seed < 20; seed++) {
        const { read, said } = corruptSpans(ids, corruption, new Random(seed));
        assert.equal(read.length, length - left + spans + 1);
        assert.equal(said.length, left + spans + 1);
        assert.equal(read[0], 100, "the text begins with a token that is kept");
        const pieces = new Map<number, number[]>();
        for (const id of said.slice(0, -1)) {
          if (id < 100) pieces.set(id, []);
          else [...pieces.values()].at(-1)?.push(id);
        }
        assert.deepEqual([...pieces.keys()], sentinels.slice(0, spans), "sentinels in their order");
        assert.deepEqual(
          read.slice(0, -1).flatMap((id) => pieces.get(id) ?? [id]),
          ids,
        );
      }
    }
    assert.deepEqual(corruptedCounts(30, { share: 0.15, meanSpan: 3 }), { left: 4, spans: 1 }, "as tf.round");
    assert.deepEqual(corruptedCounts(512, { share: 0.15, meanSpan: 3 }), { left: 77, spans: 26 });
  });

  it("each epoch has other spans, the same ones for the same seed, and rows of the same lengths", () => {
    const model = T5.create(SMALL, 5);
    const { objective, rows: data } = spanCorruption(
      model,
      TEXTS,
      { ...CORRUPTION, share: 0.3 },
      new Random(3),
    );
    const [row] = data.slice(15);
    assert.ok(row !== undefined && objective.redraw !== undefined, "rows are drawn anew");
    const drawn = [1, 1, 2, 3].map((seed) => objective.redraw?.(row, new Random(seed)) ?? row);
    assert.deepEqual(drawn[0], drawn[1]);
    assert.ok(new Set(drawn.map(({ targets }) => targets.join())).size > 1, "other spans");
    for (const { inputs, targets } of drawn) {
      assert.deepEqual([inputs.length, targets.length], [row.inputs.length, row.targets.length]);
    }
    model.dispose();
  });

  it("settings and texts that cannot work are refused", () => {
    const model = T5.create(SMALL, 5);
    const refuses = (change: object, message: RegExp, texts = TEXTS): void => {
      assert.throws(
        () => spanCorruption(model, texts, { ...CORRUPTION, ...change }, new Random(1)),
        (error) => error instanceof KitError && message.test(error.message),
      );
    };
    refuses({ share: 1 }, /share of 1/);
    refuses({ meanSpan: 0.5 }, /0\.5 tokens/);
    refuses({ sentinels: [29] }, /sentinels/);
    refuses({ sentinels: [5, 5] }, /comes twice/);
    refuses({ share: 0.5, meanSpan: 1, sentinels: [28] }, /spans, and there are 1 sentinels/);
    refuses({}, /a text of 1 tokens/, [{ id: "a", ids: [3] }]);
    model.dispose();
  });
});
