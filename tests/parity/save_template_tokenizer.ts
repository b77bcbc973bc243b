/** Trains the kit's tokenizer on the texts of the template goldens and saves it, for make_template_goldens.py to load. */
import { readJsonFile } from "../../src/support/files.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";

const { texts, addedTokens } = readJsonFile("tests/parity/golden/templates.json") as {
  readonly texts: readonly string[];
  readonly addedTokens: readonly string[];
};
trainByteLevelBpe(texts, { vocabularySize: 520, addedTokens }).save(process.argv[2] ?? "");
