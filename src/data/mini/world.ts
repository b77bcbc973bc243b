import { Random } from "../../support/random.js";
import { HOBBIES } from "./lexicon/actions.js";
import { ANIMALS, FOODS } from "./lexicon/nature.js";
import { JOBS, LAST_NAMES, MEN, WOMEN } from "./lexicon/people.js";
import { REGIONS, RIVERS, SIGHTS, TOWNS } from "./lexicon/places.js";
import { KINDS, thingsOf } from "./lexicon/things.js";
import { GENRES, KNOWN_BOOKS, SHOP_NAMES, TITLE_ADJECTIVES, TITLE_NOUNS } from "./lexicon/titles.js";
import type { Word } from "./grammar/words.js";

/** Someone who lives in the world. First names are unique, so a story can use them alone. */
export interface Person extends Word {
  /** First and last name. */
  readonly text: string;
  readonly first: string;
  readonly pronoun: "he" | "she";
  readonly town: string;
  readonly job: string;
  readonly hobby: string;
  /** Kind of animal. */
  readonly pet: string;
  readonly food: string;
}

export interface Town {
  readonly name: string;
  readonly region: string;
  readonly river: string;
  readonly sight: string;
}

/** A book or a film. */
export interface Work {
  readonly title: string;
  /** Author or director. */
  readonly maker: string;
  readonly genre: string;
}

export interface Shop {
  readonly name: string;
  readonly town: string;
  /** Full name. */
  readonly owner: string;
  /** In the plural. */
  readonly goods: string;
}

/** Everything that is true in the small world; the same seed gives the same world. */
export interface World {
  readonly seed: number;
  readonly people: readonly Person[];
  readonly towns: readonly Town[];
  readonly books: readonly Work[];
  readonly films: readonly Work[];
  readonly shops: readonly Shop[];
}

const BOOKS = 60;
const FILMS = 40;
const PETS = ANIMALS.filter(({ home }) =>
  ["house", "kennel", "stable", "coop", "yard", "pond", "hole"].includes(home),
);

/** Draws the world of a seed. The well-known books are the same in every world. */
export function createWorld(seed: number): World {
  const random = Random.derive(seed, "mini world");
  const towns = TOWNS.map((name) => ({
    name,
    region: random.choice(REGIONS),
    river: random.choice(RIVERS),
    sight: random.choice(SIGHTS),
  }));
  const people = [
    ...WOMEN.map((first) => person(first, "she", random)),
    ...MEN.map((first) => person(first, "he", random)),
  ];
  const titles = random.shuffled(
    TITLE_ADJECTIVES.flatMap((adjective) => TITLE_NOUNS.map((last) => `The ${adjective} ${last}`)),
  );
  const work = (title: string): Work => ({
    title,
    maker: random.choice(people).text,
    genre: random.choice(GENRES),
  });
  const invented = BOOKS - KNOWN_BOOKS.length;
  const books = [
    ...KNOWN_BOOKS.map(([title, maker, genre]) => ({ title, maker, genre })),
    ...titles.slice(0, invented).map(work),
  ];
  const films = titles.slice(invented, invented + FILMS).map(work);
  const shops = SHOP_NAMES.map((name) => ({
    name: `${name} Shop`,
    town: random.choice(TOWNS),
    owner: random.choice(people).text,
    goods: random.choice(thingsOf(random.choice(KINDS))).plural,
  }));
  return { seed, people, towns, books, films, shops };
}

function person(first: string, pronoun: "he" | "she", random: Random): Person {
  return {
    text: `${first} ${random.choice(LAST_NAMES)}`,
    first,
    pronoun,
    town: random.choice(TOWNS),
    job: random.choice(JOBS),
    hobby: random.choice(HOBBIES),
    pet: random.choice(PETS).name,
    food: random.choice(FOODS).name,
  };
}
