import type { Random } from "../../../support/random.js";
import { ACTIONS, DAYS, MANNERS, NUMBERS, TIMES } from "../lexicon/actions.js";
import { MEN, WOMEN } from "../lexicon/people.js";
import { TOWNS } from "../lexicon/places.js";
import { COLOURS, KINDS, thingNamed } from "../lexicon/things.js";
import { type GridText, wordsOf } from "./text.js";

/** Which words a question may hold. */
export interface SlotWords {
  /** Words of the lexicon of things. */
  readonly allowsWord: (word: string) => boolean;
  readonly allowsKind: (kind: string) => boolean;
}

/** What is asked for in a text: the word that fills `{slot}`, and the answer. */
export interface Selection {
  readonly slot?: string;
  readonly answer: string;
}

/** What to find in a text. */
export interface Selector {
  readonly name: string;
  /** Noun phrases that ask for it; the last two are never trained on. */
  readonly wordings: readonly string[];
  /** Rows of its cells, relative to those of other selectors: looking a word up is learned last. */
  readonly weight: number;
  /** Chooses what to ask, from the structure of the text; undefined where the text has nothing to ask for. */
  select(text: GridText, random: Random, words: SlotWords): Selection | undefined;
  /** Finds the answer in the words of the text alone: the perfect solver. Every hit is returned, so that two show. */
  solve(words: readonly string[], slot: string): readonly string[];
}

const FIRST_NAMES = new Set([...WOMEN, ...MEN]);
const PAST = new Set(ACTIONS.map(({ past }) => past ?? ""));
const ORDINALS = ["first", "second", "third", "fourth", "last"] as const;

/** A selector whose answer is the one word of the text from a list. */
function ofList(
  name: string,
  list: Iterable<string>,
  partOf: (parts: GridText["parts"]) => string,
  wordings: readonly string[],
): Selector {
  const members = new Set(list);
  return {
    name,
    wordings,
    weight: 1,
    select: ({ parts }) => ({ answer: partOf(parts) }),
    solve: (words) => words.filter((word) => members.has(word)),
  };
}

/** A selector for the neighbour of a word, which is the slot. */
function neighbour(name: string, offset: 1 | -1, wordings: readonly string[]): Selector {
  return {
    name,
    wordings,
    weight: 2,
    select({ text }, random, { allowsWord }) {
      const words = wordsOf(text);
      const once = (word: string): boolean => words.indexOf(word) === words.lastIndexOf(word);
      const places = [...words.keys()].filter((place) => {
        const word = words[place] ?? "";
        const thing = thingNamed(word);
        return (
          words[place + offset] !== undefined && once(word) && (thing === undefined || allowsWord(thing.text))
        );
      });
      const place = random.choice(places);
      return { slot: words[place] ?? "", answer: words[place + offset] ?? "" };
    },
    solve: (words, slot) =>
      words.flatMap((word, place) => (word === slot ? [words[place + offset] ?? ""] : [])),
  };
}

const KIND: Selector = {
  name: "kind",
  wordings: [
    "the {slot}",
    "the {slot} in the text",
    "the {slot} that you find",
    "the {slot} that is mentioned",
    "the word for the {slot}",
  ],
  weight: 2,
  select({ parts }, random, { allowsKind }) {
    const choices = [
      { slot: parts.one.kind, answer: parts.one.text },
      { slot: parts.several.kind, answer: parts.several.plural },
    ].filter(({ slot }) => allowsKind(slot));
    return choices.length === 0 ? undefined : random.choice(choices);
  },
  solve: (words, slot) => words.filter((word) => thingNamed(word)?.kind === slot),
};

const POSITION: Selector = {
  name: "position",
  wordings: [
    "the {slot} word",
    "the {slot} word of the text",
    "the {slot} of the words",
    "the {slot} word that you read",
    "what stands {slot} in the text",
  ],
  weight: 1.5,
  select({ text }, random) {
    const slot = random.choice(ORDINALS);
    return { slot, answer: wordsOf(text).at(slot === "last" ? -1 : ORDINALS.indexOf(slot)) ?? "" };
  },
  solve: (words, slot) => [
    words.at(slot === "last" ? -1 : ORDINALS.findIndex((name) => name === slot)) ?? "",
  ],
};

/** Everything that a text can be asked for. */
export const SELECTORS: readonly Selector[] = [
  KIND,
  POSITION,
  neighbour("after", 1, [
    "the word after {slot}",
    "what comes after {slot}",
    "the word that follows {slot}",
    "the word right after {slot}",
    "the next word after {slot}",
  ]),
  neighbour("before", -1, [
    "the word before {slot}",
    "what comes before {slot}",
    "the word in front of {slot}",
  ]),
  ofList("person", FIRST_NAMES, ({ person }) => person, [
    "the person",
    "the name of the person",
    "the person in the text",
    "the name in the text",
    "the one who did it",
  ]),
  ofList("action", PAST, ({ action }) => action.past ?? "", [
    "the action",
    "the verb",
    "the action in the text",
    "what the person did",
    "the doing word",
  ]),
  ofList("place", TOWNS, ({ town }) => town, [
    "the town",
    "the place",
    "the town in the text",
    "the name of the town",
    "the place where it was",
  ]),
  ofList("colour", COLOURS, ({ colour }) => colour, [
    "the colour",
    "the colour in the text",
    "the colour word",
    "the name of the colour",
    "the colour that you read",
  ]),
  ofList("number", NUMBERS, ({ number }) => number, [
    "the number",
    "the number in the text",
    "the number word",
    "the count",
    "how many there were",
  ]),
  ofList("time", TIMES, ({ time }) => time, [
    "the time",
    "the time of day",
    "the time in the text",
    "the hour of the day",
    "at what time it was",
  ]),
  ofList("manner", MANNERS, ({ manner }) => manner, [
    "the manner",
    "the way it was done",
    "the manner in the text",
    "the adverb",
    "how it was done",
  ]),
  ofList("day", DAYS, ({ day }) => day, ["the day", "the day of the week", "the weekday"]),
];

/** Kinds that no training instruction names; their words occur in texts, and other tasks answer with the kinds. */
export const HELD_OUT_KINDS: readonly string[] = KINDS.filter((_, index) => index % 6 === 3);
