import type { Random } from "../../../support/random.js";
import { frames } from "../grammar/frame.js";
import type { Word } from "../grammar/words.js";
import { ACTIONS, DAYS, MANNERS, NUMBERS, TIMES } from "../lexicon/actions.js";
import { MEN, WOMEN } from "../lexicon/people.js";
import { TOWNS } from "../lexicon/places.js";
import { COLOURS, THINGS, type Thing } from "../lexicon/things.js";

/** What a sentence of the grid is made of: the structure that a solver of its tasks has to find. */
export interface GridParts {
  /** First name. */
  readonly person: string;
  readonly action: Word;
  readonly manner: string;
  readonly colour: string;
  /** One of them, with a colour. */
  readonly one: Thing;
  /** Several of them, with a number; of another kind than `one`. */
  readonly several: Thing;
  /** A number word from two on. */
  readonly number: string;
  readonly town: string;
  readonly day: string;
  readonly time: string;
}

/** A sentence with its structure; every word that a task can ask for stands in it once. */
export interface GridText {
  readonly text: string;
  readonly parts: GridParts;
}

/** Sentences of 13 to 15 words in which every part stands at different places. */
const FRAMES = frames(
  "On {day} at {time} {person} {manner} {action|past} {colour|a} {one} and {number} {several|plural} in {town}.",
  "At {time} on {day} {person} {action|past} {number} {several|plural} and {colour|a} {one} {manner} near {town}.",
  "{person} {manner} {action|past} {colour|a} {one} with {number} {several|plural} in {town} on {day} at {time}.",
  "In {town} {person} {action|past} {number} {several|plural} and {colour|a} {one} {manner} at {time} on {day}.",
  "{person} {action|past} {colour|a} {one} and then {number} {several|plural} at {time} near {town} on {day}, {manner}.",
  "Near {town} on {day} {person} {manner} {action|past} {number} {several|plural} with {colour|a} {one} at {time}.",
  "At {time} {person} {action|past} {colour|a} {one} in {town} and on {day} {manner} {number} {several|plural}.",
  "On {day} {person} went to {town} at {time} and {manner} {action|past} {number} {several|plural} and {colour|a} {one}.",
);

const FIRST_NAMES = [...WOMEN, ...MEN];

/** Draws a sentence. */
export function drawGridText(random: Random): GridText {
  const one = random.choice(THINGS);
  const parts: GridParts = {
    person: random.choice(FIRST_NAMES),
    action: random.choice(ACTIONS),
    manner: random.choice(MANNERS),
    colour: random.choice(COLOURS),
    one,
    several: random.choice(THINGS.filter(({ kind }) => kind !== one.kind)),
    number: random.choice(NUMBERS.slice(2)),
    town: random.choice(TOWNS),
    day: random.choice(DAYS),
    time: random.choice(TIMES),
  };
  return { text: random.choice(FRAMES).fill({ ...parts }), parts };
}

/** The words of a text in order, without punctuation. */
export function wordsOf(text: string): string[] {
  return text.match(/[A-Za-z'-]+/g) ?? [];
}
