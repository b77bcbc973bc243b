import type { Tokenizer } from "../data/tokenizer.js";
import { join } from "node:path";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import { ByteLevelBpeTokenizer } from "./byte-level-bpe.js";
import { CharacterTokenizer } from "./character.js";
import { cutterOf } from "./pre-tokenize.js";
import { UnigramTokenizer } from "./unigram.js";
import { WordPieceTokenizer } from "./wordpiece.js";
import { hasVocabularyFile } from "./wordpiece-json.js";
import { readTokenizerFiles, type TokenizerJson } from "./json.js";

/**
 * Loads a tokenizer from a folder with `tokenizer.json` and `tokenizer_config.json`, or with BERT's `vocab.txt`.
 * @throws KitError when a file is missing or corrupt, or the tokenizer is of a kind that the kit does not have
 */
export function loadTokenizer(directory: string): Tokenizer {
  if (hasVocabularyFile(directory)) return WordPieceTokenizer.load(directory);
  const type = modelTypeIn(directory);
  if (type === "Unigram") return UnigramTokenizer.load(directory);
  if (type === "WordPiece") return WordPieceTokenizer.load(directory);
  const { json, special, config, file } = readTokenizerFiles(directory);
  const problem = unsupported(json);
  if (problem !== undefined) {
    throw new KitError(
      `the kit cannot load this tokenizer: ${problem}`,
      "use a byte-level BPE as in GPT-2, Llama 3, SmolLM2 and Qwen2, a Unigram as in T5, a WordPiece as in BERT, or a character tokenizer of the kit",
      { file },
    );
  }
  try {
    return isByteLevel(json)
      ? new ByteLevelBpeTokenizer(json, special, config)
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

/** The kind of model in `tokenizer.json`, whatever else is in it. */
function modelTypeIn(directory: string): unknown {
  const json = readJsonFile(join(directory, "tokenizer.json"));
  const model: unknown =
    typeof json === "object" && json !== null && "model" in json ? json.model : undefined;
  return typeof model === "object" && model !== null && "type" in model ? model.type : undefined;
}

/** Bytes are cut into words; a character tokenizer has no merges, so nothing to cut for. */
function isByteLevel(json: TokenizerJson): boolean {
  return json.pre_tokenizer != null;
}

/** What the kit would do otherwise than the file says, or undefined. */
function unsupported(json: TokenizerJson): string | undefined {
  const { model, normalizer, pre_tokenizer: preTokenizer, decoder } = json;
  // A text that this would change is refused when it is encoded.
  if (normalizer != null && !(normalizer.type === "NFC" && isByteLevel(json))) {
    return `it has a normalizer (${normalizer.type})`;
  }
  // Every text can be written with bytes: an unknown token never occurs.
  const fields = [
    "continuing_subword_prefix",
    "end_of_word_suffix",
    ...(isByteLevel(json) ? [] : ["unk_token"]),
  ];
  for (const field of fields) {
    const value = model[field];
    if (value !== undefined && value !== null && value !== "") return `its model has ${field}`;
  }
  if (model.byte_fallback === true) return "its model is no plain BPE";
  if (preTokenizer == null)
    return json.model.merges.length === 0 ? undefined : "it has merges and no pre-tokenizer";
  const cutter = cutterOf(preTokenizer);
  if (typeof cutter === "string") return cutter;
  if (!JSON.stringify(preTokenizer).includes('"ByteLevel"')) return "it does not work on bytes";
  if (decoder?.type !== "ByteLevel") return "its decoder is not ByteLevel";
  return undefined;
}
