import { type Frame, frames } from "../grammar/frame.js";
import { COLOURS, THINGS } from "../lexicon/things.js";
import { DAYS } from "../lexicon/actions.js";
import { drawStory, readStory } from "../scenes/story.js";
import { type MiniTask, wordings, wordingsWithOptions } from "./task.js";

type Slot = "hero" | "friend" | "town" | "day" | "colour" | "container";

/** Questions about a story, by what the answer is; `{thing}` is what the story is about. */
const QUESTIONS: Readonly<Record<Slot, readonly Frame<"thing">[]>> = {
  hero: frames("Who put the {thing} away?", "Who had the {thing} first?"),
  friend: frames("Who else saw the {thing}?", "Who was interested in the {thing}?"),
  town: frames("Where does the story of the {thing} happen?", "In which town was the {thing}?"),
  day: frames("On which day was that with the {thing}?", "When does the story of the {thing} happen?"),
  colour: frames("What colour did the {thing} have?", "Which colour was the {thing}?"),
  container: frames("What was the {thing} put into?", "Where is the {thing} now?"),
};
const SLOTS = Object.keys(QUESTIONS) as readonly Slot[];

/** Questions whose answer is a word of the story. Easy rows ask for names, hard ones for where things went. */
const reading: MiniTask = {
  name: "story-questions",
  taskType: "reading-comprehension",
  separates: "inputs",
  instructions: wordings(
    "[Read the story and answer|Answer] the question[| about it].",
    "[Find|Give] the answer [in|from] the story.",
    "[What does the story say?|What is the answer, according to the story?]",
    "[Use|Look at] the story to answer[| the question].",
  ),
  draw: ({ random, materials, difficulty }) => {
    const story = drawStory(materials, random);
    const slot = random.choice<Slot>(
      { easy: ["town", "day"], medium: ["hero", "colour"], hard: ["friend", "container"] }[
        difficulty
      ] as Slot[],
    );
    const answers = {
      hero: story.hero.first,
      friend: story.friend.first,
      town: story.town,
      day: story.day,
      colour: story.colour,
      container: story.container.text,
    };
    const question = random.choice(QUESTIONS[slot]).fill({ thing: story.thing });
    return { input: `${story.sentences.join(" ")} Question: ${question}`, outputs: [answers[slot]] };
  },
  solve(input) {
    const [text = "", question = ""] = input.split(" Question: ");
    const slot = SLOTS.find((name) => QUESTIONS[name].some((candidate) => candidate.match(question)));
    return readStory(text)[slot ?? ""] ?? "";
  },
};

const YES_NO = ["Yes", "No"] as const;
const CLAIMS: Readonly<Record<"town" | "day" | "colour", readonly Frame<"value" | "thing">[]>> = {
  town: frames("Was the {thing} in {value}?"),
  day: frames("Was it {value} when the {thing} was there?"),
  colour: frames("Was the {thing} {value}?"),
};

const readingYesNo: MiniTask = {
  name: "story-yes-no",
  taskType: "reading-comprehension",
  options: YES_NO,
  separates: "inputs",
  instructions: wordingsWithOptions(
    YES_NO,
    "[Read the story and answer|Answer] the question with yes or no.",
    "[Is it so in the story?|Does the story say so?|Is that true in the story?]",
    "[Decide|Say] [from|by] the story.",
  ),
  draw: ({ random, materials, difficulty, label }) => {
    const story = drawStory(materials, random);
    const slot = ({ easy: "colour", medium: "day", hard: "town" } as const)[difficulty];
    const values = { town: materials.world.towns.map(({ name }) => name), day: DAYS, colour: COLOURS }[slot];
    const value =
      label === "Yes" ? story[slot] : random.choice(values.filter((other) => other !== story[slot]));
    const question = random.choice(CLAIMS[slot]).fill({ value, thing: story.thing });
    return { input: `${story.sentences.join(" ")} Question: ${question}`, outputs: [label] };
  },
  solve(input) {
    const [text = "", question = ""] = input.split(" Question: ");
    const story = readStory(text);
    // "Was the lamp in Marlow?" is a claim about a town before it can be one about a colour.
    for (const slot of ["town", "day", "colour"] as const) {
      for (const claim of CLAIMS[slot]) {
        const found = claim.match(question);
        if (found !== undefined) return found.value === story[slot] ? "Yes" : "No";
      }
    }
    throw new RangeError(`"${question}" is no question about a story`);
  },
};

/** A question that the story answers with a given word. */
const storyQuestion: MiniTask = {
  name: "question-from-story",
  taskType: "question-generation",
  separates: "inputs",
  difficulties: ["medium", "hard"],
  instructions: wordings(
    "[Ask|Write|Make] a question about the story that has the given answer.",
    "[Which question about the story has this answer?|What must one ask to get this answer?]",
    "[Find|Think of|Invent] a question [for|to] the answer.",
    "[Read the story and ask for the answer.|Ask for the given word.]",
  ),
  draw: ({ random, materials, difficulty }) => {
    const story = drawStory(materials, random);
    const slot = random.choice<"day" | "colour" | "town">(
      difficulty === "medium" ? ["colour"] : ["day", "town"],
    );
    return {
      input: `${story.sentences.join(" ")} Answer: ${story[slot]}`,
      outputs: QUESTIONS[slot].map((question) => question.fill({ thing: story.thing })),
    };
  },
  solve(input) {
    const [text = "", answer = ""] = input.split(" Answer: ");
    const story = readStory(text);
    const slot = SLOTS.find((name) => story[name] === answer) ?? "hero";
    return QUESTIONS[slot][0]?.fill({ thing: story.thing ?? "" }) ?? "";
  },
};

const THING_WORDS = new Set(THINGS.flatMap(({ text, plural }) => [text, plural]));

/** The things that a story names, each once, in their order. */
const storyThings: MiniTask = {
  name: "story-things",
  taskType: "keywords",
  separates: "inputs",
  instructions: wordings(
    "[List|Name|Give|Write down] the things in the [story|text].",
    "[Which|What] things [are|can you find] in the [story|text]?",
    "[Tag|Find] the words for things.",
  ),
  draw: ({ random, materials, difficulty }) => {
    const stories = Array.from({ length: { easy: 1, medium: 1, hard: 2 }[difficulty] }, () =>
      drawStory(materials, random),
    );
    const sentences = stories.flatMap((story) =>
      difficulty === "easy" ? [story.sentences[1] ?? ""] : story.sentences,
    );
    const things = stories.flatMap(({ thing, container }) =>
      difficulty === "easy" ? [thing.text] : [thing.text, container.text],
    );
    return { input: sentences.join(" "), outputs: [[...new Set(things)].join(", ")] };
  },
  solve: (input) => [...new Set(input.match(/\w+/g)?.filter((word) => THING_WORDS.has(word)))].join(", "),
};

const storyPeople: MiniTask = {
  name: "story-people",
  taskType: "keywords",
  separates: "inputs",
  difficulties: ["medium", "hard"],
  instructions: wordings(
    "[List|Name|Give|Write down] the people in the [story|text].",
    "[Who is|Which people are] in the [story|text]?",
    "[Tag|Find] the names of people.",
  ),
  draw: ({ random, materials, difficulty }) => {
    const stories = Array.from({ length: difficulty === "hard" ? 2 : 1 }, () => drawStory(materials, random));
    const names = stories.flatMap(({ hero, friend }) => [hero.first, friend.first]);
    return {
      input: stories.flatMap(({ sentences }) => sentences).join(" "),
      outputs: [[...new Set(names)].join(", ")],
    };
  },
  solve(input, { world }) {
    const names = new Set(world.people.map(({ first }) => first));
    return [...new Set(input.match(/\w+/g)?.filter((word) => names.has(word)))].join(", ");
  },
};

export const STORY_TASKS: readonly MiniTask[] = [
  reading,
  readingYesNo,
  storyQuestion,
  storyThings,
  storyPeople,
];
