import type { Random } from "../../../support/random.js";
import { capitalized } from "../grammar/words.js";
import { KINDS, THINGS } from "../lexicon/things.js";
import { type Format, FORMATS } from "../grid/formats.js";
import { type Selector, SELECTORS } from "../grid/selectors.js";
import { drawGridText } from "../grid/text.js";
import type { World } from "../world.js";

const EVERY_WORD = { allowsWord: () => true, allowsKind: (kind: string) => KINDS.includes(kind) };

/**
 * A text, and what a person found in it: the selectors at work, in the past and never as an instruction. "Nora read it.
 * The town was Marlow."
 */
export function narratedSelections({ people }: World, tellings: number, random: Random): string[] {
  const text = drawGridText(random);
  const told = random
    .shuffled(SELECTORS)
    .slice(0, tellings)
    .flatMap((selector) => tell(selector, text, random));
  return [text.text, `${random.choice(people).first} read it.`, ...told];
}

function tell(selector: Selector, text: ReturnType<typeof drawGridText>, random: Random): string[] {
  const selection = selector.select(text, random, EVERY_WORD);
  if (selection === undefined) return [];
  const phrase = random.choice(selector.wordings).replace("{slot}", selection.slot ?? "");
  return [`${capitalized(phrase)} was ${selection.answer}.`];
}

/**
 * What people wrote, and how: the formats at work on single words, never with a selector. "Tom wrote lamp
 * in brackets: ( lamp )".
 */
export function narratedFormats({ people }: World, random: Random): string[] {
  return random
    .shuffled(FORMATS)
    .slice(0, 3)
    .map((format) => `${random.choice(people).first} ${narrate(format, random)}`);
}

/** How the writing of a format is told; `{S}` is the word, `{v}` and `{u}` the words beside it. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  plain: ["wrote {S}", "gave {S}", "copied {S}"],
  twice: ["wrote {S} twice", "gave {S} two times"],
  "three-times": ["wrote {S} three times", "copied {S} three times"],
  prefix: ["wrote {v} and then {S}", "started with {v} and went on with {S}"],
  suffix: ["wrote {S} and then {v}", "wrote {S} and ended with {v}"],
  between: ["wrote {S} between {v} and {u}", "put {S} between {v} and {u}"],
  brackets: ["wrote {S} in brackets", "put brackets around {S}"],
  question: ["wrote {S} as a question", "asked if it is {S}"],
  statement: ["said that it is {S}", "wrote that it is {S}"],
  yes: ["answered yes and wrote {S}", "said yes and gave {S}"],
  denial: ["said that it is not {S}", "denied that it is {S}"],
  please: ["wrote {S} and said please", "asked politely for {S}"],
  quotes: ["wrote {S} in quotation marks", "quoted {S}"],
  exclaim: ["shouted {S}", "wrote {S} with an exclamation mark"],
};

function narrate(format: Format, random: Random): string {
  const [s = "", v = "", u = ""] = random.shuffled(THINGS).map(({ text }) => text);
  const told = random.choice(TOLD[format.name] ?? []);
  const filled = told.replace("{S}", s).replace("{v}", v).replace("{u}", u);
  return `${filled}: ${format.write(s, v, u)}`;
}
