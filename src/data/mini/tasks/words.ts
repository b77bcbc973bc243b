import type { Word } from "../grammar/words.js";
import { ACTIONS, ENCOUNTERS } from "../lexicon/actions.js";
import { KINDS, THINGS, thingNamed } from "../lexicon/things.js";
import type { Materials } from "./materials.js";
import { LENGTHS } from "./lists.js";
import { type MiniTask, wordings } from "./task.js";

/** "a is to b as c is to" d: the pairs of a split are its own. */
function analogyTask(
  name: string,
  pairsOf: (materials: Materials) => readonly (readonly [string, string])[],
): MiniTask {
  return {
    name,
    taskType: "word-analogy",
    separates: "materials",
    difficulties: ["medium"],
    instructions: wordings(
      "[Complete|Finish|Solve] the analogy.",
      "[Which|What] word [comes next|is missing|completes the comparison]?",
      "[Find|Give|Write] the [missing|last] word.",
    ),
    draw: ({ random, materials }) => {
      const pairs = pairsOf(materials);
      const [first, second] = random.choice(pairs);
      const others = pairs.filter(([word, form]) => word !== first && form !== second);
      const [third, fourth] = random.choice(others.length === 0 ? pairs : others);
      return { input: `${first} is to ${second} as ${third} is to`, outputs: [fourth] };
    },
    solve(input, materials) {
      const third = /^.* as (.+) is to$/.exec(input)?.[1];
      return (
        pairsOf({
          ...materials,
          things: THINGS,
          actions: ACTIONS,
          encounters: ENCOUNTERS,
          facts: allBabies(materials),
        }).find(([word]) => word === third)?.[1] ?? ""
      );
    },
  };
}

function allBabies({ allFacts }: Materials): Materials["facts"] {
  return new Map([["animal-baby", allFacts.filter(({ relation }) => relation === "animal-baby")]]);
}

const past = ({ text, past: form = text }: Word): readonly [string, string] => [text, form];

export const ANALOGY_TASKS: readonly MiniTask[] = [
  analogyTask("analogy-plural", ({ things }) => things.map(({ text, plural }) => [text, plural])),
  analogyTask("analogy-past", ({ actions, encounters }) => [...actions, ...encounters].map(past)),
  analogyTask("analogy-kind", ({ things }) => things.map(({ text, kind }) => [text, kind])),
  analogyTask("analogy-baby", ({ facts }) =>
    (facts.get("animal-baby") ?? []).map(({ subject, object }) => [subject, object]),
  ),
];

const kindOfThing: MiniTask = {
  name: "kind-of-thing",
  taskType: "word-category",
  separates: "materials",
  difficulties: ["easy"],
  instructions: wordings(
    "[Name|Give|Say|Write] the kind of thing that [the word|this] is.",
    "[What kind of thing|What sort of thing] is [this|it|that]?",
  ),
  draw: ({ random, materials }) => {
    const { text, plural, kind } = random.choice(materials.things);
    return {
      input: random.choice([text, plural, `the ${text}`, `many ${plural}`, `two ${plural}`]),
      outputs: [kind],
    };
  },
  solve: (input) => thingNamed(input.split(" ").at(-1) ?? "")?.kind ?? "",
};

const oddOneOut: MiniTask = {
  name: "odd-one-out",
  taskType: "word-category",
  separates: "inputs",
  instructions: wordings(
    "[Find|Name|Give|Write] the [odd one out|word that does not fit].",
    "Which [word does not belong|one does not belong|word is of another kind] [to the others|here]?",
  ),
  draw: ({ random, difficulty }) => {
    const kind = random.choice(KINDS);
    const odd = random.choice(THINGS.filter((thing) => thing.kind !== kind)).text;
    const group = random
      .shuffled(THINGS.filter((thing) => thing.kind === kind))
      .slice(0, LENGTHS[difficulty] - 1);
    return { input: random.shuffled([odd, ...group.map(({ text }) => text)]).join(", "), outputs: [odd] };
  },
  solve(input) {
    const words = input.split(", ");
    const kindOf = (word: string): string => thingNamed(word)?.kind ?? "";
    return words.find((word) => words.filter((other) => kindOf(other) === kindOf(word)).length === 1) ?? "";
  },
};

/** What kind of thing a word names; the bridge to kinds that the grid never asks for. */
export const CATEGORY_TASKS: readonly MiniTask[] = [kindOfThing, oddOneOut];
