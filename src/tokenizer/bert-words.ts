import { byGrapheme, charactersOf, type NormalCharacter } from "./normalizer.js";
import { SPACE } from "./pre-tokenize.js";

/** How BERT's normaliser changes a text; the fields of `BertNormalizer` in a `tokenizer.json`. */
export interface BertNormalizer {
  /** Drops control characters, and makes every white space a blank. */
  readonly cleanText: boolean;
  /** Makes a word of each Chinese character. */
  readonly handleChinese: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** A character of a word, and where what it stands for ends in the text. */
export type WordCharacter = NormalCharacter;

const BLANK_CHARACTER = new RegExp(`^[${SPACE}]$`, "u");
const PUNCTUATION = /^(?:[!-/:-@[-`{-~]|\p{P})$/u;
/** What `clean_text` drops; tab, line feed and carriage return count as white space. */
const DROPPED = /^(?:[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}])$/u;
/** The blocks of Chinese characters of `is_chinese_char` in `normalizers/bert.rs` of Hugging Face `tokenizers`. */
const CHINESE =
  /^[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]$/u;
const PLAIN = /^[\t\n\r -~]*$/;
const PLAIN_WORD = /[0-9A-Za-z]+|[!-/:-@[-`{-~]/g;

/**
 * The words inside which WordPiece cuts: the text is normalised as BERT does it and cut at white space and around every
 * punctuation mark (`BertNormalizer` and `BertPreTokenizer` of Hugging Face `tokenizers`). Unicode's own tables decide
 * what is a mark, an accent or a control character: those of Node.js are newer than those of the Python package, so
 * characters that came to Unicode in the last years may fall differently.
 * @returns each word with the places where its characters end in the text
 */
export function bertWords(text: string, normalizer: BertNormalizer): WordCharacter[][] {
  if (PLAIN.test(text)) return plainWords(text, normalizer.lowercase);
  const words: WordCharacter[][] = [];
  let word: WordCharacter[] | undefined;
  for (const character of normalized(text, normalizer)) {
    if (BLANK_CHARACTER.test(character.text)) {
      word = undefined;
    } else if (PUNCTUATION.test(character.text)) {
      words.push([character]);
      word = undefined;
    } else if (word === undefined) {
      words.push((word = [character]));
    } else {
      word.push(character);
    }
  }
  return words;
}

/** ASCII alone: no accent, no control character, one byte a character. */
function plainWords(text: string, lowercase: boolean): WordCharacter[][] {
  const changed = lowercase ? text.toLowerCase() : text;
  return Array.from(changed.matchAll(PLAIN_WORD), ({ 0: word, index }) =>
    Array.from(word, (character, place) => ({ text: character, byteEnd: index + place + 1 })),
  );
}

function normalized(text: string, normalizer: BertNormalizer): WordCharacter[] {
  const { cleanText, handleChinese, stripAccents, lowercase } = normalizer;
  let characters = charactersOf(text);
  if (cleanText) {
    characters = characters
      .filter(({ text: one }) => !DROPPED.test(one))
      .map((character) => (BLANK_CHARACTER.test(character.text) ? { ...character, text: " " } : character));
  }
  if (handleChinese) {
    characters = characters.flatMap((character) => {
      const blank = { text: " ", byteEnd: character.byteEnd };
      return CHINESE.test(character.text) ? [blank, character, blank] : [character];
    });
  }
  if (stripAccents) {
    characters = byGrapheme(characters, (grapheme) => grapheme.normalize("NFD")).filter(
      ({ text: one }) => !/^\p{Mn}$/u.test(one),
    );
  }
  if (!lowercase) return characters;
  // Each character by itself: a sigma at the end of a word is like any other.
  return characters.flatMap(({ text: one, byteEnd }) =>
    Array.from(one.toLowerCase(), (lower) => ({ text: lower, byteEnd })),
  );
}
