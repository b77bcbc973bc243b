import { capitalized, withArticle, type Word } from "./words.js";

/** What stands in a slot: a word with forms, or a text that has only one. */
export type Term = string | Word;

/** The names of the slots of a frame's text, found by the compiler: `"{person} {verb|past}"` has person and verb. */
export type SlotNames<Text extends string> = Text extends `${string}{${infer Slot}}${infer Rest}`
  ? (Slot extends `${infer Name}|${string}` ? Name : Slot) | SlotNames<Rest>
  : never;

/**
 * A sentence with typed slots. `{name}` stands for a term as it is, `{name|form}` for a form of it:
 *
 * - `a`: with its indefinite article; `plural`; `past`, `third`, `participle`, `ing`: of a verb;
 * - `agrees:subject`: the present of a verb that agrees with the term in the slot `subject`;
 * - `is`: followed by "is" or "are", by its number.
 *
 * The first letter of the sentence becomes a capital.
 */
export interface Frame<Name extends string> {
  readonly text: string;
  /** The sentence with its slots filled. */
  fill(terms: Readonly<Record<Name, Term>>): string;
  /** The slots' texts in a sentence that the frame could have made, or undefined; the inverse of `fill`. */
  match(sentence: string): Readonly<Record<Name, string>> | undefined;
}

type Part = string | { readonly name: string; readonly form: string };

/** A frame from its text. */
export function frame<const Text extends string>(text: Text): Frame<SlotNames<Text>> {
  const parts = parse(text);
  const names = parts.flatMap((part) => (typeof part === "string" ? [] : [part.name]));
  const source = parts.map((part) => (typeof part === "string" ? escaped(part) : slotPattern(part.form)));
  const pattern = new RegExp(`^${source.join("")}$`, "i");
  return {
    text,
    fill(terms) {
      const known: Readonly<Record<string, Term>> = terms;
      return capitalized(
        parts
          .map((part) =>
            typeof part === "string" ? part : inflect(termIn(known, part.name), part.form, known),
          )
          .join(""),
      );
    },
    match(sentence) {
      const found = pattern.exec(sentence);
      if (found === null) return undefined;
      const entries = names.map((name, index) => [name, found[index + 1] ?? ""]);
      return Object.fromEntries(entries) as Record<SlotNames<Text>, string>;
    },
  };
}

/** Several frames that can stand for one another: they share their slots. */
export function frames<const Text extends string>(...texts: readonly Text[]): Frame<SlotNames<Text>>[] {
  return texts.map((text) => frame(text));
}

/** What the first of the frames that fits a sentence finds in it. */
export function matchAny<Name extends string>(
  choices: readonly Frame<Name>[],
  sentence: string,
): Readonly<Record<Name, string>> | undefined {
  for (const choice of choices) {
    const found = choice.match(sentence);
    if (found !== undefined) return found;
  }
  return undefined;
}

function parse(text: string): Part[] {
  return text.split(/(\{[^}]+\})/).flatMap((piece): Part[] => {
    if (piece === "") return [];
    if (!piece.startsWith("{")) return [piece];
    const [name = "", form = ""] = piece.slice(1, -1).split("|");
    return [{ name, form }];
  });
}

function termIn(terms: Readonly<Record<string, Term>>, name: string): Term {
  const term = terms[name];
  if (term === undefined) throw new RangeError(`a frame's slot "${name}" is empty`);
  return term;
}

function inflect(term: Term, form: string, terms: Readonly<Record<string, Term>>): string {
  const word: Word = typeof term === "string" ? { text: term } : term;
  if (form.startsWith("agrees:")) {
    const subject = termIn(terms, form.slice("agrees:".length));
    return isPlural(subject) ? word.text : (word.third ?? word.text);
  }
  switch (form) {
    case "":
      return word.text;
    case "a":
      return withArticle(word.text);
    case "is":
      return `${word.text} ${isPlural(term) ? "are" : "is"}`;
    case "plural":
    case "past":
    case "third":
    case "participle":
    case "ing": {
      const inflected = word[form];
      if (inflected === undefined) throw new RangeError(`"${word.text}" has no form "${form}"`);
      return inflected;
    }
    default:
      throw new RangeError(`a frame asks for the unknown form "${form}"`);
  }
}

function isPlural(term: Term): boolean {
  return typeof term !== "string" && term.number === "plural";
}

function slotPattern(form: string): string {
  if (form === "a") return "an? (.+?)";
  return form === "is" ? "(.+?) (?:is|are)" : "(.+?)";
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
