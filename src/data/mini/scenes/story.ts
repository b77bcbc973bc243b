import type { Random } from "../../../support/random.js";
import { type Frame, frames, matchAny } from "../grammar/frame.js";
import type { Word } from "../grammar/words.js";
import { ACTIONS, DAYS, MANNERS } from "../lexicon/actions.js";
import { COLOURS, THINGS, type Thing } from "../lexicon/things.js";
import type { Person } from "../world.js";

/** What happens in a tiny story. */
export interface Story {
  readonly hero: Person;
  readonly friend: Person;
  readonly town: string;
  readonly day: string;
  readonly action: Word;
  readonly manner: string;
  readonly thing: Thing;
  readonly colour: string;
  /** Where the thing went in the end. */
  readonly container: Thing;
  readonly sentences: readonly string[];
}

/** Who and where stories are about; a split of a task has people of its own. */
export interface Cast {
  readonly people: readonly Person[];
  readonly towns: readonly string[];
}

const CONTAINERS = THINGS.filter(({ kind }) => kind === "container");
const OBJECTS = THINGS.filter(({ kind }) => kind !== "container");

const OPENINGS = frames(
  "On {day} {hero} was in {town}.",
  "{hero} went to {town} on {day}.",
  "It was {day}, and {hero} walked through {town}.",
);
const EVENTS = frames(
  "There {pronoun} {manner} {action|past} {colour|a} {thing}.",
  "In a small street {pronoun} {manner} {action|past} {colour|a} {thing}.",
  "Before noon {pronoun} {manner} {action|past} {colour|a} {thing}.",
);
const MEETINGS = frames(
  "Then {friend} came and asked for the {thing}.",
  "Later {friend} looked at the {thing} for a long time.",
  "On the way home {friend} wanted to see the {thing}.",
);
const ENDINGS = frames(
  "In the end {hero} put the {thing} into {container|a}.",
  "At last the {thing} was in {container|a}, and {hero} was glad.",
  "So {hero} laid the {thing} into {container|a} and went to bed.",
);

/** Draws a story of four sentences. */
export function drawStory({ people, towns }: Cast, random: Random): Story {
  const [hero, friend] = random.shuffled(people);
  if (hero === undefined || friend === undefined) throw new RangeError("a story needs two people");
  const story = {
    hero,
    friend,
    town: random.choice(towns),
    day: random.choice(DAYS),
    action: random.choice(ACTIONS),
    manner: random.choice(MANNERS),
    thing: random.choice(OBJECTS),
    colour: random.choice(COLOURS),
    container: random.choice(CONTAINERS),
  };
  const terms = { ...story, hero: hero.first, friend: friend.first, pronoun: hero.pronoun };
  const sentences = [OPENINGS, EVENTS, MEETINGS, ENDINGS].map((choices) =>
    random.choice(choices as readonly Frame<keyof typeof terms>[]).fill(terms),
  );
  return { ...story, sentences };
}

/** What a reader knows after a story, read from its text: the inverse of `drawStory`. */
export function readStory(text: string): Readonly<Record<string, string>> {
  const sentences = text.split(/(?<=\.) /);
  const found = [OPENINGS, EVENTS, MEETINGS, ENDINGS].map((choices, index) => {
    const slots = matchAny(choices as readonly Frame<string>[], sentences[index] ?? "");
    if (slots !== undefined) return slots;
    throw new RangeError(`"${sentences[index] ?? ""}" is no sentence ${index + 1} of a story`);
  });
  return Object.assign({}, ...found) as Readonly<Record<string, string>>;
}
