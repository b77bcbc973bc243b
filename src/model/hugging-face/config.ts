import { z } from "zod";
import type { SpecialTokens } from "../../data/tokenizer.js";
import { KitError, type ErrorLocation } from "../../support/errors.js";
import { type BiasPlace, type DecoderConfig, hasBias, headShape, parseDecoderConfig } from "../config.js";
import type { ModelType } from "./names.js";

const count = z.int().positive();

/** Rotary positions as `transformers` 4 (`rope_theta`, `rope_scaling`) and 5 (`rope_parameters`) write them. */
const rotary = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().optional(),
  factor: z.number().optional(),
  low_freq_factor: z.number().optional(),
  high_freq_factor: z.number().optional(),
  original_max_position_embeddings: count.optional(),
});
type Rotary = z.infer<typeof rotary>;

const gpt2Schema = z.looseObject({
  vocab_size: count,
  n_embd: count,
  n_layer: count,
  n_head: count,
  n_positions: count,
  n_inner: count.nullish(),
  activation_function: z.enum(["gelu_new", "gelu_pytorch_tanh"]).default("gelu_new"),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.literal(true).optional(),
  scale_attn_by_inverse_layer_idx: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
});

const llamaSchema = z.looseObject({
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  max_position_embeddings: count,
  hidden_act: z.enum(["silu", "swish"]).default("silu"),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  rope_theta: z.number().positive().optional(),
  rope_scaling: rotary.nullish(),
  rope_parameters: rotary.nullish(),
  use_sliding_window: z.literal(false).optional(),
  quantization_config: z.null().optional(),
});

/** Sizes of the first dense layers: the base of `transformers` where a config has none. */
const DEFAULT_BASE = 10_000;

/**
 * The config of a decoder from a `config.json` of `transformers`.
 * @param location the file, for errors
 * @throws KitError for a field that is missing, wrong, or asks for something that the kit does not compute
 */
export function fromHuggingFace(type: ModelType, value: object, location: ErrorLocation): DecoderConfig {
  return type === "gpt2" ? fromGpt2(value, location) : fromLlama(type, value, location);
}

function fromGpt2(value: object, location: ErrorLocation): DecoderConfig {
  const given = read(gpt2Schema, value, location);
  const config: DecoderConfig = {
    vocabularySize: given.vocab_size,
    width: given.n_embd,
    layers: given.n_layer,
    heads: given.n_head,
    feedForwardWidth: given.n_inner ?? 4 * given.n_embd,
    contextLength: given.n_positions,
    positions: { kind: "learned" },
    norm: { kind: "layer", epsilon: given.layer_norm_epsilon },
    activation: "gelu-tanh",
    biases: true,
    tiedHead: given.tie_word_embeddings,
  };
  return parseDecoderConfig(config, location);
}

function fromLlama(type: "llama" | "qwen2", value: object, location: ErrorLocation): DecoderConfig {
  const given = read(llamaSchema, value, location);
  const { num_attention_heads: heads, num_key_value_heads: keyValueHeads, head_dim: headWidth } = given;
  const places: readonly BiasPlace[] =
    type === "qwen2"
      ? ["queryKeyValue"]
      : [
          ...(given.attention_bias ? (["queryKeyValue", "attentionOutput"] as const) : []),
          ...(given.mlp_bias ? (["feedForward"] as const) : []),
        ];
  const config: DecoderConfig = {
    vocabularySize: given.vocab_size,
    width: given.hidden_size,
    layers: given.num_hidden_layers,
    heads,
    ...(keyValueHeads == null || keyValueHeads === heads ? {} : { keyValueHeads }),
    ...(headWidth == null || headWidth * heads === given.hidden_size ? {} : { headWidth }),
    feedForwardWidth: given.intermediate_size,
    contextLength: given.max_position_embeddings,
    positions: rotaryPositions(given, location),
    norm: { kind: "rms", epsilon: given.rms_norm_eps },
    activation: "swiglu",
    biases: places.length === 0 ? false : places,
    tiedHead: given.tie_word_embeddings,
  };
  return parseDecoderConfig(config, location);
}

function rotaryPositions(
  given: z.infer<typeof llamaSchema>,
  location: ErrorLocation,
): DecoderConfig["positions"] {
  const field = given.rope_parameters == null ? "rope_scaling" : "rope_parameters";
  const rules: Rotary = given[field] ?? {};
  const base = rules.rope_theta ?? given.rope_theta ?? DEFAULT_BASE;
  const kind = rules.rope_type ?? rules.type ?? "default";
  if (kind === "default") return { kind: "rotary", base };
  const {
    factor,
    low_freq_factor: lowFrequencyFactor,
    high_freq_factor: highFrequencyFactor,
    original_max_position_embeddings: originalContextLength,
  } = rules;
  const complete =
    factor !== undefined &&
    lowFrequencyFactor !== undefined &&
    highFrequencyFactor !== undefined &&
    originalContextLength !== undefined;
  if (kind === "llama3" && complete) {
    const scaling = { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength };
    return { kind: "rotary", base, scaling };
  }
  throw new KitError(
    kind === "llama3"
      ? "the rotary positions of Llama 3 lack one of their four numbers"
      : `the kit has no rotary positions of the type "${kind}"`,
    "use a model whose rope_type is default or llama3",
    { ...location, field },
  );
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  value: object,
  location: ErrorLocation,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join(".") ?? "";
  const given: unknown = Reflect.get(value, field);
  throw new KitError(
    given === undefined
      ? "the config of the model lacks this field"
      : `the kit has no decoder with ${JSON.stringify(given)} here (${issue?.message ?? "wrong value"})`,
    "use a model of another kind, or restore the file",
    { ...location, field },
  );
}

/** The family of `transformers` that computes what a config says, or undefined: PaLM's block, say, is in none. */
export function modelTypeOf(config: DecoderConfig): ModelType | undefined {
  const { positions, norm, activation, block = "sequential" } = config;
  const { heads, keyValueHeads, headWidth } = headShape(config);
  if (block !== "sequential") return undefined;
  const [joint, output, inner] = (["queryKeyValue", "attentionOutput", "feedForward"] as const).map((place) =>
    hasBias(config, place),
  );
  if (norm.kind === "layer") {
    const plain = keyValueHeads === heads && headWidth * heads === config.width;
    const biased = joint === true && output === true && inner === true && hasBias(config, "norm");
    return positions.kind === "learned" && activation === "gelu-tanh" && plain && biased ? "gpt2" : undefined;
  }
  if (positions.kind !== "rotary" || activation !== "swiglu") return undefined;
  if (joint === output) return "llama";
  return joint === true && inner === false ? "qwen2" : undefined;
}

/** Names of the classes that `transformers` loads a family with. */
const CLASSES: Readonly<Record<ModelType, string>> = {
  gpt2: "GPT2LMHeadModel",
  llama: "LlamaForCausalLM",
  qwen2: "Qwen2ForCausalLM",
};

/**
 * The `config.json` from which `transformers` 4 and 5 make the same decoder.
 * @param type from `modelTypeOf`
 * @param special ids of the special tokens, where they are known
 */
export function toHuggingFace(
  type: ModelType,
  config: DecoderConfig,
  special: SpecialTokens | undefined,
): Record<string, unknown> {
  const { heads, keyValueHeads, headWidth } = headShape(config);
  const shared = {
    architectures: [CLASSES[type]],
    model_type: type,
    vocab_size: config.vocabularySize,
    tie_word_embeddings: config.tiedHead,
    ...tokenIds(special),
  };
  if (config.positions.kind === "learned") {
    return {
      ...shared,
      n_embd: config.width,
      n_layer: config.layers,
      n_head: heads,
      n_inner: config.feedForwardWidth,
      n_positions: config.contextLength,
      activation_function: "gelu_new",
      layer_norm_epsilon: config.norm.epsilon,
    };
  }
  const { base, scaling } = config.positions;
  return {
    ...shared,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headWidth,
    intermediate_size: config.feedForwardWidth,
    max_position_embeddings: config.contextLength,
    hidden_act: "silu",
    rms_norm_eps: config.norm.epsilon,
    ...(type === "llama"
      ? { attention_bias: hasBias(config, "queryKeyValue"), mlp_bias: hasBias(config, "feedForward") }
      : {}),
    // Both versions read these two.
    rope_theta: base,
    rope_scaling:
      scaling === undefined
        ? null
        : {
            rope_type: "llama3",
            factor: scaling.factor,
            low_freq_factor: scaling.lowFrequencyFactor,
            high_freq_factor: scaling.highFrequencyFactor,
            original_max_position_embeddings: scaling.originalContextLength,
          },
  };
}

/** Special tokens as config.json and generation_config.json name them. */
export function tokenIds(special: SpecialTokens | undefined): Record<string, number | null> {
  return {
    bos_token_id: special?.bos ?? null,
    eos_token_id: special?.eos ?? null,
    pad_token_id: special?.pad ?? null,
  };
}
