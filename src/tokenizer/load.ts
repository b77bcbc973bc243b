import type { Tokenizer } from "../data/tokenizer.js";
import { KitError } from "../support/errors.js";
import { ByteLevelBpeTokenizer } from "./byte-level-bpe.js";
import { CharacterTokenizer } from "./character.js";
import { readTokenizerFiles, type TokenizerJson } from "./json.js";

/**
 * Loads a tokenizer from a folder with `tokenizer.json` and `tokenizer_config.json`.
 * @throws KitError when a file is missing or corrupt, or the tokenizer is of a kind that the kit does not have
 */
export function loadTokenizer(directory: string): Tokenizer {
  const { json, special, file } = readTokenizerFiles(directory);
  const problem = unsupported(json);
  if (problem !== undefined) {
    throw new KitError(
      `the kit cannot load this tokenizer: ${problem}`,
      "use a byte-level BPE as in GPT-2, or a character tokenizer of the kit",
      { file },
    );
  }
  try {
    return isByteLevel(json)
      ? new ByteLevelBpeTokenizer(json, special)
      : new CharacterTokenizer(json, special);
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    throw new KitError(
      `the tokenizer is damaged (${error.message})`,
      "restore the file",
      { file },
      { cause: error },
    );
  }
}

function isByteLevel(json: TokenizerJson): boolean {
  return json.pre_tokenizer?.type === "ByteLevel";
}

/** What the kit would do otherwise than the file says, or undefined. */
function unsupported(json: TokenizerJson): string | undefined {
  const { model, normalizer, pre_tokenizer: preTokenizer, decoder } = json;
  if (normalizer != null) return `it has a normalizer (${normalizer.type})`;
  for (const field of ["continuing_subword_prefix", "end_of_word_suffix", "unk_token"]) {
    const value = model[field];
    if (value !== undefined && value !== null && value !== "") return `its model has ${field}`;
  }
  if (model.ignore_merges === true || model.byte_fallback === true) return "its model is no plain BPE";
  if (preTokenizer == null)
    return json.model.merges.length === 0 ? undefined : "it has merges and no pre-tokenizer";
  if (preTokenizer.type !== "ByteLevel") return `its pre-tokenizer is ${preTokenizer.type}`;
  if (decoder?.type !== "ByteLevel") return "its decoder is not ByteLevel";
  if (preTokenizer.add_prefix_space === true) return "it adds a blank before the text";
  if (preTokenizer.use_regex === false) return "it does not cut texts into words";
  return undefined;
}
