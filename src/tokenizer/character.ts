import { KitError } from "../support/errors.js";
import { hashJson } from "../support/hash.js";
import type { Encoding, SpecialTokens, Tokenizer } from "../data/tokenizer.js";
import {
  SPECIAL_TEXTS,
  specialTokenEntry,
  type TokenizerJson,
  tokenTexts,
  writeTokenizerFiles,
} from "./json.js";

export interface CharacterTokenizerOptions {
  /** Whether rows begin with a BOS token; true by default, so that the first character has something before it. */
  readonly bos?: boolean;
}

/**
 * One id for each character (Unicode code point), for symbol tasks where a token must be a letter. It is saved as a
 * `tokenizer.json` with a BPE model without merges, which Hugging Face `tokenizers` reads too.
 */
export class CharacterTokenizer implements Tokenizer {
  readonly kind = "character";
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly hash: string;
  readonly #json: TokenizerJson;
  readonly #added: ReadonlySet<number>;
  readonly #texts: readonly string[];
  readonly #idOf: ReadonlyMap<string, number>;

  /** A tokenizer for all characters of some texts. Ids: special tokens, then characters by code point. */
  static fromTexts(texts: Iterable<string>, options: CharacterTokenizerOptions = {}): CharacterTokenizer {
    const characters = new Set<string>();
    for (const text of texts) for (const character of text) characters.add(character);
    return CharacterTokenizer.fromAlphabet(characters, options);
  }

  /** @throws KitError for an empty alphabet and for an entry that is not one character */
  static fromAlphabet(
    alphabet: Iterable<string>,
    { bos = true }: CharacterTokenizerOptions = {},
  ): CharacterTokenizer {
    const characters = [...new Set(alphabet)].sort(
      (a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0),
    );
    if (characters.length === 0)
      throw new KitError("the alphabet is empty", "give it at least one character");
    const wrong = characters.find((entry) => !/^\P{Surrogate}$/su.test(entry));
    if (wrong !== undefined) {
      throw new KitError(
        `${JSON.stringify(wrong)} is not one character`,
        "give each entry of the alphabet one Unicode character",
      );
    }
    const specials = [SPECIAL_TEXTS.pad, ...(bos ? [SPECIAL_TEXTS.bos] : []), SPECIAL_TEXTS.eos];
    const json: TokenizerJson = {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: specials.map(specialTokenEntry),
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: "Fuse" },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries([...specials, ...characters].map((token, id) => [token, id])),
        merges: [],
      },
    };
    const special = { pad: 0, eos: specials.length - 1 };
    return new CharacterTokenizer(json, bos ? { ...special, bos: 1 } : special);
  }

  /** @param json a BPE model without merges, checked by `readTokenizerFiles` */
  constructor(json: TokenizerJson, special: SpecialTokens) {
    this.#json = json;
    this.#texts = tokenTexts(json);
    this.special = special;
    this.vocabularySize = this.#texts.length;
    this.addedTokens = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
    this.#added = new Set(json.added_tokens.map(({ id }) => id));
    this.#idOf = new Map(this.#texts.flatMap((text, id) => (this.#added.has(id) ? [] : [[text, id]])));
    this.hash = hashJson({ kind: this.kind, json, special });
  }

  encode(text: string): Encoding {
    const ids: number[] = [];
    const byteEnds: number[] = [];
    let bytes = 0;
    for (const character of text) {
      const id = this.#idOf.get(character);
      if (id === undefined) throw unknownCharacter(character, text);
      bytes += byteLength(character.codePointAt(0) ?? 0);
      ids.push(id);
      byteEnds.push(bytes);
    }
    return { ids, byteEnds };
  }

  decode(ids: readonly number[]): string {
    return ids.map((id) => (this.#added.has(id) ? "" : this.tokenText(id))).join("");
  }

  tokenText(id: number): string {
    const text = this.#texts[id];
    if (text === undefined) throw new RangeError(`no token has the id ${id}`);
    return text;
  }

  save(directory: string): void {
    writeTokenizerFiles(directory, this.#json, this.special);
  }
}

function unknownCharacter(character: string, text: string): KitError {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const beginning = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return new KitError(
    `the character tokenizer has no ${JSON.stringify(character)} (U+${code}), found in ${JSON.stringify(beginning)}`,
    "build the tokenizer from all texts that it has to write, or use a byte-level tokenizer",
  );
}

/** Bytes of a code point in UTF-8. */
function byteLength(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}
