import type { Random } from "../../../support/random.js";
import { frame } from "../grammar/frame.js";
import { DAYS, TIMES } from "../lexicon/actions.js";
import { KINDS, thingNamed } from "../lexicon/things.js";
import { type Draw, type DrawnRow, type MiniTask, wordingsWithOptions } from "./task.js";

const LABELS = ["Entailment", "Neutral", "Contradiction"] as const;

/** A circumstance: the preposition tells which one it is. */
type Circumstance = "in" | "on" | "at";
const CIRCUMSTANCES: readonly Circumstance[] = ["in", "on", "at"];

const PREMISE = frame("{person} {action|past} {thing|a} {first} {second}.");
const AFFIRMED = frame("{person} did it {claim}.");
const DENIED = frame("{person} did not do it {claim}.");

function valueOf(circumstance: Circumstance, { materials, random }: Draw): string {
  const values = { in: materials.towns, on: DAYS, at: TIMES }[circumstance];
  return random.choice(values);
}

/**
 * Premises state two of three circumstances; the hypothesis is about one of the three. No word tells the label: the same
 * words are in rows of every label. Hard rows have a denial, medium ones an order of circumstances that differs.
 */
const threeWay: MiniTask = {
  name: "inference-three-way",
  taskType: "inference",
  options: LABELS,
  separates: "inputs",
  instructions: wordingsWithOptions(
    LABELS,
    "[Decide|Say] [if|whether] the premise implies the hypothesis, contradicts it or leaves it open.",
    "[Judge|Label] the relation [of|between] the premise and the hypothesis.",
    "What [is the relation of|does the premise say about] the hypothesis?",
  ),
  draw: drawThreeWay,
  solve(input) {
    const [premise = "", hypothesis = ""] = input.replace("Premise: ", "").split(" Hypothesis: ");
    const stated = circumstancesIn(premise);
    const [[circumstance, value] = ["", ""]] = circumstancesIn(hypothesis);
    const known = stated.get(circumstance);
    if (known === undefined) return "Neutral";
    return (known === value) === !hypothesis.includes(" not ") ? "Entailment" : "Contradiction";
  },
};

function drawThreeWay(draw: Draw): DrawnRow {
  const { random, materials, difficulty, label } = draw;
  const [first = "in", second = "on", missing = "at"] = random.shuffled(CIRCUMSTANCES);
  const values = new Map(CIRCUMSTANCES.map((circumstance) => [circumstance, valueOf(circumstance, draw)]));
  const person = random.choice(materials.people).first;
  const denied = difficulty === "hard" || (difficulty === "medium" && random.integer(2) === 0);
  const about = label === "Neutral" ? missing : random.choice([first, second]);
  const keeps = label === "Neutral" || (label === "Entailment") !== denied;
  const value = keeps ? (values.get(about) ?? "") : otherValue(about, values.get(about) ?? "", draw);
  const premise = PREMISE.fill({
    person,
    action: random.choice(materials.actions),
    thing: random.choice(materials.things),
    first: `${first} ${values.get(first) ?? ""}`,
    second: `${second} ${values.get(second) ?? ""}`,
  });
  const hypothesis = (denied ? DENIED : AFFIRMED).fill({ person, claim: `${about} ${value}` });
  return { input: `Premise: ${premise} Hypothesis: ${hypothesis}`, outputs: [label] };
}

function otherValue(circumstance: Circumstance, value: string, draw: Draw): string {
  for (;;) {
    const other = valueOf(circumstance, draw);
    if (other !== value || draw.materials.towns.length < 2) return other;
  }
}

function circumstancesIn(sentence: string): Map<string, string> {
  return new Map(
    [...sentence.matchAll(/ (in|on|at) (\w+)/g)].map(([, circumstance = "", value = ""]) => [
      circumstance,
      value,
    ]),
  );
}

const YES_NO = ["Yes", "No"] as const;
const SPECIFIC = frame("{person} {action|past} {thing|a}.");

/** Does the kind follow from the thing? Medium rows deny both, hard ones are about two people. */
const twoWay: MiniTask = {
  name: "inference-kind",
  taskType: "inference",
  options: YES_NO,
  separates: "materials",
  instructions: wordingsWithOptions(
    YES_NO,
    "Does the second sentence follow from the first[| one]?",
    "[Decide|Say|Tell me] [if|whether] the second sentence must be true if the first one is.",
    "[If the first sentence is true, is the second true?|Can you conclude the second sentence from the first?]",
  ),
  draw: ({ random, materials, difficulty, label }) => {
    const [a, b] = random.shuffled(materials.people);
    const [thing, other] = distinctKinds(materials.things, random);
    const action = random.choice(materials.actions);
    const names = [a?.first ?? "", b?.first ?? ""];
    const wrong = label === "No";
    const first = SPECIFIC.fill({ person: names[0] ?? "", action, thing: thing ?? "" });
    const second = SPECIFIC.fill({ person: names[1] ?? "", action, thing: other ?? "" });
    const kindOfThing = thing?.kind ?? "";
    const kindOfOther = other?.kind ?? "";
    const claimed =
      difficulty === "easy" && wrong
        ? random.choice(KINDS.filter((kind) => kind !== kindOfThing))
        : kindOfThing;
    if (difficulty === "easy") {
      return rowOf(first, SPECIFIC.fill({ person: names[0] ?? "", action, thing: claimed }), label);
    }
    // With two people, what one of them did is claimed of the other.
    const person = random.integer(2);
    const trueKind = person === 0 ? kindOfThing : kindOfOther;
    const falseKind = person === 0 ? kindOfOther : kindOfThing;
    const both = random.integer(2) === 0 ? `${first} ${second}` : `${second} ${first}`;
    return rowOf(
      both,
      SPECIFIC.fill({ person: names[person] ?? "", action, thing: wrong ? falseKind : trueKind }),
      label,
    );
  },
  solve(input) {
    const [first = "", second = ""] = input.replace("First: ", "").split(" Second: ");
    const claim = SPECIFIC.match(second);
    const holds = first.split(/(?<=\.) /).some((sentence) => {
      const found = SPECIFIC.match(sentence);
      return found?.person === claim?.person && thingNamed(found?.thing ?? "")?.kind === claim?.thing;
    });
    return holds ? "Yes" : "No";
  },
};

function distinctKinds<Item extends { readonly kind: string }>(
  things: readonly Item[],
  random: Random,
): readonly [Item | undefined, Item | undefined] {
  const [thing, ...others] = random.shuffled(things);
  return [thing, others.find(({ kind }) => kind !== thing?.kind)];
}

function rowOf(first: string, second: string, label: string): DrawnRow {
  return { input: `First: ${first} Second: ${second}`, outputs: [label] };
}

export const INFERENCE_TASKS: readonly MiniTask[] = [threeWay, twoWay];
