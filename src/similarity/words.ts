/** A letter of a script that is written without blanks between words: each stands for itself. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]/u;

/** A run of letters and digits, or one sign that carries meaning in formulas and code. */
const WORD = /[\p{L}\p{M}\p{N}_]+|[\p{S}*/%&#@\\-]/gu;

/**
 * The words of a text in lower case. Punctuation and white space are left out, so that two copies of a sentence agree
 * whatever stands around them; operators stay, so that "2 + 3" and "2 - 3" differ.
 */
export function wordsOf(text: string): string[] {
  const words = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  return UNSPACED.test(text) ? words.flatMap(splitUnspaced) : words;
}

/** A text without the differences that a copy picks up on its way: Unicode form, case, runs of white space. */
export function plainText(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
}

function splitUnspaced(word: string): string[] {
  const parts: string[] = [];
  let run = "";
  for (const letter of word) {
    if (UNSPACED.test(letter)) {
      if (run !== "") parts.push(run);
      run = "";
      parts.push(letter);
    } else run += letter;
  }
  if (run !== "") parts.push(run);
  return parts;
}
