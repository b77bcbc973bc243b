import { frame, type Frame, frames } from "../grammar/frame.js";
import { capitalized, withArticle } from "../grammar/words.js";
import { ACTIONS, NUMBERS } from "../lexicon/actions.js";
import { COLOURS, thingNamed } from "../lexicon/things.js";
import { ACTS, actOf, drawLine, type Act } from "../scenes/dialogue.js";
import { type MiniTask, wordings, wordingsWithOptions } from "./task.js";

const CORRECT = wordings(
  "[Correct|Mend|Repair] the [sentence|mistake|grammar].",
  "[Write|Give] the sentence without [its mistake|the mistake].",
  "[Rewrite|Write] the sentence correctly.",
);

const ARTICLES = frames(
  "{person} {action|past} {article} {thing} in {town}.",
  "In {town} {person} {action|past} {article} {thing}.",
);

/** "a owl" -> "an owl". Half of the rows are right already, and stay as they are. */
const articleCorrection: MiniTask = {
  name: "correct-article",
  taskType: "grammar-correction",
  separates: "materials",
  difficulties: ["medium"],
  instructions: CORRECT,
  draw: ({ random, materials }) => {
    const { text } = random.choice(materials.things);
    const right = withArticle(text).split(" ")[0] ?? "";
    const article = random.integer(2) === 0 ? right : right === "a" ? "an" : "a";
    const terms = {
      person: random.choice(materials.people).first,
      action: random.choice(materials.actions),
      town: random.choice(materials.towns),
      thing: text,
    };
    const sentence = random.choice(ARTICLES);
    return {
      input: sentence.fill({ ...terms, article }),
      outputs: [sentence.fill({ ...terms, article: right })],
    };
  },
  solve: (input) => input.replace(/\ban? (\w+)/, (_, word: string) => withArticle(word)),
};

const TIMED = {
  past: frame("Yesterday {person} {form} the {thing}."),
  now: frame("Every day {person} {form} the {thing}."),
};

/** The form of the verb follows from the time: "Yesterday Mia carry the lamp." -> "Yesterday Mia carried the lamp." */
const verbCorrection: MiniTask = {
  name: "correct-verb",
  taskType: "grammar-correction",
  separates: "inputs",
  difficulties: ["medium", "hard"],
  instructions: CORRECT,
  draw: ({ random, materials, difficulty }) => {
    const time = random.choice(["past", "now"] as const);
    const { text, third = text, past = text } = random.choice(ACTIONS);
    const terms = { person: random.choice(materials.people).first, thing: random.choice(materials.things) };
    const wrong = difficulty === "medium" ? text : time === "past" ? third : past;
    return {
      input: TIMED[time].fill({ ...terms, form: wrong }),
      outputs: [TIMED[time].fill({ ...terms, form: time === "past" ? past : third })],
    };
  },
  solve(input) {
    const time = input.startsWith("Yesterday") ? "past" : "now";
    const found = TIMED[time].match(input);
    const verb = ACTIONS.find(({ text, third, past }) => [text, third, past].includes(found?.form));
    if (found === undefined) throw new RangeError(`"${input}" has no time`);
    return TIMED[time].fill({ ...found, form: (time === "past" ? verb?.past : verb?.third) ?? "" });
  },
};

const COUNTED = frame("{person} {action|past} {number} {form} in {town}.");

const pluralCorrection: MiniTask = {
  name: "correct-plural",
  taskType: "grammar-correction",
  separates: "materials",
  difficulties: ["medium"],
  instructions: CORRECT,
  draw: ({ random, materials }) => {
    const { text, plural } = random.choice(materials.things);
    const number = random.integer(3) === 0 ? "one" : random.choice(NUMBERS.slice(2));
    const [right, wrong] = number === "one" ? [text, plural] : [plural, text];
    const terms = {
      person: random.choice(materials.people).first,
      action: random.choice(materials.actions),
      town: random.choice(materials.towns),
      number,
    };
    return {
      input: COUNTED.fill({ ...terms, form: wrong }),
      outputs: [COUNTED.fill({ ...terms, form: right })],
    };
  },
  solve(input) {
    const words = input.split(" ");
    return words
      .map((word, place) => {
        const thing = thingNamed(word);
        if (thing === undefined) return word;
        return words[place - 1] === "one" ? thing.text : thing.plural;
      })
      .join(" ");
  },
};

export const GRAMMAR_TASKS: readonly MiniTask[] = [articleCorrection, verbCorrection, pluralCorrection];

/**
 * Lumi, an invented language. Its words are English ones with the endings -o of things, -a of colours and -is of what was
 * done; a colour stands after its thing, the verb at the end, and there is no article: "Mia bought a red lamp." is "Mia
 * lampo reda buyis.", from the dictionary form of the verb.
 */
const ENGLISH: Readonly<Record<"plain" | "coloured", Frame<"person" | "action" | "thing" | "colour">>> = {
  plain: frame("{person} {action|past} the {thing}.") as unknown as Frame<
    "person" | "action" | "thing" | "colour"
  >,
  coloured: frame("{person} {action|past} the {colour} {thing}."),
};

function toLumi(person: string, action: string, thing: string, colour?: string): string {
  const object = colour === undefined ? [`${thing}o`] : [`${thing}o`, `${colour}a`];
  return `${[person, ...object, `${action}is`].join(" ")}.`;
}

function lumiTask(name: string, toEnglish: boolean, instructions: readonly string[]): MiniTask {
  return {
    name,
    taskType: "translation",
    separates: "materials",
    difficulties: ["medium", "hard"],
    instructions,
    draw: ({ random, materials, difficulty }) => {
      const action = random.choice(materials.actions);
      const coloured = difficulty === "hard";
      const terms = {
        person: random.choice(materials.people).first,
        action,
        thing: random.choice(materials.things).text,
        colour: random.choice(COLOURS),
      };
      const english = ENGLISH[coloured ? "coloured" : "plain"].fill(terms);
      const lumi = toLumi(terms.person, action.text, terms.thing, coloured ? terms.colour : undefined);
      return toEnglish ? { input: lumi, outputs: [english] } : { input: english, outputs: [lumi] };
    },
    solve: (input) => (toEnglish ? fromLumi(input) : intoLumi(input)),
  };
}

function intoLumi(english: string): string {
  const words = english.replace(".", "").split(" ");
  const [person = "", past = "", , ...object] = words;
  const action = ACTIONS.find((verb) => verb.past === past)?.text ?? "";
  return toLumi(person, action, object.at(-1) ?? "", object.length > 1 ? object[0] : undefined);
}

function fromLumi(lumi: string): string {
  const [person = "", ...rest] = lumi.replace(".", "").split(" ");
  const action = ACTIONS.find(({ text }) => `${text}is` === rest.at(-1));
  const object = rest
    .slice(0, -1)
    .map((word) => word.slice(0, -1))
    .reverse()
    .join(" ");
  return `${person} ${action?.past ?? ""} the ${object}.`;
}

export const TRANSLATION_TASKS: readonly MiniTask[] = [
  lumiTask(
    "english-to-lumi",
    false,
    wordings(
      "[Translate|Put|Turn] the sentence [into|to] Lumi.",
      "[Say|Write] [this|it|the sentence] in Lumi.",
      "What is [this|that|the sentence] in Lumi?",
    ),
  ),
  lumiTask(
    "lumi-to-english",
    true,
    wordings(
      "[Translate|Put|Turn] the Lumi sentence [into|to] English.",
      "[Say|Write] [this|it|the sentence] in English.",
      "What [is|would be] [this|that|the sentence] in English?",
    ),
  ),
];

const dialogueAct: MiniTask = {
  name: "dialogue-act",
  taskType: "dialogue-act",
  options: ACTS.map(capitalized),
  difficulties: ["medium"],
  separates: "materials",
  instructions: wordingsWithOptions(
    ACTS.map(capitalized),
    "[Name|Give|Find] the [dialogue act|speech act] of the line.",
    "What does the speaker do with [this line|these words]?",
    "[What kind of line is this?|Which act is this line?]",
  ),
  draw: ({ random, materials, label }) => {
    const name = random.choice(materials.world.people).first;
    const line = drawLine(label.toLowerCase() as Act, name, random, (wording) =>
      materials.lines.has(wording),
    );
    return { input: capitalized(line), outputs: [label] };
  },
  solve: (input) => capitalized(actOf(input)),
};

/** What someone does with a line; the wordings of test lines are in no training row. */
export const DIALOGUE_TASKS: readonly MiniTask[] = [dialogueAct];
