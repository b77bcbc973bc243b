import { type Frame, frames } from "../grammar/frame.js";
import type { Word } from "../grammar/words.js";
import { ENCOUNTERS } from "../lexicon/actions.js";
import { type MiniTask, wordings, wordingsWithOptions } from "./task.js";

const YES_NO = ["Yes", "No"] as const;

/** Sentences in which the one who acts comes first, and in which the other does. They mean the same. */
const ACTIVE = frames("{agent} {verb|past} {patient} in {town}.", "In {town} {agent} {verb|past} {patient}.");
const PASSIVE = frames(
  "{patient} was {verb|participle} by {agent} in {town}.",
  "In {town} {patient} was {verb|participle} by {agent}.",
);

interface Encounter {
  readonly agent: string;
  readonly patient: string;
  readonly verb: Word;
  readonly town: string;
}

/** Who did what to whom, read from one of the four sentences. */
function readEncounter(sentence: string): Encounter {
  for (const candidate of [...PASSIVE, ...ACTIVE]) {
    const found = candidate.match(sentence);
    const verb = ENCOUNTERS.find(({ past, participle }) => [past, participle].includes(found?.verb));
    if (found !== undefined && verb !== undefined) return { ...found, verb };
  }
  throw new RangeError(`"${sentence}" tells of no encounter`);
}

/** Do two sentences mean the same? Easy rows differ in the verb or not, medium and hard ones in who did it. */
const sameMeaning: MiniTask = {
  name: "paraphrase-judgement",
  taskType: "paraphrase",
  options: YES_NO,
  separates: "inputs",
  instructions: wordingsWithOptions(
    YES_NO,
    "Do [the two|these two|both] sentences mean the same?",
    "[Decide|Say|Tell me] [if|whether] the sentences have the same meaning.",
    "Is the second sentence [a paraphrase of|another way to say] the first?",
  ),
  draw: ({ random, materials, difficulty, label }) => {
    const [a, b] = random.shuffled(materials.world.people);
    const [verb, otherVerb] = random.shuffled(ENCOUNTERS);
    const scene = { agent: a?.first ?? "", patient: b?.first ?? "", town: random.choice(materials.towns) };
    const swapped = { ...scene, agent: scene.patient, patient: scene.agent };
    const same = label === "Yes";
    const [from, to] = difficulty === "hard" ? [ACTIVE, PASSIVE] : [ACTIVE, ACTIVE];
    const first = random.choice(from).fill({ ...scene, verb: verb ?? "" });
    const rest: readonly Frame<"agent" | "patient" | "verb" | "town">[] = to.filter(
      (candidate) => candidate.match(first) === undefined,
    );
    const second = random
      .choice(rest)
      .fill(
        same
          ? { ...scene, verb: verb ?? "" }
          : difficulty === "easy"
            ? { ...scene, verb: otherVerb ?? "" }
            : { ...swapped, verb: verb ?? "" },
      );
    return { input: `First: ${first} Second: ${second}`, outputs: [label] };
  },
  solve(input) {
    const [first = "", second = ""] = input.replace("First: ", "").split(" Second: ").map(keyOf);
    return first === second ? "Yes" : "No";
  },
};

function keyOf(sentence: string): string {
  const { agent, patient, verb, town } = readEncounter(sentence);
  return [agent, patient, verb.text, town].join("|");
}

/** The same in other words: from what someone did to what was done to someone, and back for hard rows. */
const voice: MiniTask = {
  name: "paraphrase-voice",
  taskType: "paraphrase",
  separates: "inputs",
  instructions: wordings(
    "[Say|Write|Put] [the sentence|it|this] in other words, with the other person first.",
    "[Rewrite|Rephrase] [the sentence|this sentence] so that it is about the other person.",
    "[Turn|Change] the sentence around [without a change of meaning|and keep its meaning].",
  ),
  draw: ({ random, materials, difficulty }) => {
    const [a, b] = random.shuffled(materials.world.people);
    const scene = {
      agent: a?.first ?? "",
      patient: b?.first ?? "",
      verb: random.choice(ENCOUNTERS),
      town: random.choice(materials.towns),
    };
    const [from, to] = difficulty === "hard" ? [PASSIVE, ACTIVE] : [ACTIVE, PASSIVE];
    const input = (difficulty === "easy" ? from[0] : random.choice(from))?.fill(scene) ?? "";
    return { input, outputs: to.map((candidate) => candidate.fill(scene)) };
  },
  solve(input) {
    const scene = readEncounter(input);
    const passive = PASSIVE.some((candidate) => candidate.match(input) !== undefined);
    return (passive ? ACTIVE : PASSIVE)[0]?.fill({ ...scene }) ?? "";
  },
};

export const PARAPHRASE_TASKS: readonly MiniTask[] = [sameMeaning, voice];
