import type { Encoding, SpecialTokens, Tokenizer } from "../data/tokenizer.js";
import { KitError } from "../support/errors.js";
import { hashJson } from "../support/hash.js";
import { type BertNormalizer, bertWords } from "./bert-words.js";
import { tokenTexts, writeTokenizerFiles } from "./json.js";
import { type Piece, WordPieces } from "./word-pieces.js";
import { type BertMark, bertNormalizer, readWordPieceFiles, type WordPieceJson } from "./wordpiece-json.js";

/** What `cleanup` of the decoder joins to the word before: `wordpiece.rs` of Hugging Face `tokenizers`. */
const CLEANED: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/**
 * BERT's kind of tokenizer: the text is normalised and cut into words, and each word from left to right into the longest
 * pieces of the vocabulary, those inside a word with a prefix ("##"). A word that cannot be written so, or is longer than
 * 100 characters, becomes the unknown token. Case (where the normaliser lowers it), accents and white space do not come
 * back. The texts of special tokens stay text; `[CLS]` and `[SEP]` are written by `encodeTexts(tokenizer.marks, ...)`.
 */
export class WordPieceTokenizer implements Tokenizer {
  readonly kind = "wordpiece";
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /** Ids of `[PAD]`, `[UNK]`, `[CLS]` (first), `[SEP]` (separator) and `[MASK]`. */
  readonly marks: Readonly<Record<BertMark, number>>;
  /** Tokens that stand for themselves; the unknown token, which text may become, is not among them. */
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly hash: string;
  readonly #json: WordPieceJson;
  readonly #config: object;
  readonly #normalizer: BertNormalizer;
  readonly #texts: readonly string[];
  readonly #marked: ReadonlySet<number>;
  readonly #idOf: ReadonlyMap<string, number>;
  readonly #pieces: WordPieces;

  /** @param json checked by `readWordPieceFiles`, or made by `trainWordPiece` */
  constructor(json: WordPieceJson, marks: Readonly<Record<BertMark, number>>, config: object) {
    this.#json = json;
    this.#config = config;
    this.marks = marks;
    this.special = { bos: marks.first, eos: marks.separator, pad: marks.pad };
    this.#normalizer = bertNormalizer(json);
    this.#texts = tokenTexts(json);
    this.vocabularySize = this.#texts.length;
    this.#marked = new Set(json.added_tokens.map(({ id }) => id));
    this.addedTokens = new Map(
      json.added_tokens.flatMap(({ content, id }) => (id === marks.unknown ? [] : [[content, id]])),
    );
    this.#idOf = new Map(Object.entries(json.model.vocab));
    this.#pieces = new WordPieces(
      (characters) => this.#longestPieces(characters) ?? [{ id: marks.unknown, length: characters.length }],
    );
    this.hash = hashJson({ kind: this.kind, json, marks });
  }

  /**
   * Loads a folder with `tokenizer.json`, or with a `vocab.txt`.
   * @throws KitError when a file is missing or corrupt, or asks for something that the kit does not do
   */
  static load(directory: string): WordPieceTokenizer {
    const { json, marks, config } = readWordPieceFiles(directory);
    return new WordPieceTokenizer(json, marks, config);
  }

  /** Ids that masking leaves alone and never draws. */
  get specialIds(): ReadonlySet<number> {
    return new Set(Object.values(this.marks));
  }

  encode(text: string): Encoding {
    if (/\p{Surrogate}/u.test(text)) {
      throw new KitError(
        `the text holds half a character and cannot be written as UTF-8: ${JSON.stringify(text.slice(0, 60))}`,
        "remove it from the data",
      );
    }
    return this.#pieces.encode(bertWords(text, this.#normalizer), text);
  }

  decode(ids: readonly number[]): string {
    const { prefix, cleanup } = this.#json.decoder;
    let text = "";
    for (const id of ids) {
      const token = this.#texts[id];
      if (token === undefined) throw new RangeError(`no token has the id ${id}`);
      if (this.#marked.has(id)) continue;
      const inside = text !== "" && token.startsWith(prefix);
      const piece = inside ? token.slice(prefix.length) : text === "" ? token : ` ${token}`;
      text += cleanup ? cleaned(piece) : piece;
    }
    return text;
  }

  tokenText(id: number): string {
    const text = this.#texts[id];
    if (text === undefined) throw new RangeError(`no token has the id ${id}`);
    return text;
  }

  save(directory: string): void {
    writeTokenizerFiles(directory, this.#json, this.special, this.#config);
  }

  #longestPieces(characters: readonly string[]): Piece[] | undefined {
    const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest } = this.#json.model;
    if (characters.length > longest) return undefined;
    const pieces: Piece[] = [];
    for (let start = 0; start < characters.length;) {
      const before = start === 0 ? "" : prefix;
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = this.#idOf.get(before + characters.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return undefined;
      pieces.push({ id, length: end - start });
      start = end;
    }
    return pieces;
  }
}

function cleaned(piece: string): string {
  return CLEANED.reduce((text, [from, to]) => text.replaceAll(from, to), piece);
}
