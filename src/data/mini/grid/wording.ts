import type { Random } from "../../../support/random.js";
import { capitalized } from "../grammar/words.js";
import type { Cell } from "./cells.js";

/** Wordings at the end of every list that no training row has. */
const NEVER_TRAINED = 2;
const LEADS = ["", "", "please ", "read the text and "];

/** Which of a cell's wordings are used: those of training, or at least one that training never has. */
export type WordingLevel = "trained" | "unseen";

/** The parts of an instruction that are not words of its own. */
export interface InstructionSlots {
  readonly slot: string;
  readonly v: string;
  readonly u: string;
}

/** Draws an instruction of a cell. */
export function drawInstruction(
  cell: Cell,
  slots: InstructionSlots,
  level: WordingLevel,
  random: Random,
): string {
  // Of three unseen instructions one has an unseen selector phrase, one an unseen imperative, and one has both.
  const unseen = level === "unseen" ? random.integer(3) : undefined;
  const phrases = part(cell.selector.wordings, unseen === 0 || unseen === 2);
  const imperatives = part(cell.format.wordings, unseen === 1 || unseen === 2);
  return compose(random.choice(LEADS), random.choice(imperatives), random.choice(phrases), slots);
}

/** Every instruction that training has for a cell with these slots. */
export function trainedInstructions(cell: Cell, slots: InstructionSlots): string[] {
  return [...new Set(LEADS)].flatMap((lead) =>
    part(cell.format.wordings, false).flatMap((imperative) =>
      part(cell.selector.wordings, false).map((phrase) => compose(lead, imperative, phrase, slots)),
    ),
  );
}

function part(wordings: readonly string[], unseen: boolean): readonly string[] {
  // A list of three or fewer belongs to a selector or format that is never trained: all of it is asked.
  if (wordings.length <= NEVER_TRAINED + 1) return wordings;
  return unseen ? wordings.slice(-NEVER_TRAINED) : wordings.slice(0, -NEVER_TRAINED);
}

function compose(lead: string, imperative: string, phrase: string, { slot, v, u }: InstructionSlots): string {
  const filled = (lead + imperative)
    .replace("{S}", phrase)
    .replace("{slot}", slot)
    .replace("{v}", v)
    .replace("{u}", u);
  return `${capitalized(filled)}.`;
}
