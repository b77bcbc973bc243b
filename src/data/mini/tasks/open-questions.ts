import { RELATIONS, type RelationName } from "../facts.js";
import type { Frame } from "../grammar/frame.js";
import { factAskedBy, factStatedBy } from "./fact-of.js";
import { type MiniTask, wordings } from "./task.js";

/** Questions about the fact base; each test question is about a fact that no training row asks for. */
export const OPEN_QUESTION_TASKS: readonly MiniTask[] = [
  questionTask("book-questions", ["book-author"]),
  questionTask("film-questions", ["film-director"]),
  questionTask("genre-questions", ["book-genre", "film-genre"]),
  questionTask("person-questions", [
    "person-town",
    "person-job",
    "person-hobby",
    "person-pet",
    "person-food",
  ]),
  questionTask("town-questions", ["town-region", "town-river", "town-sight"]),
  questionTask("animal-questions", ["animal-sound", "animal-home", "animal-baby", "animal-food"]),
  questionTask("food-questions", ["food-kind", "food-colour", "food-taste"]),
  questionTask("shop-questions", ["shop-town", "shop-owner", "shop-goods"]),
];

function questionTask(name: string, relations: readonly RelationName[]): MiniTask {
  return {
    name,
    taskType: "open-questions",
    separates: "materials",
    difficulties: ["easy"],
    instructions: wordings(
      "[Answer|Please answer|Give the answer to] [the following|this] question.",
      "[What is|Tell me|Give me] the answer[| to the question].",
      "Answer [from what you know|in a word or two|as shortly as you can].",
    ),
    draw: ({ random, materials }) => {
      const relation = random.choice(relations);
      const { subject, object } = random.choice(materials.facts.get(relation) ?? []);
      const questions: readonly Frame<"subject">[] = RELATIONS[relation].questions;
      return { input: random.choice(questions).fill({ subject }), outputs: [object] };
    },
    solve: (input, { allFacts }) =>
      factAskedBy(
        input,
        allFacts.filter(({ relation }) => relations.includes(relation)),
      ).object,
  };
}

const ASKED: readonly RelationName[] = [
  "book-author",
  "film-director",
  "person-town",
  "shop-owner",
  "town-river",
];

/** The question whose answer is given, from the sentence that states it. Every wording of the question is right. */
export const FACT_TO_QUESTION: MiniTask = {
  name: "question-from-fact",
  taskType: "question-generation",
  separates: "materials",
  difficulties: ["medium"],
  instructions: wordings(
    "[Ask|Write|Make] a question [about|from] the sentence that has the given answer.",
    "[Which question is answered by the sentence?|What question does the sentence answer?]",
    "[Turn|Change] the sentence into a question [for|with] the given answer.",
  ),
  draw: ({ random, materials }) => {
    const relation = random.choice(ASKED);
    const { subject, object } = random.choice(materials.facts.get(relation) ?? []);
    const { statements, questions }: (typeof RELATIONS)[RelationName] = RELATIONS[relation];
    const statement = random.choice<Frame<"subject" | "object">>(statements).fill({ subject, object });
    return {
      input: `Sentence: ${statement} Answer: ${object}`,
      outputs: questions.map((question) => question.fill({ subject })),
    };
  },
  solve(input, { allFacts }) {
    const sentence = input.replace("Sentence: ", "").split(" Answer: ")[0] ?? "";
    const { relation, subject } = factStatedBy(sentence, allFacts);
    const questions: readonly Frame<"subject">[] = RELATIONS[relation].questions;
    return questions[0]?.fill({ subject }) ?? "";
  },
};
