import { KitError } from "../support/errors.js";
import { hashJson } from "../support/hash.js";
import type { Encoding, SpecialTokens, Tokenizer } from "../data/tokenizer.js";
import { BYTE_CHARACTERS, fromByteAlphabet, toByteAlphabet } from "./bytes.js";
import { libraryTokenizer } from "./hugging-face.js";
import { shortWordMerger } from "./merge-word.js";
import {
  SPECIAL_TEXTS,
  specialTokenEntry,
  type TokenizerJson,
  tokenTexts,
  writeTokenizerFiles,
} from "./json.js";
import { type Cutter, cutterOf } from "./pre-tokenize.js";
import { learnBpe } from "./train-bpe.js";

export interface ByteLevelBpeOptions {
  /** Number of ids, special tokens included; fewer when the texts have no more pairs to merge. */
  readonly vocabularySize: number;
  /** A pair that occurs less often is not merged (2). */
  readonly minFrequency?: number;
  /** Whether rows begin with a BOS token (true). */
  readonly bos?: boolean;
  /** Texts of further tokens that stand for themselves, such as those of a chat template (none). */
  readonly addedTokens?: readonly string[];
}

/** The tokens of a word: ids, and bytes of the word up to the end of each. */
interface EncodedWord {
  readonly ids: readonly number[];
  readonly byteEnds: readonly number[];
}

/** A byte order mark is a character like any other here. */
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT_DECODER = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The text of bytes that are whole characters, or undefined. */
function wholeText(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Words whose tokens are remembered; at the limit the memory is emptied. */
const CACHE_LIMIT = 200_000;

/**
 * Trains a byte-level BPE. Ids: the special tokens, the added tokens, the 256 bytes, the merged tokens. The same texts, in any order, give
 * the same tokenizer, and Python's `ByteLevelBPETokenizer` gives the same merges.
 * @throws KitError when the vocabulary has no room for the bytes and the special tokens
 */
export function trainByteLevelBpe(
  texts: Iterable<string>,
  options: ByteLevelBpeOptions,
): ByteLevelBpeTokenizer {
  const { vocabularySize, minFrequency = 2, bos = true, addedTokens = [] } = options;
  const specials = [
    SPECIAL_TEXTS.pad,
    ...(bos ? [SPECIAL_TEXTS.bos] : []),
    SPECIAL_TEXTS.eos,
    ...addedTokens,
  ];
  const smallest = specials.length + BYTE_CHARACTERS.length;
  if (!Number.isInteger(vocabularySize) || vocabularySize < smallest) {
    throw new KitError(
      `a vocabulary of ${vocabularySize} cannot hold ${BYTE_CHARACTERS.length} bytes and ${specials.length} special tokens`,
      `give a whole number of at least ${smallest}`,
      { field: "vocabularySize" },
    );
  }
  const { tokens, merges } = learnBpe(texts, specials, vocabularySize, minFrequency);
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const json: TokenizerJson = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map(specialTokenEntry),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => [left, right]),
    },
  };
  const special = { pad: 0, eos: bos ? 2 : 1 };
  return new ByteLevelBpeTokenizer(json, bos ? { ...special, bos: 1 } : special);
}

/**
 * GPT-2's kind of tokenizer: any text can be written, and decoding gives back every character. The Hugging Face library
 * merges the bytes of a word; the tokens of each word are remembered, because texts repeat their words.
 *
 * A special token's text in ordinary text ("<|endoftext|>" at the end of a P3 row) is encoded as the characters that it
 * has, where the library's own `encode` would write the special token into the row.
 */
export class ByteLevelBpeTokenizer implements Tokenizer {
  readonly kind = "byte-level-bpe";
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly hash: string;
  readonly #json: TokenizerJson;
  readonly #texts: readonly string[];
  /** Bytes of each token; undefined for special tokens. */
  readonly #bytes: readonly (Uint8Array | undefined)[];
  /** Text of each token that is made of whole characters; undefined for others and for special tokens. */
  readonly #plainTexts: readonly (string | undefined)[];
  readonly #idOf: ReadonlyMap<string, number>;
  readonly #merge: (word: string) => readonly string[];
  readonly #cut: Cutter;
  readonly #config: object | undefined;
  readonly #cache = new Map<string, EncodedWord>();

  /**
   * @param json a byte-level BPE, checked by `readTokenizerFiles`
   * @param config the `tokenizer_config.json` that it came with, written again as it is
   * @throws KitError when a byte has no token, or the kit cannot cut texts as it says
   */
  constructor(json: TokenizerJson, special: SpecialTokens, config?: object) {
    const cut = cutterOf(json.pre_tokenizer);
    if (typeof cut === "string") {
      throw new KitError(cut, "use another tokenizer", { field: "pre_tokenizer" });
    }
    this.#cut = cut;
    this.#config = config;
    this.#json = json;
    this.#texts = tokenTexts(json);
    this.special = special;
    this.vocabularySize = this.#texts.length;
    const added = new Set(json.added_tokens.map(({ id }) => id));
    this.addedTokens = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
    this.#bytes = this.#texts.map((text, id) => (added.has(id) ? undefined : fromByteAlphabet(text)));
    this.#plainTexts = this.#bytes.map((bytes) => (bytes === undefined ? undefined : wholeText(bytes)));
    this.#idOf = new Map(this.#texts.flatMap((text, id) => (added.has(id) ? [] : [[text, id]])));
    const byte = BYTE_CHARACTERS.findIndex((character) => !this.#idOf.has(character));
    if (byte >= 0) {
      throw new KitError(
        `the vocabulary has no token for the byte ${byte}`,
        "use a byte-level BPE that was trained with the whole byte alphabet",
        { field: "model.vocab" },
      );
    }
    this.hash = hashJson({ kind: this.kind, json, special });
    const { model } = libraryTokenizer(json);
    if (model === null) throw new TypeError("the Hugging Face library made no model");
    const mergeShort = shortWordMerger(json);
    this.#merge = (word) => mergeShort(word) ?? model.encode([word]);
  }

  encode(text: string): Encoding {
    if (/\p{Surrogate}/u.test(text)) {
      throw new KitError(
        `the text holds half a character and cannot be written as UTF-8: ${JSON.stringify(text.slice(0, 60))}`,
        "remove it from the data",
      );
    }
    if (this.#json.normalizer != null && text !== text.normalize("NFC")) {
      throw new KitError(
        `this tokenizer would change the text, which is not in Unicode's composed form (NFC): ${JSON.stringify(text.slice(0, 60))}`,
        'normalise the data first (text.normalize("NFC"))',
      );
    }
    const ids: number[] = [];
    const byteEnds: number[] = [];
    let bytes = 0;
    for (const word of this.#cut(text)) {
      const encoded = this.#encodeWord(word);
      for (let index = 0; index < encoded.ids.length; index++) {
        ids.push(encoded.ids[index] ?? 0);
        byteEnds.push(bytes + (encoded.byteEnds[index] ?? 0));
      }
      bytes += encoded.byteEnds[encoded.byteEnds.length - 1] ?? 0;
    }
    return { ids, byteEnds };
  }

  decode(ids: readonly number[]): string {
    let text = "";
    let cut: Uint8Array[] = [];
    const flush = (): void => {
      if (cut.length > 0) text += DECODER.decode(Buffer.concat(cut));
      cut = [];
    };
    for (const id of ids) {
      if (this.#texts[id] === undefined) throw new RangeError(`no token has the id ${id}`);
      const bytes = this.#bytes[id];
      if (bytes === undefined) continue;
      const whole = this.#plainTexts[id];
      if (whole !== undefined && cut.length === 0) {
        text += whole;
        continue;
      }
      // Behind the beginning of a character: what becomes of bytes that make none is the decoder's business.
      cut.push(bytes);
      if (whole !== undefined) flush();
    }
    flush();
    return text;
  }

  /** The token's text; bytes that are no characters by themselves as in `<0xE2>`. */
  tokenText(id: number): string {
    const text = this.#texts[id];
    if (text === undefined) throw new RangeError(`no token has the id ${id}`);
    const bytes = this.#bytes[id];
    if (bytes === undefined) return text;
    return (
      this.#plainTexts[id] ??
      Array.from(bytes, (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("")
    );
  }

  save(directory: string): void {
    writeTokenizerFiles(directory, this.#json, this.special, this.#config);
  }

  #encodeWord(word: string): EncodedWord {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const ids: number[] = [];
    const byteEnds: number[] = [];
    let bytes = 0;
    const whole = toByteAlphabet(word);
    const isToken = this.#json.model.ignore_merges === true && this.#idOf.has(whole);
    for (const token of isToken ? [whole] : this.#merge(whole)) {
      const id = this.#idOf.get(token);
      if (id === undefined) throw new RangeError(`the model wrote the unknown token "${token}"`);
      bytes += token.length;
      ids.push(id);
      byteEnds.push(bytes);
    }
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
    const encoded = { ids, byteEnds };
    this.#cache.set(word, encoded);
    return encoded;
  }
}
