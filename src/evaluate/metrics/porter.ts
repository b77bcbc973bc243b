/**
 * The Porter stemmer with the extensions of NLTK (its default mode, which `rouge_score` uses). Step by step as in
 * M. Porter, "An algorithm for suffix stripping", Program 14.3 (1980), with NLTK's departures named where they occur.
 *
 *     stem("relational") = "relat"   stem("flies") = "fli"   stem("dies") = "die"
 */
export function stem(word: string): string {
  const lower = word.toLowerCase();
  const irregular = IRREGULAR.get(lower);
  if (irregular !== undefined) return irregular;
  if (lower.length <= 2) return lower;
  return [stepPlural, stepPast, stepFinalY, stepDouble, stepFul, stepLong, stepFinalE, stepFinalL].reduce(
    (text, step) => step(text),
    lower,
  );
}

/** NLTK's table of irregular forms. */
const IRREGULAR: ReadonlyMap<string, string> = new Map(
  Object.entries({
    sky: ["sky", "skies"],
    die: ["dying"],
    lie: ["lying"],
    tie: ["tying"],
    news: ["news"],
    inning: ["innings", "inning"],
    outing: ["outings", "outing"],
    canning: ["cannings", "canning"],
    howe: ["howe"],
    proceed: ["proceed"],
    exceed: ["exceed"],
    succeed: ["succeed"],
  }).flatMap(([root, forms]) => forms.map((form) => [form, root] as const)),
);

/** A suffix, what takes its place, and when; the first suffix that fits decides, whether its condition holds or not. */
type Rule = readonly [suffix: string, replacement: string, condition: (stem: string) => boolean];

const always = (): boolean => true;
const some = (text: string): boolean => measure(text) > 0;
const several = (text: string): boolean => measure(text) > 1;

function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const rest = word.slice(0, word.length - suffix.length);
    return condition(rest) ? rest + replacement : word;
  }
  return word;
}

/** Step 1a. NLTK: four-letter words in "ies" keep their "e". */
function stepPlural(word: string): string {
  if (word.endsWith("ies") && word.length === 4) return word.slice(0, -1);
  return applyFirst(word, [
    ["sses", "ss", always],
    ["ies", "i", always],
    ["ss", "ss", always],
    ["s", "", always],
  ]);
}

/** Step 1b. NLTK: "ied" becomes "ie" in four-letter words, else "i". */
function stepPast(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return some(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ["ed", "ing"].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (suffix === undefined) return word;
  const rest = word.slice(0, -suffix.length);
  if (["at", "bl", "iz"].some((end) => rest.endsWith(end))) return `${rest}e`;
  if (endsDoubled(rest)) return /[lsz]$/.test(rest) ? rest : rest.slice(0, -1);
  return measure(rest) === 1 && endsShort(rest) ? `${rest}e` : rest;
}

/** Step 1c. NLTK: only after a consonant that is not the whole stem ("happi", but "enjoy"). */
function stepFinalY(word: string): string {
  return applyFirst(word, [["y", "i", (text) => text.length > 1 && isConsonant(text, text.length - 1)]]);
}

/** Step 2. NLTK: "alli" first, then once more; "fulli"; "logi" with its "l" counted to the stem. */
function stepDouble(word: string): string {
  if (word.endsWith("alli") && some(word.slice(0, -4))) return stepDouble(word.slice(0, -2));
  return applyFirst(word, [
    ["ational", "ate", some],
    ["tional", "tion", some],
    ["enci", "ence", some],
    ["anci", "ance", some],
    ["izer", "ize", some],
    ["bli", "ble", some],
    ["alli", "al", some],
    ["entli", "ent", some],
    ["eli", "e", some],
    ["ousli", "ous", some],
    ["ization", "ize", some],
    ["ation", "ate", some],
    ["ator", "ate", some],
    ["alism", "al", some],
    ["iveness", "ive", some],
    ["fulness", "ful", some],
    ["ousness", "ous", some],
    ["aliti", "al", some],
    ["iviti", "ive", some],
    ["biliti", "ble", some],
    ["fulli", "ful", some],
    ["logi", "log", () => some(word.slice(0, -3))],
  ]);
}

/** Step 3. */
function stepFul(word: string): string {
  return applyFirst(word, [
    ["icate", "ic", some],
    ["ative", "", some],
    ["alize", "al", some],
    ["iciti", "ic", some],
    ["ical", "ic", some],
    ["ful", "", some],
    ["ness", "", some],
  ]);
}

/** Step 4. */
function stepLong(word: string): string {
  const plain = (suffix: string): Rule => [suffix, "", several];
  return applyFirst(word, [
    ...["al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent"].map(plain),
    ["ion", "", (text) => several(text) && /[st]$/.test(text)],
    ...["ou", "ism", "ate", "iti", "ous", "ive", "ize"].map(plain),
  ]);
}

/** Step 5a. */
function stepFinalE(word: string): string {
  if (!word.endsWith("e")) return word;
  const rest = word.slice(0, -1);
  const drop = several(rest) || (measure(rest) === 1 && !endsShort(rest));
  return drop ? rest : word;
}

/** Step 5b. */
function stepFinalL(word: string): string {
  return word.endsWith("ll") && several(word.slice(0, -1)) ? word.slice(0, -1) : word;
}

/** For each letter whether it is a consonant; "y" is one at the start and after a vowel. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = [];
  for (const letter of word) {
    flags.push(letter === "y" ? flags.at(-1) !== true : !"aeiou".includes(letter));
  }
  return flags;
}

/** Porter's m: how often a vowel is followed by a consonant. */
function measure(word: string): number {
  const flags = consonants(word);
  return flags.filter((consonant, index) => consonant && index > 0 && flags[index - 1] === false).length;
}

function hasVowel(word: string): boolean {
  return consonants(word).includes(false);
}

function isConsonant(word: string, index: number): boolean {
  return consonants(word)[index] === true;
}

/** Porter's *d: ends with a doubled consonant. */
function endsDoubled(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && isConsonant(word, word.length - 1);
}

/** Porter's *o: ends consonant, vowel, consonant, the last not w, x or y. NLTK: also a whole word of vowel, consonant. */
function endsShort(word: string): boolean {
  const flags = consonants(word);
  const [third, second, last] = flags.slice(-3);
  if (flags.length >= 3) return third === true && second === false && last === true && !/[wxy]$/.test(word);
  return flags.length === 2 && third === false && second === true;
}
