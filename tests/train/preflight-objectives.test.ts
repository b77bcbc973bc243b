import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { Bert } from "../../src/model/bert/bert.js";
import { T5 } from "../../src/model/t5/t5.js";
import { Random } from "../../src/support/random.js";
import type { TrainConfig } from "../../src/train/config.js";
import type { Objective } from "../../src/train/objective.js";
import { classification, classifiedRow } from "../../src/train/objectives/classification.js";
import { maskedLanguage } from "../../src/train/objectives/masked-language.js";
import { encodeTexts, sentencePairRows } from "../../src/train/objectives/sentence-pairs.js";
import { sequenceRow, sequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.js";
import { spanCorruption } from "../../src/train/objectives/span-corruption.js";
import type { CheckResult } from "../../src/train/preflight/check.js";
import { preflightObjective } from "../../src/train/preflight/preflight.js";
import { checkEncoderRows, checkSequenceRows } from "../../src/train/preflight/rows.js";
import type { TrainingRow } from "../../src/train/rows.js";
import { T5_SMALL } from "../model/models.js";

const MARKS = { first: 1, separator: 2 };
const RULE = { vocabularySize: 30, mask: 3, special: new Set([0, 1, 2, 3]) };
const LABELS = ["even", "odd"];
const BERT = {
  ...{ vocabularySize: 30, width: 16, layers: 2, heads: 2, feedForwardWidth: 24, contextLength: 64 },
  ...{ tokenTypes: 2, activation: "gelu" as const, epsilon: 1e-12, dropout: 0 },
} as const;
const T5_CONFIG = { ...T5_SMALL, vocabularySize: 30, inputEnd: 1, contextLength: 32 };
const SEQUENCE = { ends: [1], decoderStart: 0, inputEnd: 1 };
const CONFIG: TrainConfig = {
  budget: { unit: "steps", amount: 6 },
  batch: { kind: "bucketed", rowsPerStep: 8 },
  microBatchRows: 3,
  optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
};

const random = Random.derive(1, "texts");
const words = (least: number, room: number): number[] =>
  Array.from({ length: least + random.integer(room) }, () => 4 + random.integer(20));
const DOCUMENTS = Array.from({ length: 12 }, () => Array.from({ length: 3 }, () => words(2, 6)));
const PAIRS = sentencePairRows(DOCUMENTS, MARKS, { maxTokens: 24, rule: RULE, seed: 1 });
const CLASSED = Array.from({ length: 16 }, (_, row) =>
  classifiedRow(`row ${row}`, encodeTexts(MARKS, words(1, 8), words(1, 5)), LABELS[row % 2] ?? "", LABELS),
);
const ANSWERS = Array.from({ length: 16 }, (_, row) =>
  sequenceRow(`row ${row}`, [...words(1, 9), 1], [...words(1, 4), 1], T5_CONFIG, row + 1),
);
const TEXTS = Array.from({ length: 16 }, (_, row) => ({ id: `text ${row}`, ids: words(9, 12) }));

before(() => startEngine({ threads: 1 }));

interface Family {
  readonly objective: Objective;
  readonly rows: readonly TrainingRow[];
  readonly rowChecks: (rows: readonly TrainingRow[]) => CheckResult[];
}
const encoderChecks = (rows: readonly TrainingRow[]): CheckResult[] => checkEncoderRows(rows, MARKS);
const sequenceChecks = (rows: readonly TrainingRow[]): CheckResult[] => checkSequenceRows(rows, SEQUENCE);
const bert = (head: Bert["config"]["head"]): Bert => Bert.create({ ...BERT, head }, 1);
const FAMILIES: Readonly<Record<string, () => Family>> = {
  "masked words and next sentences": () => ({
    objective: maskedLanguage(bert({ kind: "pre-training" }), RULE),
    ...{ rows: PAIRS, rowChecks: encoderChecks },
  }),
  classification: () => ({
    objective: classification(bert({ kind: "classification", labels: LABELS })),
    ...{ rows: CLASSED, rowChecks: encoderChecks },
  }),
  answers: () => ({
    objective: sequenceToSequence(T5.create(T5_CONFIG, 1)),
    ...{ rows: ANSWERS, rowChecks: sequenceChecks },
  }),
  "span corruption": () => {
    const corruption = { share: 0.15, meanSpan: 3, sentinels: [29, 28, 27], eos: 1 };
    const model = T5.create(T5_CONFIG, 1);
    return { ...spanCorruption(model, TEXTS, corruption, new Random(1)), rowChecks: sequenceChecks };
  },
};

async function statuses(
  family: Family,
  { rows = family.rows, objective = family.objective, compile = false } = {},
): Promise<Map<string, CheckResult["status"]>> {
  const { passed, checks } = await preflightObjective(objective, rows, CONFIG, {
    rowChecks: family.rowChecks(rows),
    compile,
  });
  assert.equal(
    passed,
    checks.every(({ status }) => status !== "fail"),
  );
  for (const { status, detail } of checks) {
    if (status !== "pass") assert.ok(detail !== undefined, "a check that does not pass says why");
  }
  return new Map(checks.map(({ check, status }) => [check, status]));
}
const failed = (found: ReadonlyMap<string, CheckResult["status"]>): string[] =>
  [...found].filter(([, status]) => status === "fail").map(([check]) => check);

for (const [name, make] of Object.entries(FAMILIES)) {
  describe(name, () => {
    for (const compile of [false, true]) {
      test(`a sound run passes, ${compile ? "compiled" : "eager"}`, async () => {
        const family = make();
        const found = await statuses(family, { compile });
        assert.deepEqual(failed(found), []);
        const skipped = [...found]
          .filter(([, status]) => status === "not applicable")
          .map(([check]) => check);
        assert.deepEqual(skipped, family.objective.needs.decoder === true ? ["packing"] : []);
        assert.equal(found.has("redraw"), family.objective.redraw !== undefined);
      });
    }

    test("controls: a model that sees padding, and one that mixes the rows of a batch", async () => {
      const family = make();
      const { objective } = family;
      const blind: Objective = {
        ...objective,
        lossSums: ({ segments, ...batch }, options) =>
          objective.lossSums({ ...batch, ...(segments && { segments: tf.onesLike(segments) }) }, options),
      };
      const seen = failed(await statuses(family, { objective: blind }));
      assert.ok(seen.includes("padding after") && seen.includes("padding before"), seen.join());
      const mixing: Objective = {
        ...objective,
        lossSums: (batch, options) =>
          objective
            .lossSums(batch, options)
            .map((sum): TensorFlow.Scalar =>
              tf.mul(sum, tf.mean(tf.onesLike(batch.ids)).mul(batch.ids.shape[0])),
            ),
      };
      assert.ok(failed(await statuses(family, { objective: mixing })).includes("micro-batch size"));
    });
  });
}

test("controls: draws that depend on what was drawn before, and that change the length", async () => {
  const family = FAMILIES["masked words and next sentences"]?.();
  assert.ok(family !== undefined);
  const { objective } = family;
  const stateful = new Random(7);
  const redraws: readonly Objective["redraw"][] = [
    (row) => objective.redraw?.(row, stateful) ?? row,
    (row, own) => {
      const drawn = objective.redraw?.(row, own) ?? row;
      const { targets, targetOffsets } = drawn;
      return { ...drawn, targets: targets.slice(1), targetOffsets: targetOffsets.slice(1) };
    },
  ];
  for (const redraw of redraws) {
    const changed = { ...objective, ...(redraw && { redraw }) };
    assert.ok(failed(await statuses(family, { objective: changed })).includes("redraw"));
  }
});

test("controls: an encoder's rows without a mark, with one too many, or without a target", () => {
  const of = (change: (row: TrainingRow) => TrainingRow): string[] =>
    encoderChecks([...CLASSED.slice(1), ...CLASSED.slice(0, 1).map(change)])
      .filter(({ status }) => status === "fail")
      .map(({ check }) => check);
  assert.deepEqual(
    of((row) => row),
    [],
  );
  assert.deepEqual(
    of((row) => ({ ...row, inputs: row.inputs.with(0, 5) })),
    ["marks"],
  );
  assert.deepEqual(
    of((row) => ({ ...row, inputs: row.inputs.with(1, 1) })),
    ["marks"],
  );
  assert.deepEqual(
    of((row) => ({ ...row, inputs: row.inputs.with(-1, 5) })),
    ["marks"],
  );
  assert.deepEqual(
    of((row) => ({ ...row, targets: new Int32Array(), targetOffsets: new Int32Array() })),
    ["mask"],
  );
});

test("controls: an encoder-decoder's rows without an end, with two, or that start otherwise", () => {
  const of = (change: (row: TrainingRow) => TrainingRow): string[] =>
    sequenceChecks([...ANSWERS.slice(1), ...ANSWERS.slice(0, 1).map(change)])
      .filter(({ status }) => status === "fail")
      .map(({ check }) => check);
  assert.deepEqual(
    of((row) => row),
    [],
  );
  assert.deepEqual(
    of((row) => ({ ...row, targets: row.targets.with(-1, 5) })),
    ["EOS"],
  );
  assert.deepEqual(
    of((row) => ({ ...row, decoderInputs: row.decoderInputs?.with(0, 5) ?? new Int32Array() })),
    ["decoder start"],
  );
  assert.deepEqual(
    of((row) => ({ ...row, inputs: row.inputs.with(0, 1) })),
    ["input end"],
  );
});
