import type { Tokenizer } from "../data/tokenizer.js";
import { type Decoder } from "../model/decoder.js";
import { CONFIG_FILE, loadDecoder } from "../model/checkpoint.js";
import { type LanguageModel, loadModel } from "../model/load.js";
import { KitError } from "../support/errors.js";
import { loadTokenizer } from "../tokenizer/load.js";
import { join } from "node:path";

/** A model that can be asked. */
export interface LoadedModel {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}

/**
 * A decoder and its tokenizer from one folder of the kit or of `transformers` (`config.json`, `model.safetensors`,
 * `tokenizer.json`, `tokenizer_config.json`). The engine must have been started.
 * @throws KitError when a file is missing or corrupt, or the tokenizer has ids that the model lacks
 */
export function loadModelFolder(directory: string): LoadedModel {
  return loadWithTokenizer(directory, loadDecoder);
}

/** A decoder or an encoder-decoder, with its tokenizer: whatever answers prompts. */
export interface LoadedLanguageModel {
  /** The whole model, of an encoder-decoder too. */
  readonly decoder: LanguageModel;
  readonly tokenizer: Tokenizer;
}

/**
 * As `loadModelFolder`, for every family that answers prompts (`loadModel`).
 * @throws KitError as `loadModelFolder`
 */
export function loadLanguageModelFolder(directory: string): LoadedLanguageModel {
  return loadWithTokenizer(directory, loadModel);
}

function loadWithTokenizer<Model extends LanguageModel>(
  directory: string,
  load: (directory: string) => Model,
): { readonly decoder: Model; readonly tokenizer: Tokenizer } {
  const tokenizer = loadTokenizer(directory);
  const decoder = load(directory);
  if (tokenizer.vocabularySize > decoder.config.vocabularySize) {
    const size = decoder.config.vocabularySize;
    decoder.dispose();
    throw new KitError(
      `the model has ${size} token ids, its tokenizer ${tokenizer.vocabularySize}`,
      "put the tokenizer into the folder that the model was trained with",
      { file: join(directory, CONFIG_FILE) },
    );
  }
  return { decoder, tokenizer };
}
