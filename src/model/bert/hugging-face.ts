import { z } from "zod";
import { type ErrorLocation, KitError } from "../../support/errors.js";
import { validate } from "../../support/validate.js";
import { type BertConfig, type BertHead, parseBertConfig } from "./config.js";

const count = z.int().positive();
const share = z.number().min(0).lt(1);

const schema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  intermediate_size: count,
  max_position_embeddings: count,
  type_vocab_size: count.default(2),
  hidden_act: z.enum(["gelu", "gelu_new", "gelu_pytorch_tanh"]).default("gelu"),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_dropout_prob: share.default(0.1),
  attention_probs_dropout_prob: share.default(0.1),
  position_embedding_type: z.literal("absolute").optional(),
  is_decoder: z.literal(false).optional(),
  tie_word_embeddings: z.literal(true).optional(),
  id2label: z.record(z.string(), z.string()).nullish(),
  problem_type: z.literal("single_label_classification").nullish(),
  quantization_config: z.null().optional(),
});

/** Names of the classes that `transformers` loads a head with. */
const CLASSES: Readonly<Record<BertHead["kind"], string>> = {
  "pre-training": "BertForPreTraining",
  "masked-language": "BertForMaskedLM",
  classification: "BertForSequenceClassification",
};

/**
 * The config of a BERT from a `config.json` of `transformers`.
 * @param location the file, for errors
 * @throws KitError for a field that is missing, wrong, or asks for something that the kit does not compute
 */
export function bertFromHuggingFace(value: object, location: ErrorLocation): BertConfig {
  const given = validate(schema, value, "the config of the model", location);
  if (given.hidden_dropout_prob !== given.attention_probs_dropout_prob) {
    throw new KitError(
      `the kit has one dropout for features and attention, and the model has ${given.hidden_dropout_prob} and ` +
        `${given.attention_probs_dropout_prob}`,
      "set both to the same number",
      { ...location, field: "attention_probs_dropout_prob" },
    );
  }
  const config: BertConfig = {
    vocabularySize: given.vocab_size,
    width: given.hidden_size,
    layers: given.num_hidden_layers,
    heads: given.num_attention_heads,
    feedForwardWidth: given.intermediate_size,
    contextLength: given.max_position_embeddings,
    tokenTypes: given.type_vocab_size,
    activation: given.hidden_act === "gelu" ? "gelu" : "gelu-tanh",
    epsilon: given.layer_norm_eps,
    dropout: given.hidden_dropout_prob,
    head: headOf(given, location),
  };
  return parseBertConfig(config, location);
}

function headOf(
  { architectures, id2label }: z.infer<typeof schema>,
  location: ErrorLocation,
): BertConfig["head"] {
  const [architecture] = architectures ?? [];
  const kind = (Object.keys(CLASSES) as BertHead["kind"][]).find((one) => CLASSES[one] === architecture);
  if (kind === undefined) {
    throw new KitError(
      `the kit has no BERT of the class ${JSON.stringify(architecture ?? null)}`,
      `use ${Object.values(CLASSES).join(", ")}`,
      { ...location, field: "architectures" },
    );
  }
  if (kind !== "classification") return { kind };
  const labels = Object.entries(id2label ?? { 0: "LABEL_0", 1: "LABEL_1" });
  return { kind, labels: labels.sort(([a], [b]) => Number(a) - Number(b)).map(([, label]) => label) };
}

/** The `config.json` of a BERT for `transformers`, 4 and 5. @param pad id of the padding token, where it is known */
export function bertToHuggingFace(config: BertConfig, pad: number | undefined): Record<string, unknown> {
  const { head } = config;
  const labels = head.kind === "classification" ? [...head.labels.entries()] : undefined;
  return {
    architectures: [CLASSES[head.kind]],
    model_type: "bert",
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    intermediate_size: config.feedForwardWidth,
    max_position_embeddings: config.contextLength,
    type_vocab_size: config.tokenTypes,
    hidden_act: config.activation === "gelu" ? "gelu" : "gelu_new",
    layer_norm_eps: config.epsilon,
    hidden_dropout_prob: config.dropout,
    attention_probs_dropout_prob: config.dropout,
    tie_word_embeddings: true,
    pad_token_id: pad ?? null,
    ...(labels === undefined
      ? {}
      : {
          id2label: Object.fromEntries(labels.map(([id, label]) => [String(id), label])),
          label2id: Object.fromEntries(labels.map(([id, label]) => [label, id])),
          problem_type: "single_label_classification",
        }),
  };
}
