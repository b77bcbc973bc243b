import { Random } from "../../../support/random.js";
import type { Demonstration, Example } from "../../example.js";
import { THINGS } from "../lexicon/things.js";
import { type Format, FORMATS } from "./formats.js";
import type { GridFields } from "./rows.js";
import { type Selector, SELECTORS } from "./selectors.js";
import { drawGridText, type GridText, wordsOf } from "./text.js";

/** Texts that demonstrations are looked up in: enough that every word stands in some. */
const TEXTS = 40_000;
/** Texts of a word that are kept. */
const TEXTS_OF_A_WORD = 100;
/** Texts tried for a demonstration; a word that is asked for twice in a text has no one answer. */
const MOST_TRIES = 1000;

/**
 * Gives each row of the grid demonstrations: the same instruction, slot words and all, on other texts. With them a format that
 * was never trained can be read off.
 */
export class GridDemonstrations {
  readonly #texts: readonly GridText[];
  readonly #byWord = new Map<string, GridText[]>();
  readonly #byKind = new Map<string, GridText[]>();
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = Random.derive(seed, "grid demonstrations");
    this.#texts = Array.from({ length: TEXTS }, () => drawGridText(this.#random));
    for (const text of this.#texts) {
      for (const word of new Set(wordsOf(text.text))) keep(this.#byWord, word, text);
      for (const { kind } of [text.parts.one, text.parts.several]) keep(this.#byKind, kind, text);
    }
  }

  /**
   * The row with demonstrations in `positive`.
   * @throws RangeError when the lexicon has no text for them
   */
  show(row: Example, count: number): Example {
    const fields = fieldsOf(row);
    const format = formatOf(fields.format);
    const write = (found: string): string => format.write(found, fields.v, fields.u);
    return { ...row, positive: this.#draw(row, count, write) };
  }

  /**
   * A row of the same selector whose format is told by demonstrations alone ("Write the fruit as shown."): words and marks at
   * random places around the answer. What is learned from such rows is to read a format off.
   */
  showUnnamed(row: Example, count: number): Example {
    const { selector, slot } = fieldsOf(row);
    const random = this.#random;
    const write = drawUnnamedFormat(random);
    const asked = selectorOf(selector);
    // The last two wordings are those of the unseen paraphrases.
    const phrase = random.choice(asked.wordings.slice(0, -2)).replace("{slot}", slot);
    const [found = ""] = asked.solve(wordsOf(row.input), slot);
    return {
      ...row,
      task: `${selector}/as-shown`,
      taskType: `${selector}/as-shown`,
      instruction: `${random.choice(LEADS)} ${phrase} ${random.choice(ENDINGS)}.`,
      paraphrases: [],
      outputs: [write(found)],
      positive: this.#draw(row, count, write),
    };
  }

  #draw(row: Example, count: number, write: (found: string) => string): Demonstration[] {
    const { selector, slot } = fieldsOf(row);
    const asked = selectorOf(selector);
    const usable = this.#textsFor(selector, slot);
    const shown = new Map<string, Demonstration>();
    for (let tries = 0; shown.size < count; tries++) {
      if (tries === MOST_TRIES) throw new RangeError(`no text to show ${selector} ${slot} with`);
      const { text } = this.#random.choice(usable);
      const [found = "", ...others] = asked.solve(wordsOf(text), slot);
      if (found === "" || others.length > 0 || text === row.input) continue;
      shown.set(text, { input: text, output: write(found) });
    }
    return [...shown.values()];
  }

  #textsFor(selector: string, slot: string): readonly GridText[] {
    if (selector === "kind") return this.#byKind.get(slot) ?? [];
    const isNeighbour = selector === "after" || selector === "before";
    return isNeighbour ? (this.#byWord.get(slot) ?? []) : this.#texts;
  }
}

const LEADS = ["Write", "Give", "Put"];
const ENDINGS = ["as shown", "in this way", "like this", "in the same form"];
const MARKS = ["!", "?", ".", ",", ";", ":", "(", ")", '"', "-", "*", "/"];
/** Of five parts beside the answer, one is the answer again, two are marks and two are words. */
const PARTS = ["answer", "mark", "mark", "word", "word"] as const;

function drawUnnamedFormat(random: Random): (found: string) => string {
  const others = Array.from({ length: 1 + random.integer(3) }, (): string | undefined => {
    const part = random.choice(PARTS);
    if (part === "answer") return undefined;
    return part === "mark" ? random.choice(MARKS) : random.choice(THINGS).text;
  });
  const parts = random.shuffled([undefined, ...others]);
  return (found) => parts.map((part) => part ?? found).join(" ");
}

function keep(texts: Map<string, GridText[]>, key: string, text: GridText): void {
  const kept = texts.get(key);
  if (kept === undefined) texts.set(key, [text]);
  else if (kept.length < TEXTS_OF_A_WORD) kept.push(text);
}

function fieldsOf({ fields }: Example): GridFields {
  return fields as unknown as GridFields;
}

function selectorOf(wanted: string): Selector {
  const selector = SELECTORS.find(({ name }) => name === wanted);
  if (selector === undefined) throw new RangeError(`the grid has no selector ${wanted}`);
  return selector;
}

function formatOf(wanted: string): Format {
  const format = FORMATS.find(({ name }) => name === wanted);
  if (format === undefined) throw new RangeError(`the grid has no format ${wanted}`);
  return format;
}
