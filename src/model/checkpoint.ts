import { join } from "node:path";
import type { SpecialTokens } from "../data/tokenizer.js";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import { type DecoderConfig, parseDecoderConfig } from "./config.js";
import { Decoder } from "./decoder.js";
import type { WeightType } from "./half.js";
import { fromHuggingFace, modelTypeOf, toHuggingFace, tokenIds } from "./hugging-face/config.js";
import {
  isIgnored,
  KIT_LAYOUT,
  type Layout,
  type ModelType,
  NAME_TABLES,
  storedParameter,
} from "./hugging-face/names.js";
import { parameterSpecs } from "./parameters.js";
import { checkTensors, readParameter, type StoredIn, storedTensors } from "./stored-weights.js";
import { WeightsFolder } from "./weights.js";
import { TORCH_TYPES, writeJson, writeWeights } from "./write-weights.js";

/** Names of the files of a model folder. */
export const CONFIG_FILE = "config.json";
export const GENERATION_FILE = "generation_config.json";

/** How a decoder is written; what is left out changes no weight. */
export interface SaveOptions {
  /**
   * "hugging-face": a folder that `transformers` in Python loads too. "kit": the kit's own names. Default:
   * "hugging-face" wherever a family of `transformers` computes this decoder.
   */
  readonly layout?: "hugging-face" | "kit";
  /** Stored type of the weights (F32). The two short ones round. */
  readonly type?: WeightType;
  /** Most bytes of one file; more are split over several with an index. Default: one file. */
  readonly maxFileBytes?: number;
  /** Ids of the special tokens, for `config.json` and `generation_config.json`. */
  readonly special?: SpecialTokens;
}

/**
 * Writes `config.json`, the weights and, where the special tokens are given, `generation_config.json` into a folder,
 * which is made when it is not there. Each file is written whole or not at all.
 * @throws KitError when the folder cannot be written, the decoder has an adapter, or no family of `transformers` fits
 *   and one was asked for
 */
export function saveDecoder(directory: string, decoder: Decoder, options: SaveOptions = {}): void {
  const { special } = options;
  if (decoder.adapter !== undefined) {
    throw new KitError(
      "the decoder has an adapter, which is no part of its weights",
      "save the adapter by itself (saveAdapter), or merge it first (mergeAdapter)",
    );
  }
  const layout = layoutFor(decoder.config, options.layout);
  const stored: StoredIn = (spec) => storedParameter(layout, decoder.config, spec);
  const tensors = storedTensors(decoder, parameterSpecs(decoder.config), stored, options.type ?? "F32");
  writeWeights(directory, tensors, options.maxFileBytes);
  const config =
    layout === KIT_LAYOUT
      ? { architecture: KIT_LAYOUT, ...decoder.config }
      : {
          ...toHuggingFace(layout, decoder.config, special),
          torch_dtype: TORCH_TYPES[options.type ?? "F32"],
        };
  writeJson(join(directory, CONFIG_FILE), config);
  if (special !== undefined) writeJson(join(directory, GENERATION_FILE), tokenIds(special));
}

function layoutFor(config: DecoderConfig, wanted: SaveOptions["layout"]): Layout {
  if (wanted === "kit") return KIT_LAYOUT;
  const type = modelTypeOf(config);
  if (type !== undefined) return type;
  if (wanted === undefined) return KIT_LAYOUT;
  throw new KitError(
    `no family of transformers (${Object.keys(NAME_TABLES).join(", ")}) computes this decoder`,
    'save it with the layout "kit"',
    { field: "layout" },
  );
}

/**
 * Reads a decoder from a folder of the kit or of `transformers` (GPT-2, Llama, Qwen2; F32, F16 or BF16, one file or
 * several). Config and headers are checked against each other before memory is taken, and the weights are read one
 * tensor at a time.
 * @throws KitError when a file is missing, cut off or corrupt, the files do not fit together, or the model is of a kind
 *   that the kit does not have
 */
export function loadDecoder(directory: string): Decoder {
  const { layout, config } = readConfig(directory);
  const weights = WeightsFolder.open(directory);
  try {
    // GPT-2's first checkpoints are of the model without its head, whose names have no prefix.
    const prefixed = layout === KIT_LAYOUT || !weights.names.includes("wte.weight");
    const stored: StoredIn = (spec) => storedParameter(layout, config, spec, prefixed);
    const ignored = (name: string): boolean =>
      layout !== KIT_LAYOUT && isIgnored(layout, config.tiedHead, name);
    checkTensors(weights, parameterSpecs(config), stored, ignored);
    return Decoder.fromValues(config, (spec) => readParameter(weights, spec, stored(spec)));
  } finally {
    weights.close();
  }
}

/**
 * The config of a saved decoder.
 * @throws KitError when it is missing or wrong
 */
export function loadDecoderConfig(directory: string): DecoderConfig {
  return readConfig(directory).config;
}

function readConfig(directory: string): { readonly layout: Layout; readonly config: DecoderConfig } {
  const file = join(directory, CONFIG_FILE);
  const value = readJsonFile(file);
  const fields = typeof value === "object" && value !== null ? value : {};
  if ("model_type" in fields) {
    const { model_type: type } = fields;
    if (isModelType(type)) return { layout: type, config: fromHuggingFace(type, fields, { file }) };
    throw new KitError(
      `the kit has no decoder of the type ${JSON.stringify(type)}`,
      `use a model of one of the types ${Object.keys(NAME_TABLES).join(", ")}`,
      { file, field: "model_type" },
    );
  }
  if (!("architecture" in fields)) {
    throw new KitError(
      "this is not the config of a model",
      "give the folder of a model that ift-kit or transformers saved",
      { file, field: "architecture" },
    );
  }
  const { architecture, ...config } = fields;
  if (architecture !== KIT_LAYOUT) {
    throw new KitError(
      `the architecture is ${JSON.stringify(architecture)}, known is "${KIT_LAYOUT}"`,
      "give the folder of a model that ift-kit saved",
      { file, field: "architecture" },
    );
  }
  return { layout: KIT_LAYOUT, config: parseDecoderConfig(config, { file }) };
}

function isModelType(value: unknown): value is ModelType {
  return typeof value === "string" && Object.hasOwn(NAME_TABLES, value);
}
