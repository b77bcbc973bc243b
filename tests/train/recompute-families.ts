import { Bert } from "../../src/model/bert/bert.js";
import type { BertConfig } from "../../src/model/bert/config.js";
import { LoraAdapter } from "../../src/model/lora/adapter.js";
import type { LoraConfig } from "../../src/model/lora/config.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { T5 } from "../../src/model/t5/t5.js";
import { tf } from "../../src/engine/tensorflow.js";
import { Random } from "../../src/support/random.js";
import type { Objective } from "../../src/train/objective.js";
import { classification, classifiedRow } from "../../src/train/objectives/classification.js";
import { maskedLanguage } from "../../src/train/objectives/masked-language.js";
import { maskRow, type MaskingRule } from "../../src/train/objectives/masking.js";
import { encodeTexts, sentencePairRows } from "../../src/train/objectives/sentence-pairs.js";
import { sequenceRow, sequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.js";
import { spanCorruption } from "../../src/train/objectives/span-corruption.js";
import type { TrainingRow } from "../../src/train/rows.js";

/** A model with what it learns, made anew for each run. */
export interface FamilyRun {
  readonly objective: Objective;
  readonly rows: readonly TrainingRow[];
  readonly dispose: () => void;
}

/** How a model is made: the dropout of its config, and whether an adapter alone is trained, with a dropout of its own. */
export interface FamilyRules {
  readonly dropout: number;
  readonly adapted: boolean;
}

const VOCABULARY = 40;
const TOKENS = { first: 1, separator: 2 };
const RULE: MaskingRule = { vocabularySize: VOCABULARY, mask: 3, special: new Set([0, 1, 2, 3]) };
const LABELS = ["no", "yes", "perhaps"];
const BERT: Omit<BertConfig, "dropout" | "head"> = {
  ...{ vocabularySize: VOCABULARY, width: 16, layers: 2, heads: 2, feedForwardWidth: 32, contextLength: 24 },
  ...{ tokenTypes: 2, epsilon: 1e-12 },
  activation: "gelu",
};
const SMALL_T5: Omit<T5Config, "dropout"> = {
  ...{ vocabularySize: VOCABULARY, width: 12, encoderLayers: 2, decoderLayers: 2, heads: 2, headWidth: 6 },
  ...{ feedForwardWidth: 24, positionBuckets: 8, farthestPosition: 12, epsilon: 1e-6 },
  activation: "geglu",
  ...{ tiedHead: false, scaledHead: false, contextLength: 24, decoderStart: 0, inputEnd: 1 },
};
const CORRUPTION = { share: 0.15, meanSpan: 3, sentinels: [39, 38, 37, 36], eos: 1 };

const random = Random.derive(1, "documents");
const words = (count: number): number[] => Array.from({ length: count }, () => 4 + random.integer(30));
const DOCUMENTS = Array.from({ length: 6 }, () =>
  Array.from({ length: 2 + random.integer(5) }, () => words(2 + random.integer(6))),
);
const TEXTS = Array.from({ length: 12 }, (_, row) => ({ id: `text ${row}`, ids: words(9 + (row % 12)) }));
const PAIRS = sentencePairRows(DOCUMENTS, TOKENS, { maxTokens: 20, rule: RULE, seed: 1 });
const MASKED = TEXTS.map(({ id, ids }) => {
  const { ids: all, tokenTypes } = encodeTexts(TOKENS, ids);
  const inputs = Int32Array.from(all);
  const none = { targetOffsets: new Int32Array(0), targets: new Int32Array(0) };
  const row = { id, inputs, tokenTypes: Int32Array.from(tokenTypes), ...none, tokens: inputs.length };
  return maskRow(row, RULE, Random.derive(2, id));
});
const CLASSES = TEXTS.map(({ id, ids }, row) =>
  classifiedRow(id, encodeTexts(TOKENS, ids), LABELS[row % 3] ?? "", LABELS),
);
/** The answer is the last token of the input, then some of the first ones. */
const ANSWERS = TEXTS.map(({ id, ids }, row) =>
  sequenceRow(id, [...ids, 1], [ids.at(-1) ?? 0, ...ids.slice(0, row % 5), 1], SMALL_T5, row + 1),
);

/** The families, by what they learn. */
export const FAMILIES: Readonly<Record<string, (rules: FamilyRules) => FamilyRun>> = {
  "masked words": (rules) =>
    bert(rules, { kind: "masked-language" }, (model) => ({
      objective: maskedLanguage(model, RULE),
      rows: MASKED,
    })),
  "masked words and next sentences": (rules) =>
    bert(rules, { kind: "pre-training" }, (model) => ({
      objective: maskedLanguage(model, RULE),
      rows: PAIRS,
    })),
  classification: (rules) =>
    bert(rules, { kind: "classification", labels: LABELS }, (model) => ({
      objective: classification(model),
      rows: CLASSES,
    })),
  "sequence to sequence": (rules) =>
    t5(rules, {}, (model) => ({ objective: sequenceToSequence(model), rows: ANSWERS })),
  "span corruption, T5 1.0": (rules) =>
    t5(rules, { activation: "relu", tiedHead: true, scaledHead: true }, (model) =>
      spanCorruption(model, TEXTS, CORRUPTION, new Random(3)),
    ),
};

function bert(
  { dropout, adapted }: FamilyRules,
  head: BertConfig["head"],
  learn: (model: Bert) => Omit<FamilyRun, "dispose">,
): FamilyRun {
  const config: BertConfig = { ...BERT, dropout, head };
  const base = Bert.create(config, 5);
  if (!adapted) return { ...learn(base), dispose: () => base.dispose() };
  const trainHead = head.kind === "classification";
  const adapter = movedAdapter(config, ["attention.query", "attention.output", "feedForward.down"]);
  const model = base.withAdapter(adapter, { trainHead });
  return {
    ...learn(model),
    dispose: () => {
      model.dispose();
      base.dispose();
    },
  };
}

function t5(
  { dropout, adapted }: FamilyRules,
  version: Partial<T5Config>,
  learn: (model: T5) => Omit<FamilyRun, "dispose">,
): FamilyRun {
  const config: T5Config = { ...SMALL_T5, ...version, dropout };
  const base = T5.create(config, 5);
  if (!adapted) return { ...learn(base), dispose: () => base.dispose() };
  const model = base.withAdapter(
    movedAdapter(config, ["attention.query", "crossAttention.value", "feedForward.down"]),
  );
  return {
    ...learn(model),
    dispose: () => {
      model.dispose();
      base.dispose();
    },
  };
}

/** An adapter whose second matrices are not 0, where gradients of the first ones would be. */
function movedAdapter(config: BertConfig | T5Config, targets: LoraConfig["targets"]): LoraAdapter {
  const adapter = LoraAdapter.create(config, { rank: 2, alpha: 4, dropout: 0.3, targets, seed: 5 });
  for (const variable of adapter.parameters.values()) {
    tf.tidy(() => variable.assign(tf.add(variable, 0.1)));
  }
  return adapter;
}
