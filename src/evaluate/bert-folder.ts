import type { Bert } from "../model/bert/bert.js";
import { loadBert } from "../model/bert/checkpoint.js";
import { WordPieceTokenizer } from "../tokenizer/wordpiece.js";
import { requireIdsOf } from "./model-folder.js";

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
  requireIdsOf(tokenizer, bert, directory);
  return { bert, tokenizer };
}
