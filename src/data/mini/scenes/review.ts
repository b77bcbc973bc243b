import type { Random } from "../../../support/random.js";
import { frames, type Frame } from "../grammar/frame.js";
import { ASPECTS, BLAME, DEGREES, PRAISE } from "../lexicon/opinions.js";

/** What a review is about. */
export type ReviewTarget = keyof typeof ASPECTS;
/** How the opinion is said: with a word, with the negation of a word, or against a smaller one of the other kind. */
export type ReviewLevel = "easy" | "medium" | "hard";
export type Polarity = "Positive" | "Negative";

/** What may be used: the lists are disjoint between the splits of a task. */
export interface OpinionWords {
  readonly praise: readonly string[];
  readonly blame: readonly string[];
}

const NAMES: Readonly<Record<ReviewTarget, readonly string[]>> = {
  film: ["movie", "film"],
  book: ["book", "novel"],
  shop: ["shop", "store"],
  meal: ["meal", "dinner"],
};

/** Opinions said outright, about the whole. The first is the article's own. */
const EASY = frames(
  "The {target} was {word}!",
  "What {word|a} {target} this was!",
  "The {target} was {degree} {word}.",
  "I think the {target} was {word}.",
  "The {aspect} of the {target} was {degree} {word}.",
  "Everybody said that the {target} was {word}.",
  "For me it was {word|a} {target}.",
  "In the end the {target} was {degree} {word}.",
);

/** The opinion is the opposite of the word. */
const NEGATED = frames(
  "The {target} was not {word}.",
  "The {target} was never {word}.",
  "I do not think that the {target} was {word}.",
  "Nobody could say that the {target} was {word}.",
  "The {aspect} of the {target} was not {word} at all.",
);

/** The word after "whole" decides; the other is of the other kind. */
const CONTRAST = frames(
  "The {aspect} was {other}, but as a whole the {target} was {word}.",
  "As a whole the {target} was {word}, although the {aspect} was {other}.",
  "Some said that the {aspect} was {other}, but as a whole the {target} was {word}.",
  "The {target} as a whole was {word}, only the {aspect} was {other}.",
);

/** A review of one sentence with its opinion. */
export function drawReview(
  target: ReviewTarget,
  polarity: Polarity,
  level: ReviewLevel,
  { praise, blame }: OpinionWords,
  random: Random,
): string {
  const [same, opposite] = polarity === "Positive" ? [praise, blame] : [blame, praise];
  const terms = {
    target: random.choice(NAMES[target]),
    aspect: random.choice(ASPECTS[target]),
    degree: random.choice(DEGREES),
    word: random.choice(level === "medium" ? opposite : same),
    other: random.choice(opposite),
  };
  const choices = { easy: EASY, medium: NEGATED, hard: CONTRAST }[level] as readonly Frame<
    keyof typeof terms
  >[];
  return random.choice(choices).fill(terms);
}

const POLARITY = new Map<string, Polarity>([
  ...PRAISE.map((word): [string, Polarity] => [word, "Positive"]),
  ...BLAME.map((word): [string, Polarity] => [word, "Negative"]),
]);

/** The opinion of a review, read from its text: the perfect solver. */
export function polarityOf(review: string): Polarity {
  const words: readonly string[] = review.toLowerCase().match(/[a-z]+/g) ?? [];
  const opinions = words.flatMap((word, place) => {
    const polarity = POLARITY.get(word);
    return polarity === undefined ? [] : [{ polarity, place }];
  });
  const whole = words.indexOf("whole");
  // The opinion about the whole is the first one after that word.
  const decisive = opinions.find(({ place }) => place > whole) ?? opinions[0];
  if (decisive === undefined) throw new RangeError(`"${review}" holds no opinion`);
  const negated = words.slice(0, decisive.place).some((word) => ["not", "never", "nobody"].includes(word));
  const opposite = decisive.polarity === "Positive" ? "Negative" : "Positive";
  return negated ? opposite : decisive.polarity;
}
