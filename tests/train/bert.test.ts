import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { Bert } from "../../src/model/bert/bert.js";
import type { BertConfig } from "../../src/model/bert/config.js";
import { Random } from "../../src/support/random.js";
import type { TrainConfig } from "../../src/train/config.js";
import { classification, classifiedRow } from "../../src/train/objectives/classification.js";
import { maskedLanguage } from "../../src/train/objectives/masked-language.js";
import { type MaskingRule, maskRow } from "../../src/train/objectives/masking.js";
import { encodeTexts, sentencePairRows } from "../../src/train/objectives/sentence-pairs.js";
import { trainObjective } from "../../src/train/train.js";

const VOCABULARY = 40;
const TOKENS = { first: 1, separator: 2 };
const RULE: MaskingRule = { vocabularySize: VOCABULARY, mask: 3, special: new Set([0, 1, 2, 3]) };
const BERT: BertConfig = {
  ...{ vocabularySize: VOCABULARY, width: 16, layers: 2, heads: 2, feedForwardWidth: 32, contextLength: 24 },
  ...{ tokenTypes: 2, activation: "gelu", epsilon: 1e-12, dropout: 0.1, head: { kind: "pre-training" } },
};
const CONFIG: TrainConfig = {
  budget: { unit: "steps", amount: 50 },
  batch: { kind: "bucketed", rowsPerStep: 6 },
  microBatchRows: 4,
  optimizer: {
    ...{ learningRate: 0.003, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 5,
};

before(async () => {
  await startEngine({ backend: "tensorflow" });
});

const random = Random.derive(1, "documents");
const DOCUMENTS = Array.from({ length: 9 }, () =>
  Array.from({ length: 2 + random.integer(5) }, () =>
    Array.from({ length: 2 + random.integer(6) }, () => 4 + random.integer(VOCABULARY - 4)),
  ),
);
const ROWS = sentencePairRows(DOCUMENTS, TOKENS, { maxTokens: 20, rule: RULE, seed: 1 });

interface Outcome {
  readonly losses: number[];
  readonly values: number[][];
}

async function pretrain(
  options: { compile?: boolean; resume?: boolean; stopAt?: number },
  config = CONFIG,
): Promise<Outcome> {
  const model = Bert.create(BERT, 1);
  const controller = new AbortController();
  const { stopAt, ...rest } = options;
  const { history } = await trainObjective(maskedLanguage(model, RULE), ROWS, config, {
    ...rest,
    signal: controller.signal,
    onStep: ({ step }) => {
      if (step === stopAt) controller.abort();
    },
  });
  const values = [...model.parameters.values()].map((variable) => [...variable.dataSync()]);
  model.dispose();
  return { losses: history.map(({ loss }) => loss), values };
}

test("masked words and next sentences, with dropout: 50 compiled steps are the eager ones; resumed, the same bits", async () => {
  const compiled = await pretrain({});
  const eager = await pretrain({ compile: false });
  eager.losses.forEach((loss, step) => {
    assert.ok(Math.abs((compiled.losses[step] ?? NaN) / loss - 1) < 1e-5, `step ${step + 1}`);
  });
  const other = await pretrain({}, { ...CONFIG, seed: 6 });
  assert.ok(Math.abs((other.losses[1] ?? NaN) / (eager.losses[1] ?? NaN) - 1) > 1e-4);
  const directory = mkdtempSync(join(tmpdir(), "ift-kit-bert-"));
  const saved = { ...CONFIG, checkpoint: { directory, everySteps: 100 } };
  await pretrain({ stopAt: 17 }, saved);
  assert.deepEqual((await pretrain({ resume: true }, saved)).values, compiled.values);
  rmSync(directory, { recursive: true });
});

test("15 % of the tokens are masked, 80/10/10, never special ones, and the rest stays", () => {
  const inputs = Int32Array.from({ length: 2000 }, (_, at) => (at % 10 === 0 ? 2 : 4 + (at % 30)));
  const row = {
    id: "row",
    inputs,
    targetOffsets: new Int32Array(0),
    targets: new Int32Array(0),
    tokens: 2000,
  };
  const once = maskRow(row, RULE, Random.derive(1, "mask"));
  const again = maskRow(once, RULE, Random.derive(2, "mask"));
  const count = { mask: 0, same: 0, other: 0 };
  for (const masked of [once, again]) {
    assert.equal(masked.targets.length, 270);
    const targets = new Map(
      [...masked.targetOffsets].map((offset, index) => [offset, masked.targets[index]]),
    );
    masked.inputs.forEach((id, at) => {
      const target = targets.get(at);
      if (target === undefined) {
        assert.equal(id, inputs[at]);
        return;
      }
      assert.equal(target, inputs[at]);
      assert.notEqual(target, 2);
      if (id === RULE.mask) count.mask++;
      else if (id === target) count.same++;
      else count.other++;
    });
  }
  assert.notDeepEqual(once.targetOffsets, again.targetOffsets);
  assert.ok(Math.abs(count.mask / 540 - 0.8) < 0.06, `${count.mask}`);
  assert.ok(Math.abs(count.same / 540 - 0.1) < 0.05, `${count.same}`);
  assert.ok(Math.abs(count.other / 540 - 0.1) < 0.05, `${count.other}`);
});

test("a frozen encoder stays as it is while the head learns classes of pairs; control: a trained one moves", async () => {
  const labels = ["even", "odd"];
  const base = Bert.create({ ...BERT, dropout: 0 }, 1);
  const rows = Array.from({ length: 24 }, (_, row) => {
    const a = [4 + (row % 12), 20 + (row % 2)];
    return classifiedRow(`row ${row}`, encodeTexts(TOKENS, a, [5]), labels[row % 2] ?? "", labels);
  });
  for (const frozen of [true, false]) {
    const whole = base.withHead({ kind: "classification", labels }, 2);
    const model = frozen ? whole.withFrozenEncoder() : whole;
    const before = [...whole.weight("layers.0.feedForward.up.weight").dataSync()];
    const config = { ...CONFIG, optimizer: { ...CONFIG.optimizer, learningRate: 0.02 } };
    const { history } = await trainObjective(classification(model), rows, config);
    assert.ok((history.at(-1)?.loss ?? NaN) < (frozen ? 1 : 0.5) * (history[0]?.loss ?? NaN));
    const after = [...whole.weight("layers.0.feedForward.up.weight").dataSync()];
    if (frozen) assert.deepEqual(after, before);
    else assert.notDeepEqual(after, before);
    whole.dispose();
  }
  base.dispose();
  assert.throws(() => classifiedRow("row", encodeTexts(TOKENS, [4]), "prime", labels), /label "prime"/);
});
