import { join } from "node:path";
import { CONFIG_FILE } from "../model/checkpoint.js";
import type { Bert } from "../model/bert/bert.js";
import { loadBert } from "../model/bert/checkpoint.js";
import { KitError } from "../support/errors.js";
import { WordPieceTokenizer } from "../tokenizer/wordpiece.js";

/** A BERT that can be asked. */
export interface LoadedBert {
  readonly bert: Bert;
  readonly tokenizer: WordPieceTokenizer;
}

/**
 * A BERT and its tokenizer from one folder of the kit or of `transformers` (`config.json`, `model.safetensors`, and
 * `tokenizer.json` or `vocab.txt`). The engine must have been started.
 * @throws KitError when a file is missing or corrupt, or the tokenizer has ids that the model lacks
 */
export function loadBertFolder(directory: string): LoadedBert {
  const tokenizer = WordPieceTokenizer.load(directory);
  const bert = loadBert(directory);
  if (tokenizer.vocabularySize > bert.config.vocabularySize) {
    const size = bert.config.vocabularySize;
    bert.dispose();
    throw new KitError(
      `the model has ${size} token ids, its tokenizer ${tokenizer.vocabularySize}`,
      "put the tokenizer into the folder that the model was trained with",
      { file: join(directory, CONFIG_FILE) },
    );
  }
  return { bert, tokenizer };
}
