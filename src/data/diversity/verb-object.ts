import nlp from "compromise/two";

/** What an instruction asks for: "Write a short story about a dog" is `{ verb: "write", object: "story" }`. */
export interface VerbObject {
  /** The root verb in its base form. */
  readonly verb: string;
  /** The head noun of its direct object, singular; absent where there is none ("Explain how ..."). */
  readonly object?: string;
}

/** A word with the tags that compromise gives it. */
interface Term {
  readonly normal: string;
  readonly root: string;
  readonly tags: ReadonlySet<string>;
  /** A comma, colon or other mark stands before it. */
  readonly clauseStart: boolean;
}

/** An instruction says what it wants in its first sentences; the rest is detail. */
const SENTENCES_READ = 4;
const CHARACTERS_READ = 800;

/**
 * The root verb of an instruction and its direct object, as in the diversity figure of Self-Instruct (Wang et al. 2023,
 * arXiv 2212.10560). There a constituency parser finds them; here they come from the part-of-speech tags of the
 * `compromise` library and these rules. The verb is the first that is asked for:
 *
 *     Write ...    Please write ...    Given a text, write ...    Can you write ...    Your task is to write ...
 *
 * Its object is the last noun of the first noun phrase behind it, unless a preposition, a conjunction or another verb
 * comes first.
 *
 * Limits: English only; a question that asks for nothing to be done ("What is ...?") has no verb; a request after more
 * than four sentences is not seen; the library tags some nouns as verbs and the other way round. The accuracy on
 * instructions labelled by hand is held by `tests/data/verb-object.test.ts`.
 * @returns undefined where no verb is found
 */
export function verbObject(instruction: string): VerbObject | undefined {
  const sentences = sentencesOf(instruction.slice(0, CHARACTERS_READ)).slice(0, SENTENCES_READ);
  for (const isVerb of [isRequest, isOpeningGerund]) {
    for (const sentence of sentences) {
      const at = sentence.findIndex((_, index) => isVerb(sentence, index));
      const verb = sentence[at];
      if (verb === undefined) continue;
      const object = objectAfter(sentence, at);
      return object === undefined ? { verb: verb.root } : { verb: verb.root, object };
    }
  }
  return undefined;
}

/** Words that may stand before an imperative. */
const LEADING = new Set(["please", "and", "then", "now", "first", "next", "also", "kindly", "just"]);
/** With one of these before it, "to write" is what is asked for. */
const REQUESTING = new Set(
  "task job goal need needs have required asked expected supposed try instructed".split(" "),
);
/** Behind one of these a clause opens, so the word before it is no subject: "Tell if ...", "Parse the ...". */
const AFTER_VERB = new Set([
  "if",
  "whether",
  "to",
  "into",
  "out",
  "up",
  "the",
  "a",
  "an",
  "this",
  "these",
  "each",
]);
/** Nouns to the library that name nothing. */
const NAMELESS = new Set("of following all something anything one ones them it".split(" "));
/** Words that the library takes for verbs and that no instruction asks for. */
const NEVER_VERBS = new Set(["sentence", "question", "paragraph", "passage", "context"]);
/** Words between a verb and its object that are neither determiners nor adjectives: "make up a `plan`". */
const BEFORE_OBJECT = new Set(["all", "of", "each", "given", "up", "out", "down", "following"]);

/** Whether the sentence asks for what the word at an index says. */
function isRequest(sentence: readonly Term[], index: number): boolean {
  const term = sentence[index];
  if (term === undefined) return false;
  const before = sentence.slice(0, index);
  // "Your task is to write", "you need to write", "you are expected to write".
  const verb = isBaseVerb(term) || isVerbLike(term, sentence[index + 1]);
  if (!verb) return false;
  if (before.at(-1)?.normal === "to") return before.some(({ normal }) => REQUESTING.has(normal));
  if (isBaseVerb(term) && asksYou(before)) return true;
  // "Write", "please write", "then carefully write", "given a text, write", "your job: write".
  const clause = term.clauseStart ? [] : before.slice(before.findLastIndex(({ clauseStart }) => clauseStart));
  return clause.every(
    ({ tags, normal }) => tags.has("Adverb") || tags.has("Expression") || LEADING.has(normal),
  );
}

/** "You should write", "can you write"; not "how can you write", which asks for an explanation. */
function asksYou(before: readonly Term[]): boolean {
  const near = before.slice(-3);
  return (
    near.some(({ tags }) => tags.has("Modal")) &&
    near.some(({ normal }) => normal === "you") &&
    !before.some(({ tags }) => tags.has("QuestionWord"))
  );
}

function isBaseVerb({ tags, normal }: Term): boolean {
  const verb = tags.has("Infinitive") || tags.has("Imperative");
  return verb && !NEVER_VERBS.has(normal) && !tags.has("Auxiliary") && !tags.has("Copula");
}

function isPresent({ tags }: Term): boolean {
  return tags.has("PresentTense") && !tags.has("Gerund") && !tags.has("Copula");
}

/** "Parse the text", where the library takes "parse" for a noun. */
function isVerbLike({ tags, normal }: Term, next: Term | undefined): boolean {
  return (
    !NEVER_VERBS.has(normal) &&
    tags.has("Singular") &&
    !tags.has("ProperNoun") &&
    next !== undefined &&
    AFTER_VERB.has(next.normal)
  );
}

/** "Solving the equation.": an instruction that is written as a title. */
function isOpeningGerund(sentence: readonly Term[], index: number): boolean {
  return index === 0 && sentence[0]?.tags.has("Gerund") === true;
}

/** The head noun of the first noun phrase behind the verb. */
function objectAfter(sentence: readonly Term[], at: number): string | undefined {
  let head: Term | undefined;
  let inPhrase = false;
  for (const term of sentence.slice(at + 1)) {
    // Inside a noun phrase the library's verbs are nouns: "a knock knock `joke`", "the country `names`".
    const noun: boolean = isNoun(term) || (inPhrase && isPresent(term));
    if (head !== undefined && (!noun || term.clauseStart)) break;
    if (noun) head = term;
    else if (!mayStandBefore(term)) break;
    inPhrase = noun || term.tags.has("Determiner") || term.tags.has("Adjective");
  }
  return head?.root;
}

function isNoun({ tags, normal }: Term): boolean {
  return (
    /\p{L}/u.test(normal) &&
    tags.has("Noun") &&
    !tags.has("Pronoun") &&
    !tags.has("Possessive") &&
    !NAMELESS.has(normal)
  );
}

/** Words between a verb and its object: "write me the two very short `stories`". */
function mayStandBefore({ tags, normal }: Term): boolean {
  const kinds = ["Determiner", "Adjective", "Adverb", "Possessive", "Value", "Pronoun", "Participle"];
  return kinds.some((kind) => tags.has(kind)) || BEFORE_OBJECT.has(normal);
}

function sentencesOf(text: string): Term[][] {
  const document = nlp(text);
  document.compute("root");
  const sentences = document.json() as readonly {
    readonly terms: readonly {
      readonly normal: string;
      readonly root?: string;
      readonly tags: readonly string[];
      readonly pre: string;
      readonly post: string;
    }[];
  }[];
  return sentences.map(({ terms }) =>
    terms.map(({ normal, root, tags, pre }, index) => ({
      normal,
      root: root ?? normal,
      tags: new Set(tags),
      clauseStart: index === 0 || /[,:;()]|\s[-–]/.test((terms[index - 1]?.post ?? "") + pre),
    })),
  );
}
