import type { Random } from "../../support/random.js";
import { frames, type Frame } from "./grammar/frame.js";
import { ANIMALS, FOODS } from "./lexicon/nature.js";
import { THINGS } from "./lexicon/things.js";
import type { World } from "./world.js";

/** One thing that is true: "the author of 'Pride and Prejudice' is Jane Austen". */
export interface Fact {
  readonly relation: RelationName;
  readonly subject: string;
  readonly object: string;
}

/** How a relation is said and asked. */
export interface Relation {
  /** Sentences that state a fact. */
  readonly statements: readonly Frame<"subject" | "object">[];
  /** Questions whose answer is the object. */
  readonly questions: readonly Frame<"subject">[];
}

/** The relations of the world, each with its sentences and its questions. */
export const RELATIONS = {
  "book-author": {
    statements: frames(
      "{object} is the author of '{subject}'.",
      "The book '{subject}' was written by {object}.",
      "The author of '{subject}' is {object}.",
      "{object} wrote the book '{subject}'.",
    ),
    questions: frames(
      "Who is the author of '{subject}'?",
      "Who wrote '{subject}'?",
      "By whom was the book '{subject}' written?",
    ),
  },
  "book-genre": {
    statements: frames(
      "The book '{subject}' is {object|a}.",
      "'{subject}' is a book of the kind {object}.",
      "Readers know the book '{subject}' as {object|a}.",
    ),
    questions: frames(
      "What kind of book is '{subject}'?",
      "To which genre does the book '{subject}' belong?",
    ),
  },
  "film-director": {
    statements: frames(
      "{object} directed the film '{subject}'.",
      "The film '{subject}' was made by {object}.",
      "The director of '{subject}' is {object}.",
    ),
    questions: frames("Who directed the film '{subject}'?", "Who is the director of '{subject}'?"),
  },
  "film-genre": {
    statements: frames(
      "The film '{subject}' is {object|a}.",
      "'{subject}' is a film of the kind {object}.",
      "In the cinema '{subject}' is shown as {object|a}.",
    ),
    questions: frames(
      "What kind of film is '{subject}'?",
      "To which genre does the film '{subject}' belong?",
    ),
  },
  "person-town": {
    statements: frames(
      "{subject} lives in {object}.",
      "The home of {subject} is {object}.",
      "{subject} has a house in {object}.",
    ),
    questions: frames("Where does {subject} live?", "In which town is the home of {subject}?"),
  },
  "person-job": {
    statements: frames(
      "{subject} is {object|a}.",
      "{subject} works as {object|a}.",
      "The job of {subject} is {object}.",
    ),
    questions: frames("What is the job of {subject}?", "What does {subject} work as?"),
  },
  "person-hobby": {
    statements: frames(
      "{subject} likes {object}.",
      "The hobby of {subject} is {object}.",
      "In the evening {subject} enjoys {object}.",
    ),
    questions: frames("What is the hobby of {subject}?", "What does {subject} like to do in the evening?"),
  },
  "person-pet": {
    statements: frames(
      "{subject} has {object|a} at home.",
      "The pet of {subject} is {object|a}.",
      "{subject} keeps {object|a} as a pet.",
    ),
    questions: frames("What pet does {subject} have?", "Which animal does {subject} keep?"),
  },
  "person-food": {
    statements: frames(
      "The favourite food of {subject} is {object}.",
      "The food that {subject} likes best is {object}.",
      "For a feast {subject} would choose {object}.",
    ),
    questions: frames("What is the favourite food of {subject}?", "Which food does {subject} like best?"),
  },
  "town-region": {
    statements: frames(
      "{subject} is a town in {object}.",
      "The town of {subject} lies in {object}.",
      "{subject} belongs to {object}.",
    ),
    questions: frames("In which region is {subject}?", "To which region does {subject} belong?"),
  },
  "town-river": {
    statements: frames(
      "{subject} lies on the river {object}.",
      "The river {object} flows through {subject}.",
      "The river in {subject} is the {object}.",
    ),
    questions: frames("Which river flows through {subject}?", "On which river does {subject} lie?"),
  },
  "town-sight": {
    statements: frames(
      "{subject} is known for its {object}.",
      "Visitors of {subject} like the {object}.",
      "There is {object|a} in {subject}.",
    ),
    questions: frames("What is {subject} known for?", "What do visitors of {subject} like?"),
  },
  "animal-sound": {
    statements: frames(
      "The {subject} {object}.",
      "When a {subject} is hungry, it {object}.",
      "At night the {subject} {object}.",
    ),
    questions: frames("What does the {subject} do with its voice?", "Which sound does the {subject} make?"),
  },
  "animal-home": {
    statements: frames(
      "The {subject} lives in the {object}.",
      "The home of the {subject} is the {object}.",
      "You find the {subject} in the {object}.",
    ),
    questions: frames("Where does the {subject} live?", "What is the home of the {subject}?"),
  },
  "animal-baby": {
    statements: frames(
      "A young {subject} is called {object|a}.",
      "The baby of the {subject} is the {object}.",
      "{object|a} grows up to be {subject|a}.",
    ),
    questions: frames("What is a young {subject} called?", "What is the baby of the {subject}?"),
  },
  "animal-food": {
    statements: frames(
      "The {subject} eats {object}.",
      "The food of the {subject} is {object}.",
      "A hungry {subject} looks for {object}.",
    ),
    questions: frames("What does the {subject} eat?", "What does a hungry {subject} look for?"),
  },
  "food-kind": {
    statements: frames(
      "The food {subject} is a kind of {object}.",
      "People call {subject} a kind of {object}.",
      "In the kitchen {subject} counts as {object}.",
    ),
    questions: frames("What kind of food is {subject}?", "What does {subject} count as in the kitchen?"),
  },
  "food-colour": {
    statements: frames(
      "The colour of {subject} is {object}.",
      "The food {subject} is {object}.",
      "On a plate {subject} looks {object}.",
    ),
    questions: frames("What is the colour of {subject}?", "Which colour does {subject} have?"),
  },
  "food-taste": {
    statements: frames(
      "The taste of {subject} is {object}.",
      "The food {subject} tastes {object}.",
      "On the tongue {subject} is {object}.",
    ),
    questions: frames("What is the taste of {subject}?", "How does {subject} taste?"),
  },
  "shop-town": {
    statements: frames(
      "The {subject} is in {object}.",
      "You find the {subject} in {object}.",
      "The town of the {subject} is {object}.",
    ),
    questions: frames("Where is the {subject}?", "In which town is the {subject}?"),
  },
  "shop-owner": {
    statements: frames(
      "The {subject} belongs to {object}.",
      "{object} owns the {subject}.",
      "The owner of the {subject} is {object}.",
    ),
    questions: frames("Who owns the {subject}?", "Who is the owner of the {subject}?"),
  },
  "shop-goods": {
    statements: frames(
      "The {subject} sells {object}.",
      "You can buy {object} in the {subject}.",
      "In the window of the {subject} there are {object}.",
    ),
    questions: frames("What does the {subject} sell?", "What can you buy in the {subject}?"),
  },
  "thing-kind": {
    statements: frames(
      "{subject|a} is {object|a}.",
      "The {subject} is a kind of {object}.",
      "Everybody knows that {subject|a} is {object|a}.",
    ),
    questions: frames("What kind of thing is {subject|a}?", "What is {subject|a}?"),
  },
} as const satisfies Record<string, Relation>;

export type RelationName = keyof typeof RELATIONS;

/** All facts of a world, relation by relation. */
export function factsOf({ people, towns, books, films, shops }: World): Fact[] {
  const facts = <Entity>(
    relation: RelationName,
    entities: readonly Entity[],
    pair: (entity: Entity) => readonly [string, string],
  ): Fact[] =>
    entities.map((entity) => {
      const [subject, object] = pair(entity);
      return { relation, subject, object };
    });
  return [
    ...facts("book-author", books, ({ title, maker }) => [title, maker]),
    ...facts("book-genre", books, ({ title, genre }) => [title, genre]),
    ...facts("film-director", films, ({ title, maker }) => [title, maker]),
    ...facts("film-genre", films, ({ title, genre }) => [title, genre]),
    ...facts("person-town", people, ({ text, town }) => [text, town]),
    ...facts("person-job", people, ({ text, job }) => [text, job]),
    ...facts("person-hobby", people, ({ text, hobby }) => [text, hobby]),
    ...facts("person-pet", people, ({ text, pet }) => [text, pet]),
    ...facts("person-food", people, ({ text, food }) => [text, food]),
    ...facts("town-region", towns, ({ name, region }) => [name, region]),
    ...facts("town-river", towns, ({ name, river }) => [name, river]),
    ...facts("town-sight", towns, ({ name, sight }) => [name, sight]),
    ...facts("animal-sound", ANIMALS, ({ name, sound }) => [name, sound]),
    ...facts("animal-home", ANIMALS, ({ name, home }) => [name, home]),
    ...facts("animal-baby", ANIMALS, ({ name, baby }) => [name, baby]),
    ...facts("animal-food", ANIMALS, ({ name, food }) => [name, food]),
    ...facts("food-kind", FOODS, ({ name, kind }) => [name, kind]),
    ...facts("food-colour", FOODS, ({ name, colour }) => [name, colour]),
    ...facts("food-taste", FOODS, ({ name, taste }) => [name, taste]),
    ...facts("shop-town", shops, ({ name, town }) => [name, town]),
    ...facts("shop-owner", shops, ({ name, owner }) => [name, owner]),
    ...facts("shop-goods", shops, ({ name, goods }) => [name, goods]),
    ...facts("thing-kind", THINGS, ({ text, kind }) => [text, kind]),
  ];
}

/** A fact as a sentence. */
export function statementOf({ relation, subject, object }: Fact, random: Random): string {
  return random.choice<Frame<"subject" | "object">>(RELATIONS[relation].statements).fill({ subject, object });
}
