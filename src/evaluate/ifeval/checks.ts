import { z } from "zod";
import type { Constraint } from "../../data/example.js";
import { type ErrorLocation, KitError } from "../../support/errors.js";
import { validate } from "../../support/validate.js";
import { isLower, isUpper, splitWords, strip, WORD_EDGE } from "../metrics/python-text.js";
import { detectLanguage } from "./language.js";
import { countSentences } from "./sentences.js";
import { treebankWords } from "./treebank-words.js";

/** Whether an answer holds to a constraint. */
export type Check = (answer: string) => boolean;

type Compile = (settings: unknown, location: ErrorLocation) => Check;

const RELATION = z.enum(["less than", "at least"]);
const COUNT = z.int().min(0);
const TEXT = z.string().min(1);

/** What a constraint asks for and how an answer is held against it. */
function define<Settings>(
  schema: z.ZodType<Settings>,
  follows: (answer: string, settings: Settings) => boolean,
): Compile {
  return (settings, location) => {
    const checked = validate(schema, settings, "the constraint", location);
    return (answer) => follows(answer, checked);
  };
}

const none = z.strictObject({});

/**
 * The 25 kinds of constraints of IFEval (Zhou et al. 2023), as `instructions.py` of Google's instruction_following_eval
 * (Apache-2.0) and lm-evaluation-harness 0.4.13 check them, quirks included. What differs:
 * - keywords, section words and the like are taken as plain text, there as regular expressions (the published prompts
 *   have none with a special character);
 * - languages are found by `detectLanguage`, there by `langdetect`; sentences by `countSentences`, there by NLTK's model;
 * - a setting that is missing is an error, there a random value; a "letter" that is none ("#" in two prompts) is counted
 *   as it is, there a random letter takes its place.
 */
const KINDS: Readonly<Record<string, Compile>> = {
  "keywords:existence": define(z.strictObject({ keywords: z.array(TEXT).min(1) }), (answer, { keywords }) =>
    keywords.every((keyword) => plainText(keyword, "iu").test(answer)),
  ),
  "keywords:frequency": define(
    z.strictObject({ keyword: TEXT, frequency: COUNT, relation: RELATION }),
    (answer, { keyword, frequency, relation }) =>
      holds(count(answer, plainText(strip(keyword), "giu")), relation, frequency),
  ),
  "keywords:forbidden_words": define(
    z.strictObject({ forbidden_words: z.array(TEXT).min(1) }),
    (answer, { forbidden_words: words }) =>
      !words.some((word) => new RegExp(`${WORD_EDGE}${escape(word)}${WORD_EDGE}`, "iu").test(answer)),
  ),
  "keywords:letter_frequency": define(
    z.strictObject({ letter: z.string().length(1), let_frequency: COUNT, let_relation: RELATION }),
    (answer, { letter, let_frequency: frequency, let_relation: relation }) =>
      holds(answer.toLowerCase().split(letter.toLowerCase()).length - 1, relation, frequency),
  ),
  "language:response_language": define(z.strictObject({ language: TEXT }), (answer, { language }) =>
    isLanguage(answer, language),
  ),
  "length_constraints:number_sentences": define(
    z.strictObject({ num_sentences: COUNT, relation: RELATION }),
    (answer, { num_sentences: wanted, relation }) => holds(countSentences(answer), relation, wanted),
  ),
  "length_constraints:number_words": define(
    z.strictObject({ num_words: COUNT, relation: RELATION }),
    (answer, { num_words: wanted, relation }) =>
      // With combining marks, as NLTK from 3.10 on; before, they ended a word.
      holds(count(answer, /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]+/gu), relation, wanted),
  ),
  "length_constraints:number_paragraphs": define(
    z.strictObject({ num_paragraphs: COUNT }),
    (answer, { num_paragraphs: wanted }) => {
      const paragraphs = answer.split(/\s?\*\*\*\s?/u).map(strip);
      // Empty at an end: the divider stands there. Empty within: two dividers, which is wrong.
      if (paragraphs.slice(1, -1).includes("")) return false;
      return paragraphs.filter((text) => text !== "").length === wanted;
    },
  ),
  "length_constraints:nth_paragraph_first_word": define(
    z.strictObject({ num_paragraphs: COUNT, nth_paragraph: z.int().min(1), first_word: TEXT }),
    (answer, { num_paragraphs: wanted, nth_paragraph: nth, first_word: word }) => {
      const paragraphs = answer.split("\n\n").map(strip);
      const count = paragraphs.filter((text) => text !== "").length;
      const [first = ""] = splitWords(paragraphs[nth - 1] ?? "");
      if (nth > count || first === "") return false;
      const [start = ""] = first
        .replace(/^'+/, "")
        .replace(/^"+/, "")
        .split(/[.,?!'"]/);
      return count === wanted && start.toLowerCase() === word.toLowerCase();
    },
  ),
  "detectable_content:number_placeholders": define(
    z.strictObject({ num_placeholders: COUNT }),
    (answer, { num_placeholders: least }) => count(answer, /\[[^\n]*?\]/gu) >= least,
  ),
  "detectable_content:postscript": define(
    z.strictObject({ postscript_marker: TEXT }),
    (answer, { postscript_marker: marker }) => {
      const known: Readonly<Record<string, RegExp>> = { "P.P.S": /p\.\s?p\.\s?s/u, "P.S.": /p\.\s?s\./u };
      const wanted = strip(marker);
      return (known[wanted] ?? plainText(wanted.toLowerCase(), "u")).test(answer.toLowerCase());
    },
  ),
  "detectable_format:number_bullet_lists": define(
    z.strictObject({ num_bullets: COUNT }),
    (answer, { num_bullets: wanted }) =>
      count(answer, /(?<=^|\n)\s*\*[^*][^\n]*(?=\n|$)/gu) + count(answer, /(?<=^|\n)\s*-[^\n]*(?=\n|$)/gu) ===
      wanted,
  ),
  "detectable_format:constrained_response": define(none, (answer) =>
    ["My answer is yes.", "My answer is no.", "My answer is maybe."].some((option) =>
      answer.includes(option),
    ),
  ),
  "detectable_format:number_highlighted_sections": define(
    z.strictObject({ num_highlights: COUNT }),
    (answer, { num_highlights: least }) => {
      const single = (answer.match(/\*[^\n*]*\*/gu) ?? []).map((text) => text.replaceAll("*", ""));
      const double = (answer.match(/\*\*[^\n*]*\*\*/gu) ?? []).map((text) => text.slice(2, -2));
      return [...single, ...double].filter((text) => strip(text) !== "").length >= least;
    },
  ),
  "detectable_format:multiple_sections": define(
    z.strictObject({ section_spliter: TEXT, num_sections: COUNT }),
    (answer, { section_spliter: word, num_sections: least }) =>
      count(answer, new RegExp(`\\s?${escape(strip(word))}\\s?\\p{Nd}+\\s?`, "gu")) >= least,
  ),
  "detectable_format:json_format": define(none, isJson),
  "detectable_format:title": define(none, (answer) =>
    (answer.match(/<<[^\n]+>>/gu) ?? []).some((title) => strip(title.replace(/^<+|>+$/g, "")) !== ""),
  ),
  "combination:two_responses": define(none, (answer) => {
    const parts = answer.split("******").map(strip);
    const [first, second, ...others] = parts.filter((part) => part !== "");
    return (
      !parts.slice(1, -1).includes("") && second !== undefined && others.length === 0 && first !== second
    );
  }),
  "combination:repeat_prompt": define(
    z.strictObject({ prompt_to_repeat: TEXT }),
    (answer, { prompt_to_repeat: prompt }) =>
      strip(answer).toLowerCase().startsWith(strip(prompt).toLowerCase()),
  ),
  "startend:end_checker": define(z.strictObject({ end_phrase: TEXT }), (answer, { end_phrase: phrase }) =>
    strip(answer)
      .replace(/^"+|"+$/g, "")
      .toLowerCase()
      .endsWith(strip(phrase).toLowerCase()),
  ),
  "startend:quotation": define(none, (answer) => /^".*"$/su.test(strip(answer))),
  "change_case:capital_word_frequency": define(
    z.strictObject({ capital_frequency: COUNT, capital_relation: RELATION }),
    (answer, { capital_frequency: wanted, capital_relation: relation }) =>
      holds(treebankWords(answer).filter(isUpper).length, relation, wanted),
  ),
  "change_case:english_capital": define(none, (answer) => isUpper(answer) && isLanguage(answer, "en")),
  "change_case:english_lowercase": define(none, (answer) => isLower(answer) && isLanguage(answer, "en")),
  "punctuation:no_comma": define(none, (answer) => !answer.includes(",")),
};

/** The names of all kinds that can be checked. */
export const CONSTRAINT_KINDS: readonly string[] = Object.keys(KINDS);

/**
 * Makes the check of a constraint.
 * @throws KitError at `location` for a kind that cannot be checked or settings that do not fit it
 */
export function compileConstraint({ kind, settings }: Constraint, location: ErrorLocation = {}): Check {
  const compile = KINDS[kind];
  if (compile === undefined) {
    throw new KitError(
      `the constraint "${kind}" cannot be checked`,
      `use one of ${CONSTRAINT_KINDS.join(", ")}`,
      location,
    );
  }
  return compile(settings, location);
}

function holds(actual: number, relation: z.infer<typeof RELATION>, wanted: number): boolean {
  return relation === "less than" ? actual < wanted : actual >= wanted;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function plainText(text: string, flags: string): RegExp {
  return new RegExp(escape(text), flags);
}

/** A text without letters is in no language, and counts as right. */
function isLanguage(text: string, wanted: string): boolean {
  const found = detectLanguage(text);
  return found === undefined || found === wanted;
}

/** Python's `json.loads` of the answer without a code fence: as `JSON.parse`, but it reads NaN and Infinity as well. */
function isJson(answer: string): boolean {
  const body = ["```json", "```Json", "```JSON", "```"].reduce(
    (text, fence) => (text.startsWith(fence) ? text.slice(fence.length) : text),
    strip(answer),
  );
  const plain = strip(body.endsWith("```") ? body.slice(0, -3) : body);
  const finite = plain.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gu, (token) =>
    token.startsWith('"') ? token : "0",
  );
  try {
    JSON.parse(finite);
    return true;
  } catch {
    return false;
  }
}
