import { join } from "node:path";
import { z } from "zod";
import type { Encoding, SpecialTokens, Tokenizer } from "../data/tokenizer.js";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import { hashJson } from "../support/hash.js";
import { addedTokenSchema, checkJson, readSpecialTokens, writeTokenizerFiles } from "./json.js";
import { charactersOf, type NormalCharacter, type Normalizer, normalizerOf } from "./normalizer.js";
import { UnigramPaths } from "./unigram-path.js";
import { WordPieces } from "./word-pieces.js";

const component = z.looseObject({ type: z.string() });

const schema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  post_processor: component.nullish(),
  decoder: component.nullish(),
  model: z.looseObject({
    type: z.literal("Unigram"),
    unk_id: z.int().nonnegative(),
    vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
    byte_fallback: z.literal(false).optional(),
  }),
});

/** The parts of a Hugging Face `tokenizer.json` with a Unigram model that the kit reads; other fields are kept. */
type UnigramJson = z.infer<typeof schema>;

/** What stands for a blank in pieces. */
const BLANK = "▁";

/** Unicode white space, at which words are cut. */
const SPACE = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/u;

/**
 * T5's kind of tokenizer (SentencePiece's Unigram): the text is normalised and cut at white space, each word begins with
 * a blank, and is cut into its most probable pieces. White space and characters without a piece do not come back:
 * decoding gives what the model saw. Ids beyond the vocabulary decode to nothing: T5's models have rows that no token
 * uses (32,128 for 32,100), and an untrained one may say them. The end token that its post-processor writes is the renderer's business.
 */
export class UnigramTokenizer implements Tokenizer {
  readonly kind = "unigram";
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /** Tokens that stand for themselves, the sentinels of T5 among them; the unknown token, which text may become, is not. */
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly hash: string;
  readonly #json: UnigramJson;
  readonly #config: object;
  readonly #texts: readonly string[];
  readonly #added: ReadonlySet<number>;
  readonly #normalize: Normalizer;
  readonly #pieces: WordPieces;

  private constructor(json: UnigramJson, special: SpecialTokens, config: object, normalize: Normalizer) {
    const { vocab, unk_id: unknown } = json.model;
    this.#json = json;
    this.#config = config;
    this.special = special;
    this.#normalize = normalize;
    const texts = vocab.map(([piece]) => piece);
    for (const { id, content } of json.added_tokens) texts[id] = content;
    this.#texts = texts;
    this.vocabularySize = texts.length;
    this.#added = new Set(json.added_tokens.map(({ id }) => id));
    this.addedTokens = new Map(
      json.added_tokens.flatMap(({ content, id }) => (id === unknown ? [] : [[content, id]])),
    );
    const paths = new UnigramPaths(vocab, unknown, this.#added);
    this.#pieces = new WordPieces((characters) => paths.cut(characters));
    this.hash = hashJson({ kind: this.kind, json, special });
  }

  /**
   * Loads `tokenizer.json` and `tokenizer_config.json`.
   * @throws KitError when a file is missing or corrupt, or asks for something that the kit does not do
   */
  static load(directory: string): UnigramTokenizer {
    const file = join(directory, "tokenizer.json");
    const json = checkJson(schema, readJsonFile(file), file);
    const normalize = normalizerOf(json.normalizer);
    const problem = typeof normalize === "string" ? normalize : unsupported(json);
    if (problem !== undefined || typeof normalize === "string") {
      throw new KitError(
        `the kit cannot load this tokenizer: ${problem ?? ""}`,
        "use a Unigram tokenizer built as T5's is: cut at white space, with a blank before each word",
        { file },
      );
    }
    const { special, config } = readSpecialTokens(directory, json);
    return new UnigramTokenizer(json, special, config, normalize);
  }

  encode(text: string): Encoding {
    return this.#pieces.encode(this.#words(text), text);
  }

  decode(ids: readonly number[]): string {
    const text = ids
      .map((id) => (this.#added.has(id) ? "" : (this.#texts[id] ?? "")))
      .join("")
      .replaceAll(BLANK, " ");
    return text.startsWith(" ") ? text.slice(1) : text;
  }

  tokenText(id: number): string {
    const text = this.#texts[id];
    if (text === undefined) throw new RangeError(`no token has the id ${id}`);
    return this.#added.has(id) ? text : text.replaceAll(BLANK, " ");
  }

  save(directory: string): void {
    writeTokenizerFiles(directory, this.#json, this.special, this.#config);
  }

  /** The normalised words of a text, each with a blank before it. */
  #words(text: string): NormalCharacter[][] {
    const words: NormalCharacter[][] = [];
    let word: NormalCharacter[] | undefined;
    let before = 0;
    for (const character of this.#normalize(charactersOf(text))) {
      if (SPACE.test(character.text)) {
        word = undefined;
      } else if (word === undefined) {
        // A word that begins with the blank's own character gets no second one, as in Metaspace.
        word = character.text === BLANK ? [] : [{ text: BLANK, byteEnd: before }];
        words.push(word);
      }
      word?.push(character);
      before = character.byteEnd;
    }
    return words.flatMap(splitAtBlanks);
  }
}

/** Metaspace cuts before each of the blank's characters, also where the text itself has one. */
function splitAtBlanks(word: readonly NormalCharacter[]): NormalCharacter[][] {
  const parts: NormalCharacter[][] = [];
  for (const character of word) {
    const last = parts.at(-1);
    if (last === undefined || character.text === BLANK) parts.push([character]);
    else last.push(character);
  }
  return parts;
}

/** What the kit would do otherwise than the file says, or undefined. */
function unsupported({ pre_tokenizer: cutter, decoder, model }: UnigramJson): string | undefined {
  const parts =
    cutter?.type === "Sequence" && Array.isArray(cutter.pretokenizers) ? cutter.pretokenizers : [];
  const [split, blank] = parts as readonly Record<string, unknown>[];
  if (parts.length !== 2 || split?.type !== "WhitespaceSplit" || !isMetaspace(blank)) {
    return "its pre-tokenizer is not WhitespaceSplit and Metaspace";
  }
  if (!isMetaspace(decoder ?? undefined)) return "its decoder is not Metaspace";
  return model.unk_id < model.vocab.length ? undefined : "its unknown token is not in its vocabulary";
}

function isMetaspace(json: Readonly<Record<string, unknown>> | undefined): boolean {
  return (
    json?.type === "Metaspace" &&
    json.replacement === BLANK &&
    json.split !== false &&
    (json.prepend_scheme === undefined ? json.add_prefix_space === true : json.prepend_scheme === "always")
  );
}
