import { RELATIONS, type RelationName } from "../facts.js";
import { type Frame } from "../grammar/frame.js";
import { drawNews, readNews, TOPICS, type Topic } from "../scenes/news.js";
import { factStatedBy } from "./fact-of.js";
import { type MiniTask, wordingsWithOptions } from "./task.js";

/** What a sentence of the fact base can be about, and the relations that are about it. */
const SUBJECTS = ["Book", "Film", "Person", "Town", "Animal", "Food", "Shop"] as const;

function subjectOf(relation: RelationName): string {
  const prefix = relation.split("-")[0] ?? "";
  return prefix.charAt(0).toUpperCase() + prefix.slice(1);
}

/** What is a text about? Easy rows have the whole article, medium and hard ones its first sentence only. */
const newsTopic: MiniTask = {
  name: "news-topic",
  taskType: "topic",
  options: TOPICS,
  separates: "inputs",
  instructions: wordingsWithOptions(
    TOPICS,
    "[Name|Give|Find] the topic of [the following|this] article.",
    "What is [this|the] article about?",
    "[To which section of a newspaper does this belong?|In which section of the paper would you print this?]",
  ),
  draw: ({ random, materials, difficulty, label }) => {
    const { sentences } = drawNews(label as Topic, materials, random);
    return { input: difficulty === "easy" ? sentences.join(" ") : (sentences[0] ?? ""), outputs: [label] };
  },
  solve: (input) => readNews(input).topic,
};

const factTopic: MiniTask = {
  name: "fact-topic",
  taskType: "topic",
  options: SUBJECTS,
  difficulties: ["easy"],
  separates: "materials",
  instructions: wordingsWithOptions(
    SUBJECTS,
    "[Say|Tell|Decide] what the [sentence|statement] is about.",
    "What is [this|the] sentence about?",
    "[Name|Give] the subject of the sentence.",
  ),
  draw: ({ random, materials, label }) => {
    const facts = [...materials.facts].filter(([relation]) => subjectOf(relation) === label);
    const [relation, known] = random.choice(facts);
    const { subject, object } = random.choice(known);
    const statements: readonly Frame<"subject" | "object">[] = RELATIONS[relation].statements;
    return { input: random.choice(statements).fill({ subject, object }), outputs: [label] };
  },
  solve: (input, { allFacts }) => subjectOf(factStatedBy(input, allFacts).relation),
};

export const TOPIC_TASKS: readonly MiniTask[] = [newsTopic, factTopic];
