import type { Random } from "../../../support/random.js";
import { NUMBERS } from "../lexicon/actions.js";
import { KINDS, THINGS, type Thing, thingNamed } from "../lexicon/things.js";
import { type Draw, type DrawnRow, type MiniTask, wordings } from "./task.js";

/** Words of a list, by how hard it is. */
export const LENGTHS = { easy: 3, medium: 4, hard: 5 } as const;

/** A task on a list of words; harder rows have longer lists. */
function listTask(
  task: Pick<MiniTask, "name" | "taskType" | "instructions">,
  answer: (words: readonly string[]) => string,
  draw: (draw: Draw, length: number) => readonly string[] = ({ random }, length) =>
    drawThings(random, length),
): MiniTask {
  return {
    ...task,
    separates: "inputs",
    draw: (from): DrawnRow => {
      const words = draw(from, LENGTHS[from.difficulty]);
      return { input: words.join(", "), outputs: [answer(words)] };
    },
    solve: (input) => answer(input.split(", ")),
  };
}

/** By code unit, as every machine sorts. */
function sorted(words: readonly string[]): string[] {
  return [...words].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const countKind: MiniTask = {
  name: "count-kind",
  taskType: "sorting-and-counting",
  separates: "inputs",
  instructions: wordings(
    "[Count|Give the number of] the words of the given kind[| in the list].",
    "How many [words are|of the words are|are] of [that|the given] kind?",
    "[Say|Write|Tell me] how many of the words are of that kind.",
  ),
  draw: ({ random, difficulty }) => {
    const kind = random.choice(KINDS);
    const length = LENGTHS[difficulty];
    const hits = random.integer(length + 1);
    const of = (wanted: boolean): Thing[] => THINGS.filter((thing) => (thing.kind === kind) === wanted);
    const words = random.shuffled([
      ...random.shuffled(of(true)).slice(0, hits),
      ...random.shuffled(of(false)).slice(0, length - hits),
    ]);
    return {
      input: `Kind: ${kind}. Words: ${words.map(({ text }) => text).join(", ")}`,
      outputs: [NUMBERS[hits] ?? ""],
    };
  },
  solve(input) {
    const [kind = "", list = ""] = input.replace("Kind: ", "").split(". Words: ");
    return NUMBERS[list.split(", ").filter((word) => thingNamed(word)?.kind === kind).length] ?? "";
  },
};

export const SORTING_TASKS: readonly MiniTask[] = [
  listTask(
    {
      name: "sort-words",
      taskType: "sorting-and-counting",
      instructions: wordings(
        "[Sort|Order|Arrange] the words [by the alphabet|from a to z|alphabetically].",
        "[Put|Bring|Write] the words in [alphabetical order|the order of a dictionary].",
      ),
    },
    (words) => sorted(words).join(", "),
  ),
  listTask(
    {
      name: "count-words",
      taskType: "sorting-and-counting",
      instructions: wordings(
        "[Count|Say the number of|Give the number of] the words[| in the list].",
        "How many words [are there|are in the list|do you see|does the list have]?",
      ),
    },
    (words) => NUMBERS[words.length] ?? "",
    ({ random }) => drawThings(random, 2 + random.integer(7)),
  ),
  listTask(
    {
      name: "largest-number",
      taskType: "sorting-and-counting",
      instructions: wordings(
        "[Find|Give|Name|Write] the [largest|biggest|highest] number.",
        "[Which|What] number is the [largest|biggest]?",
      ),
    },
    (words) => NUMBERS[Math.max(...words.map((word) => NUMBERS.indexOf(word)))] ?? "",
    ({ random }, length) => random.shuffled(NUMBERS).slice(0, length),
  ),
  countKind,
];

function drawThings(random: Random, length: number): string[] {
  return random
    .shuffled(THINGS)
    .slice(0, length)
    .map(({ text }) => text);
}

const replaceWord: MiniTask = {
  name: "replace-word",
  taskType: "string-rewriting",
  separates: "inputs",
  instructions: wordings(
    "[Replace|Exchange] the word before the arrow by the one after it.",
    "[Rewrite|Write|Copy] the list [with the replacement|after the replacement|as the rule says].",
    "[Apply|Use|Follow] the rule[| to the list].",
  ),
  draw: ({ random, difficulty }) => {
    const [to = "", ...words] = drawThings(random, LENGTHS[difficulty] + 1);
    const from = random.choice(words);
    return {
      input: `${from} -> ${to}: ${words.join(", ")}`,
      outputs: [words.map((word) => (word === from ? to : word)).join(", ")],
    };
  },
  solve(input) {
    const [, from, to = "", list = ""] = /^(.+) -> (.+): (.+)$/.exec(input) ?? [];
    return list
      .split(", ")
      .map((word) => (word === from ? to : word))
      .join(", ");
  },
};

export const REWRITING_TASKS: readonly MiniTask[] = [
  listTask(
    {
      name: "reverse-words",
      taskType: "string-rewriting",
      instructions: wordings(
        "[Reverse|Turn around] the [order of the words|list].",
        "[Write|Give|Copy] the words [from the last to the first|backwards|in reverse order].",
      ),
    },
    (words) => [...words].reverse().join(", "),
  ),
  listTask(
    {
      name: "drop-first-word",
      taskType: "string-rewriting",
      instructions: wordings(
        "[Leave out|Drop|Remove|Delete] the first word[| of the list].",
        "[Write|Give|Copy] [all words but the first|the list without its first word].",
      ),
    },
    (words) => words.slice(1).join(", "),
  ),
  listTask(
    {
      name: "swap-ends",
      taskType: "string-rewriting",
      instructions: wordings(
        "[Swap|Exchange|Switch] the first and the last word[| of the list].",
        "[Let|Make] the first and the last word [change places|trade places].",
      ),
    },
    (words) => [words.at(-1) ?? "", ...words.slice(1, -1), words[0] ?? ""].join(", "),
  ),
  replaceWord,
];
