/** A word or a name with the forms that sentences need. What is left out is not asked for, or follows from `text`. */
export interface Word {
  /** The form of the dictionary: "lamp", "buy", "Mia Brook". */
  readonly text: string;
  /** Of a noun. */
  readonly plural?: string;
  /** Of a verb: "buys", "bought", "bought", "buying". */
  readonly third?: string;
  readonly past?: string;
  readonly participle?: string;
  readonly ing?: string;
  /** Grammatical number of a subject: decides the form of its verb. Singular where it is left out. */
  readonly number?: "singular" | "plural";
  /** Of a person: "he" or "she". */
  readonly pronoun?: "he" | "she";
}

/** A noun from its dictionary form; `plural` where the rule does not give it. */
export function noun(text: string, plural = pluralOf(text)): Word {
  return { text, plural };
}

/** A verb from its principal parts, "write wrote written"; the participle is the past where it is left out. */
export function verb(parts: string): Word {
  const [text = "", past = pastOf(text), participle = past] = parts.split(" ");
  return { text, third: thirdOf(text), past, participle, ing: ingOf(text) };
}

/** Nouns from a list, "mouse/mice, lamp". */
export function nouns(list: string): Word[] {
  return items(list).map((entry) => {
    const [singular = "", plural] = entry.split("/");
    return noun(singular, plural);
  });
}

/** The entries of a list that is written with commas. */
export function items(list: string): string[] {
  return list.split(",").map((entry) => entry.trim());
}

/** The indefinite article that a phrase takes: by its first sound, which is told from the letters. */
export function withArticle(phrase: string): string {
  const vowel = /^[aeio]|^u(?!ni|se|kul)|^hour|^honest/i.test(phrase);
  return `${vowel ? "an" : "a"} ${phrase}`;
}

/** The sentence with a capital at its beginning. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "a", "a and b", "a, b and c". */
export function conjunction(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1) ?? ""}`;
}

function pluralOf(text: string): string {
  if (/(?:s|x|z|ch|sh)$/.test(text)) return `${text}es`;
  if (/[^aeiou]y$/.test(text)) return `${text.slice(0, -1)}ies`;
  return `${text}s`;
}

function thirdOf(text: string): string {
  return text.endsWith("o") ? `${text}es` : pluralOf(text);
}

function pastOf(text: string): string {
  if (text.endsWith("e")) return `${text}d`;
  return /[^aeiou]y$/.test(text) ? `${text.slice(0, -1)}ied` : `${doubled(text)}ed`;
}

function ingOf(text: string): string {
  return /[^eyo]e$/.test(text) ? `${text.slice(0, -1)}ing` : `${doubled(text)}ing`;
}

/** Short verbs double their last consonant: drop, dropped. */
function doubled(text: string): string {
  return /^[^aeiou]*[aeiou][bdgklmnprt]$/.test(text) ? text + text.charAt(text.length - 1) : text;
}
