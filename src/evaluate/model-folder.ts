import type { Tokenizer } from "../data/tokenizer.js";
import { CONFIG_FILE, loadDecoder } from "../model/checkpoint.js";
import type { Decoder } from "../model/decoder.js";
import { type LanguageModel, loadModel } from "../model/load.js";
import { KitError } from "../support/errors.js";
import { loadTokenizer } from "../tokenizer/load.js";
import { join } from "node:path";

/** A model that can be asked. */
export interface LoadedModel<Model extends LanguageModel = LanguageModel> {
  /** A decoder, or the whole of an encoder-decoder. */
  readonly decoder: Model;
  readonly tokenizer: Tokenizer;
}

/**
 * A model and its tokenizer from one folder of the kit or of `transformers` (`config.json`, `model.safetensors`,
 * `tokenizer.json`, `tokenizer_config.json`). The engine must have been started.
 * @throws KitError when a file is missing or corrupt, or the tokenizer has ids that the model lacks
 */
export function loadModelFolder(directory: string): LoadedModel {
  return loadWithTokenizer(directory, loadModel);
}

/** As `loadModelFolder`, for a decoder alone. @throws KitError also when the model is of another family */
export function loadDecoderFolder(directory: string): LoadedModel<Decoder> {
  return loadWithTokenizer(directory, loadDecoder);
}

function loadWithTokenizer<Model extends LanguageModel>(
  directory: string,
  load: (directory: string) => Model,
): LoadedModel<Model> {
  const tokenizer = loadTokenizer(directory);
  const decoder = load(directory);
  requireIdsOf(tokenizer, decoder, directory);
  return { decoder, tokenizer };
}

/**
 * Checks that a model has all ids of the tokenizer of its folder, and frees it where it has not.
 * @throws KitError that names both numbers
 */
export function requireIdsOf(
  tokenizer: Pick<Tokenizer, "vocabularySize">,
  model: { readonly config: { readonly vocabularySize: number }; dispose(): void },
  directory: string,
): void {
  const { vocabularySize } = model.config;
  if (tokenizer.vocabularySize <= vocabularySize) return;
  model.dispose();
  throw new KitError(
    `the model has ${vocabularySize} token ids, its tokenizer ${tokenizer.vocabularySize}`,
    "put the tokenizer into the folder that the model was trained with",
    { file: join(directory, CONFIG_FILE) },
  );
}
