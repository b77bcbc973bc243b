import type { BertConfig } from "../../model/bert/config.js";
import type { DecoderConfig } from "../../model/config.js";
import { modelTypeOf } from "../../model/hugging-face/config.js";
import { type AdaptableConfig, isBertConfig, isT5Config } from "../../model/lora/config.js";
import type { T5Config } from "../../model/t5/config.js";

/** A published model that the kit loads. */
export interface PublicModel {
  readonly name: string;
  /** Its name on the hub, for `fetchModel`. */
  readonly hub: string;
  readonly config: AdaptableConfig;
  /** The layers that a usual adapter changes: queries and values, as in Hu et al. 2021. */
  readonly loraTargets: readonly string[];
}

const QUERIES_AND_VALUES = ["attention.query", "attention.value"];

const JOINT = ["attention.queryKeyValue"];
const IN_BOTH_ATTENTIONS = [...QUERIES_AND_VALUES, "crossAttention.query", "crossAttention.value"];

const GPT2: DecoderConfig = {
  vocabularySize: 50_257,
  width: 768,
  layers: 12,
  heads: 12,
  feedForwardWidth: 3072,
  contextLength: 1024,
  positions: { kind: "learned" },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: true,
  tiedHead: true,
};

const SMOL_135M: DecoderConfig = {
  vocabularySize: 49_152,
  width: 576,
  layers: 30,
  heads: 9,
  keyValueHeads: 3,
  feedForwardWidth: 1536,
  contextLength: 8192,
  positions: { kind: "rotary", base: 100_000 },
  norm: { kind: "rms", epsilon: 1e-5 },
  activation: "swiglu",
  biases: false,
  tiedHead: true,
};

const SMOL_360M: DecoderConfig = {
  ...SMOL_135M,
  width: 960,
  layers: 32,
  heads: 15,
  keyValueHeads: 5,
  feedForwardWidth: 2560,
};

const QWEN_HALF: DecoderConfig = {
  vocabularySize: 151_936,
  width: 896,
  layers: 24,
  heads: 14,
  keyValueHeads: 2,
  feedForwardWidth: 4864,
  contextLength: 32_768,
  positions: { kind: "rotary", base: 1_000_000 },
  norm: { kind: "rms", epsilon: 1e-6 },
  activation: "swiglu",
  biases: ["queryKeyValue"],
  tiedHead: true,
};

const FLAN_T5_SMALL: T5Config = {
  vocabularySize: 32_128,
  width: 512,
  encoderLayers: 8,
  decoderLayers: 8,
  heads: 6,
  headWidth: 64,
  feedForwardWidth: 1024,
  activation: "geglu",
  positionBuckets: 32,
  farthestPosition: 128,
  epsilon: 1e-6,
  tiedHead: false,
  scaledHead: false,
  contextLength: 512,
  dropout: 0.1,
  decoderStart: 0,
  inputEnd: 1,
};

const FLAN_T5_BASE: T5Config = {
  ...FLAN_T5_SMALL,
  width: 768,
  encoderLayers: 12,
  decoderLayers: 12,
  heads: 12,
  feedForwardWidth: 2048,
};

const T0_3B: T5Config = {
  ...FLAN_T5_SMALL,
  width: 2048,
  encoderLayers: 24,
  decoderLayers: 24,
  heads: 32,
  feedForwardWidth: 5120,
};

const BERT_BASE: BertConfig = {
  vocabularySize: 30_522,
  width: 768,
  layers: 12,
  heads: 12,
  feedForwardWidth: 3072,
  contextLength: 512,
  tokenTypes: 2,
  activation: "gelu",
  epsilon: 1e-12,
  dropout: 0.1,
  head: { kind: "classification", labels: ["LABEL_0", "LABEL_1"] },
};

/** Published models by size of family, as their `config.json` files have them; BERT with a head of two classes. */
export const PUBLIC_MODELS: readonly PublicModel[] = [
  { name: "GPT-2", hub: "openai-community/gpt2", config: GPT2, loraTargets: JOINT },
  {
    name: "SmolLM2-135M",
    hub: "HuggingFaceTB/SmolLM2-135M",
    config: SMOL_135M,
    loraTargets: QUERIES_AND_VALUES,
  },
  {
    name: "SmolLM2-360M",
    hub: "HuggingFaceTB/SmolLM2-360M",
    config: SMOL_360M,
    loraTargets: QUERIES_AND_VALUES,
  },
  { name: "Qwen2.5-0.5B", hub: "Qwen/Qwen2.5-0.5B", config: QWEN_HALF, loraTargets: QUERIES_AND_VALUES },
  {
    name: "FLAN-T5-small",
    hub: "google/flan-t5-small",
    config: FLAN_T5_SMALL,
    loraTargets: IN_BOTH_ATTENTIONS,
  },
  { name: "FLAN-T5-base", hub: "google/flan-t5-base", config: FLAN_T5_BASE, loraTargets: IN_BOTH_ATTENTIONS },
  { name: "T0-3B", hub: "bigscience/T0_3B", config: T0_3B, loraTargets: IN_BOTH_ATTENTIONS },
  {
    name: "BERT-base",
    hub: "google-bert/bert-base-uncased",
    config: BERT_BASE,
    loraTargets: QUERIES_AND_VALUES,
  },
];

/** The layers that are adapted where nobody chooses: queries and values of every attention; in GPT-2, which has them in one matrix, that. */
export function usualTargets(config: AdaptableConfig): readonly string[] {
  if (isT5Config(config)) return IN_BOTH_ATTENTIONS;
  if (!isBertConfig(config) && modelTypeOf(config) === "gpt2") return JOINT;
  return QUERIES_AND_VALUES;
}
