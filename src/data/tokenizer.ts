/** Ids of the special tokens; `bos` is absent where the tokenizer wants none. */
export interface SpecialTokens {
  readonly bos?: number;
  readonly eos: number;
  readonly pad: number;
}

/** A text cut into tokens, with where each token ends in the text. */
export interface Encoding {
  readonly ids: readonly number[];
  /** For each token, the number of UTF-8 bytes of the text that are covered once it is written: `[tokens]`. */
  readonly byteEnds: readonly number[];
}

/**
 * What the renderer, the scorer and the generator need of a tokenizer. Encoding adds no special token: they are the
 * renderer's business, so that there is exactly one BOS and a supervised EOS.
 */
export interface Tokenizer {
  /** "byte-level-bpe", "character", ... */
  readonly kind: string;
  /** Number of ids, special tokens included. */
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /**
   * Ids of the tokens that stand for themselves, by text: the special tokens and those of chat templates
   * (`<|im_start|>`). Encoding never makes them; the renderer does, where a template says so.
   */
  readonly addedTokens?: ReadonlyMap<string, number>;
  /** Changes when any token, merge or setting does; goes into manifests. */
  readonly hash: string;
  /** @throws KitError for a character that the vocabulary cannot write */
  encode(text: string): Encoding;
  /** The text of the tokens; special tokens are left out. */
  decode(ids: readonly number[]): string;
  /** The text form of one token, for tables and pictures. */
  tokenText(id: number): string;
  /** Writes `tokenizer.json` (and what else is needed to load it) into a folder. */
  save(directory: string): void;
}
