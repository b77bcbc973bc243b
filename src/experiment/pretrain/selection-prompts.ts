import { capitalized } from "../../data/mini/grammar/words.js";
import { SELECTORS } from "../../data/mini/grid/selectors.js";
import { drawGridText } from "../../data/mini/grid/text.js";
import { Random } from "../../support/random.js";

/** A text of the grid and the beginning of what is told of it. */
export interface SelectionPrompt {
  readonly selector: string;
  /** " On Monday ... in Marlow. Nora read it. The town was" */
  readonly prompt: string;
  /** " Marlow." */
  readonly completion: string;
}

const READER = "Nora";

/** As many prompts for every selector, on texts that no corpus of this seed has seen. */
export function selectionPrompts(eachSelector: number, seed: number): SelectionPrompt[] {
  const random = Random.derive(seed, "selection prompts");
  const everyWord = { allowsWord: () => true, allowsKind: () => true };
  return SELECTORS.flatMap((selector) =>
    Array.from({ length: eachSelector }, () => {
      const text = drawGridText(random);
      const { slot = "", answer } = selector.select(text, random, everyWord) ?? { answer: "" };
      const phrase = capitalized(random.choice(selector.wordings).replace("{slot}", slot));
      return {
        selector: selector.name,
        prompt: ` ${text.text} ${READER} read it. ${phrase} was`,
        completion: ` ${answer}.`,
      };
    }),
  );
}
