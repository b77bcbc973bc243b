import { z } from "zod";
import type { SpecialTokens } from "../../data/tokenizer.js";
import type { ErrorLocation } from "../../support/errors.js";
import { validate } from "../../support/validate.js";
import { tokenIds } from "../hugging-face/config.js";
import { parseT5Config, type T5Config } from "./config.js";

const count = z.int().positive();
const id = z.int().nonnegative();

const schema = z.looseObject({
  vocab_size: count,
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: count,
  num_decoder_layers: count.nullish(),
  num_heads: count,
  relative_attention_num_buckets: count.default(32),
  relative_attention_max_distance: count.default(128),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  feed_forward_proj: z.enum(["relu", "gated-gelu"]).default("relu"),
  n_positions: count.default(512),
  dropout_rate: z.number().min(0).lt(1).default(0.1),
  tie_word_embeddings: z.boolean().optional(),
  scale_decoder_outputs: z.boolean().optional(),
  decoder_start_token_id: id.nullish(),
  pad_token_id: id.nullish(),
  eos_token_id: z.union([id, z.tuple([id], id)]).nullish(),
  quantization_config: z.null().optional(),
});

/**
 * The config of a T5 from a `config.json` of `transformers`.
 * @param tiedHead what the weights say: transformers 5 writes `tie_word_embeddings: true` also beside a head of its own
 * @param location the file, for errors
 * @throws KitError for a field that is missing, wrong, or asks for something that the kit does not compute
 */
export function t5FromHuggingFace(value: object, tiedHead: boolean, location: ErrorLocation): T5Config {
  const given = validate(schema, value, "the config of the model", location);
  const eos = Array.isArray(given.eos_token_id) ? given.eos_token_id[0] : given.eos_token_id;
  const config: T5Config = {
    vocabularySize: given.vocab_size,
    width: given.d_model,
    encoderLayers: given.num_layers,
    decoderLayers: given.num_decoder_layers ?? given.num_layers,
    heads: given.num_heads,
    headWidth: given.d_kv,
    feedForwardWidth: given.d_ff,
    activation: given.feed_forward_proj === "relu" ? "relu" : "geglu",
    positionBuckets: given.relative_attention_num_buckets,
    farthestPosition: given.relative_attention_max_distance,
    epsilon: given.layer_norm_epsilon,
    tiedHead,
    // transformers tells version 1.0, which scales, by its tied head.
    scaledHead: given.scale_decoder_outputs ?? given.tie_word_embeddings !== false,
    contextLength: given.n_positions,
    dropout: given.dropout_rate,
    decoderStart: given.decoder_start_token_id ?? given.pad_token_id ?? 0,
    ...(eos == null ? {} : { inputEnd: eos }),
  };
  return parseT5Config(config, location);
}

/** The `config.json` of a T5 for `transformers`, 4 and 5. */
export function t5ToHuggingFace(
  config: T5Config,
  special: SpecialTokens | undefined,
): Record<string, unknown> {
  return {
    architectures: ["T5ForConditionalGeneration"],
    model_type: "t5",
    is_encoder_decoder: true,
    vocab_size: config.vocabularySize,
    d_model: config.width,
    d_kv: config.headWidth,
    d_ff: config.feedForwardWidth,
    num_layers: config.encoderLayers,
    num_decoder_layers: config.decoderLayers,
    num_heads: config.heads,
    relative_attention_num_buckets: config.positionBuckets,
    relative_attention_max_distance: config.farthestPosition,
    layer_norm_epsilon: config.epsilon,
    feed_forward_proj: config.activation === "relu" ? "relu" : "gated-gelu",
    dropout_rate: config.dropout,
    n_positions: config.contextLength,
    tie_word_embeddings: config.scaledHead,
    scale_decoder_outputs: config.scaledHead,
    ...t5TokenIds(config, special),
  };
}

/** Special tokens as config.json and generation_config.json name them. */
export function t5TokenIds(
  { decoderStart, inputEnd }: Pick<T5Config, "decoderStart" | "inputEnd">,
  special: SpecialTokens | undefined,
): Record<string, number | null> {
  const ids = tokenIds(special);
  return { ...ids, eos_token_id: ids.eos_token_id ?? inputEnd ?? null, decoder_start_token_id: decoderStart };
}
