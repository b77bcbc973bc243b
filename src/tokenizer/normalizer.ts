import type { CharacterMap } from "./precompiled.js";
import { precompiledMap } from "./precompiled.js";

/** A normalised character and where what it stands for ends. */
export interface NormalCharacter {
  readonly text: string;
  /** UTF-8 bytes of the given text up to the end of what this character came from. */
  readonly byteEnd: number;
}

/** Makes one text of another, character by character. */
export type Normalizer = (characters: readonly NormalCharacter[]) => NormalCharacter[];

/** A normaliser of a `tokenizer.json`. */
interface NormalizerJson {
  readonly type: string;
  readonly [field: string]: unknown;
}

const SEGMENTER = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Longest grapheme, in UTF-8 bytes, that is looked up as a whole: `precompiled.rs` of Hugging Face `tokenizers`. */
const LONGEST_GRAPHEME = 5;

/** The characters of a text, unchanged. */
export function charactersOf(text: string): NormalCharacter[] {
  let byteEnd = 0;
  return Array.from(text, (character) => ({
    text: character,
    byteEnd: (byteEnd += Buffer.byteLength(character)),
  }));
}

/**
 * The normaliser of a Unigram tokenizer: SentencePiece's own map, Unicode forms, replacements, and sequences of these.
 * @returns a text that says what the kit cannot do, instead of a normaliser
 */
export function normalizerOf(json: NormalizerJson | null | undefined): Normalizer | string {
  if (json == null) return (characters) => [...characters];
  const { type } = json;
  if (type === "Sequence") {
    const parts = Array.isArray(json.normalizers)
      ? (json.normalizers as NormalizerJson[]).map(normalizerOf)
      : [];
    const problem = parts.find((part) => typeof part === "string");
    if (problem !== undefined) return problem;
    return (characters) =>
      (parts as Normalizer[]).reduce<NormalCharacter[]>((text, part) => part(text), [...characters]);
  }
  if (type === "Precompiled") {
    const map =
      typeof json.precompiled_charsmap === "string" ? precompiledMap(json.precompiled_charsmap) : undefined;
    if (map === undefined) return "its precompiled_charsmap is damaged";
    return (characters) => precompiled(characters, map);
  }
  if (type === "NFC" || type === "NFKC" || type === "NFD" || type === "NFKD") {
    return (characters) => byGrapheme(characters, (grapheme) => grapheme.normalize(type));
  }
  if (type === "Lowercase") {
    return (characters) => characters.flatMap((one) => spread(one.text.toLowerCase(), one.byteEnd));
  }
  return `its normalizer is ${type}`;
}

/** Whole graphemes where the map has them, else character by character. */
function precompiled(characters: readonly NormalCharacter[], map: CharacterMap): NormalCharacter[] {
  return graphemesOf(characters).flatMap((parts) => {
    const grapheme = parts.map(({ text }) => text).join("");
    const byteEnd = parts.at(-1)?.byteEnd ?? 0;
    const whole = Buffer.byteLength(grapheme) <= LONGEST_GRAPHEME ? map(grapheme) : undefined;
    if (whole !== undefined) return spread(whole, byteEnd);
    return parts.flatMap((one) => {
      const own = map(one.text);
      return own === undefined ? [one] : spread(own, one.byteEnd);
    });
  });
}

/** Changes each grapheme as a whole; where it stays as it is, its characters keep their ends. */
export function byGrapheme(
  characters: readonly NormalCharacter[],
  change: (grapheme: string) => string,
): NormalCharacter[] {
  return graphemesOf(characters).flatMap((parts) => {
    const grapheme = parts.map(({ text }) => text).join("");
    const changed = change(grapheme);
    return changed === grapheme ? parts : spread(changed, parts.at(-1)?.byteEnd ?? 0);
  });
}

/** A text whose characters all end where one character did. */
function spread(text: string, byteEnd: number): NormalCharacter[] {
  return Array.from(text, (character) => ({ text: character, byteEnd }));
}

/** The characters of each grapheme. */
function graphemesOf(characters: readonly NormalCharacter[]): NormalCharacter[][] {
  const text = characters.map((character) => character.text).join("");
  let place = 0;
  return Array.from(SEGMENTER.segment(text), ({ segment }) => {
    const parts: NormalCharacter[] = [];
    for (let length = 0; length < segment.length; place++) {
      const character = characters[place];
      if (character === undefined) break;
      parts.push(character);
      length += character.text.length;
    }
    return parts;
  });
}
