/** Trains the kit's tokenizers on the golden texts and saves them, for make_tokenizer_goldens.py to load in Python. */
import { join } from "node:path";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { readJsonFile } from "../../src/support/files.js";

const { texts, bpe } = readJsonFile("tests/parity/golden/tokenizer.json") as {
  readonly texts: readonly string[];
  readonly bpe: { readonly vocabularySize: number };
};
const folder = process.argv[2] ?? "";
trainByteLevelBpe(texts, { vocabularySize: bpe.vocabularySize }).save(join(folder, "bpe"));
CharacterTokenizer.fromTexts(texts).save(join(folder, "character"));
