import { functionWords, type LanguageCode } from "./function-words.js";

/** Scripts that one language of the list writes alone. */
const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Hangul}/gu, "ko"],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, "ja"],
  [/\p{Script=Thai}/gu, "th"],
  [/\p{Script=Kannada}/gu, "kn"],
  [/\p{Script=Gujarati}/gu, "gu"],
  [/\p{Script=Telugu}/gu, "te"],
  [/\p{Script=Tamil}/gu, "ta"],
  [/\p{Script=Malayalam}/gu, "ml"],
  [/\p{Script=Bengali}/gu, "bn"],
  [/\p{Script=Gurmukhi}/gu, "pa"],
  [/\p{Script=Greek}/gu, "el"],
  [/\p{Script=Hebrew}/gu, "he"],
  [/\p{Script=Han}/gu, "zh-cn"],
];
/** Scripts that several languages share; its function words and letters tell them apart. */
const SHARED_SCRIPTS: readonly (readonly [RegExp, readonly LanguageCode[]])[] = [
  [/\p{Script=Devanagari}/gu, ["hi", "mr", "ne"]],
  [/\p{Script=Arabic}/gu, ["ar", "fa", "ur"]],
  [/\p{Script=Cyrillic}/gu, ["ru", "bg", "uk"]],
  [
    /\p{Script=Latin}/gu,
    ["en", "de", "fr", "es", "pt", "it", "nl", "fi", "sv", "da", "no", "sw", "vi", "pl", "tr", "id"],
  ],
];
/** Letters that only some of the languages of their script write. */
const LETTERS: Readonly<Partial<Record<LanguageCode, RegExp>>> = {
  de: /[äöüß]/gu,
  fr: /[éèêçàùœ]/gu,
  es: /[ñ¿¡áíóú]/gu,
  pt: /[ãõçáêó]/gu,
  it: /[àèìòù]/gu,
  fi: /[äö]|aa|ää|kk/gu,
  sv: /[åäö]/gu,
  da: /[æøå]/gu,
  no: /[æøå]/gu,
  vi: /[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/gu,
  pl: /[ąćęłńśźż]/gu,
  tr: /[ğışç]/gu,
  fa: /[پچژگ]/gu,
  ur: /[ٹڈڑںےہھ]/gu,
  ar: /[ةىأإ]/gu,
  ru: /[ыэё]/gu,
  uk: /[іїєґ]/gu,
  bg: /ъ/gu,
  mr: /[ळ]/gu,
};

/**
 * The language that most of a text is in: by its script, and within a script by its function words and special letters.
 * It always gives the same answer, unlike `langdetect`, which the published IFEval code calls and which draws random
 * numbers; it knows 33 languages (those of the IFEval prompts and some more), `langdetect` 55.
 * @returns an ISO 639-1 code ("zh-cn" for Chinese), or undefined for a text without letters
 */
export function detectLanguage(text: string): string | undefined {
  const lower = text.normalize("NFC").toLowerCase();
  const letters = (pattern: RegExp): number => lower.match(pattern)?.length ?? 0;
  const single = SCRIPTS.map(([pattern, code]) => ({ code: [code], count: letters(pattern) }));
  const shared = SHARED_SCRIPTS.map(([pattern, code]) => ({ code, count: letters(pattern) }));
  const kana = single.find(({ code }) => code[0] === "ja")?.count ?? 0;
  // Japanese writes Chinese characters too; a text with much kana is Japanese.
  const counts = [...single, ...shared].map((one) =>
    one.code[0] === "ja" ? { ...one, count: kana * 4 } : one,
  );
  const largest = counts.reduce((best, one) => (one.count > best.count ? one : best));
  if (largest.count === 0) return undefined;
  return largest.code.length === 1
    ? largest.code[0]
    : byWords(lower, largest.code as readonly LanguageCode[]);
}

function byWords(text: string, languages: readonly LanguageCode[]): LanguageCode | undefined {
  const words = text.match(/[\p{L}\p{M}']+/gu) ?? [];
  const scores = languages.map((language) => {
    const known = functionWords(language);
    const hits = words.filter((word) => known.has(word)).length;
    const special = LETTERS[language];
    const marked = special === undefined ? 0 : words.filter((word) => word.search(special) >= 0).length;
    return { language, score: hits + 0.5 * marked };
  });
  return scores.reduce((best, one) => (one.score > best.score ? one : best)).language;
}
