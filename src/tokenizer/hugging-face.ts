import * as library from "@huggingface/tokenizers";

/** The part of the library's tokenizer that the kit uses. */
export interface LibraryTokenizer {
  readonly model: {
    /** Merges each word into tokens; the words are in the model's own alphabet. */
    encode(words: readonly string[]): string[];
  } | null;
}

/** The library's declarations import without file endings, which this module resolution does not follow. */
const { Tokenizer } = library as unknown as {
  readonly Tokenizer: new (json: object, config: object) => LibraryTokenizer;
};

/** The Hugging Face tokenizer of a `tokenizer.json`. */
export function libraryTokenizer(json: object): LibraryTokenizer {
  return new Tokenizer(json, {});
}
