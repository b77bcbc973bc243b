import type { Random } from "../../../support/random.js";
import { expand } from "../grammar/alternatives.js";
import { capitalized } from "../grammar/words.js";
import { THINGS } from "../lexicon/things.js";
import { DAYS, TIMES } from "../lexicon/actions.js";

export const ACTS = [
  "greeting",
  "question",
  "request",
  "offer",
  "thanks",
  "apology",
  "refusal",
  "goodbye",
] as const;
export type Act = (typeof ACTS)[number];

/** What people say, by what they do with it; `{name}` is the other one. */
const LINES: Readonly<Record<Act, string>> = {
  greeting:
    "[Hello|Good morning|Hi there|Good evening], {name}[!|, nice to see you.|, how nice that you are here.]",
  question:
    "[Do you know where|Can you say where|Have you seen where|Did they say where] the {thing} [is|has gone|was], {name}?",
  request:
    "[Please give me|Could you bring me|I need|Hand me] the {thing}[, please.|, {name}, will you?|, if you can.]",
  offer: "[Shall I|May I|Can I] [carry|bring|fetch] the {thing} for you[?|, {name}?]",
  thanks:
    "[Thank you|Many thanks|Thanks a lot|I am grateful] for the {thing}[.|, {name}.|, it is what I wanted.]",
  apology:
    "[I am sorry|Forgive me|Excuse me|I apologize][, {name}, |, ][I lost|I broke|I forgot] the {thing}.",
  refusal:
    "[No, you cannot have|I will not give you|I would rather keep|You may not take] the {thing}[.|, {name}.]",
  goodbye: "[Goodbye|See you|Until then|Farewell], {name}[, on {day}.|, at {time} on {day}.|, take care.]",
};

/** Lines by act, every combination. */
const EXPANDED = new Map<Act, readonly string[]>(ACTS.map((act) => [act, expand(LINES[act])]));

/** All wordings of an act. */
export function wordingsOf(act: Act): readonly string[] {
  return EXPANDED.get(act) ?? [];
}

/** A line of an act, in one of the wordings that may be used. */
export function drawLine(
  act: Act,
  name: string,
  random: Random,
  usable: (wording: string) => boolean = () => true,
): string {
  return random
    .choice(wordingsOf(act).filter(usable))
    .replace("{name}", name)
    .replace("{thing}", random.choice(THINGS).text)
    .replace("{day}", random.choice(DAYS))
    .replace("{time}", random.choice(TIMES));
}

/** The act of a line, by the wording that it matches. */
export function actOf(line: string): Act {
  for (const act of ACTS) {
    for (const wording of wordingsOf(act)) {
      const source = wording.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[A-Za-z]+");
      if (new RegExp(`^${source}$`).test(line)) return act;
    }
  }
  throw new RangeError(`"${line}" is a line of no act`);
}

/** A short conversation in which each act calls for the next. */
export function drawDialogue(first: string, second: string, random: Random): string[] {
  const middle = random.choice<readonly Act[]>([
    ["request", "refusal"],
    ["request", "apology"],
    ["offer", "thanks"],
    ["question", "apology"],
    ["question", "offer", "thanks"],
  ]);
  const acts: readonly Act[] = ["greeting", "greeting", ...middle, "goodbye"];
  return acts.map((act, turn) => {
    const [speaker, other] = turn % 2 === 0 ? [first, second] : [second, first];
    return `${speaker}: ${capitalized(drawLine(act, other, random))}`;
  });
}
