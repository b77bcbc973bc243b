import { type Format, FORMATS } from "./formats.js";
import { type Selector, SELECTORS } from "./selectors.js";

/** A task type of the grid: what to find, and what to do with it. */
export interface Cell {
  /** "kind/twice". */
  readonly name: string;
  readonly selector: Selector;
  readonly format: Format;
}

/** Selectors and formats that are never trained on in any cell. */
export const HELD_OUT_SELECTORS: readonly string[] = ["before", "day"];
export const HELD_OUT_FORMATS: readonly string[] = ["quotes", "exclaim"];

const trainedSelectors = SELECTORS.filter(({ name }) => !HELD_OUT_SELECTORS.includes(name));
const trainedFormats = FORMATS.filter(({ name }) => !HELD_OUT_FORMATS.includes(name));
const newSelectors = SELECTORS.filter(({ name }) => HELD_OUT_SELECTORS.includes(name));
const newFormats = FORMATS.filter(({ name }) => HELD_OUT_FORMATS.includes(name));

/**
 * The cells whose two halves are trained, but never together: three formats of every selector, spread so that every
 * format but the plain one is held out with two or three selectors.
 */
export const HELD_OUT_CELLS: readonly Cell[] = trainedSelectors.flatMap((selector, row) =>
  [0, 4, 7].map((step) => {
    const others = trainedFormats.length - 1;
    return cell(selector, trainedFormats[1 + ((row + step) % others)]);
  }),
);

const heldOut = new Set(HELD_OUT_CELLS.map(({ name }) => name));

/**
 * The cells that are trained, ordered along diagonals: the first few of them already hold every selector, and for a curve
 * over the number of task types a smaller set is the beginning of a larger one.
 */
export const TRAINING_CELLS: readonly Cell[] = trainedFormats
  .flatMap((_, diagonal) =>
    trainedSelectors.map((selector, row) =>
      cell(selector, trainedFormats[(row + diagonal) % trainedFormats.length]),
    ),
  )
  .filter(({ name }) => !heldOut.has(name));

/** Selectors that no tuning row has, with trained formats. */
export const NEW_SELECTOR_CELLS: readonly Cell[] = newSelectors.flatMap((selector) =>
  trainedFormats.map((format) => cell(selector, format)),
);

/** Formats that no tuning row has, with trained selectors. */
export const NEW_FORMAT_CELLS: readonly Cell[] = newFormats.flatMap((format) =>
  trainedSelectors.map((selector) => cell(selector, format)),
);

function cell(selector: Selector, format: Format | undefined): Cell {
  if (format === undefined) throw new RangeError("the grid has no such format");
  return { name: `${selector.name}/${format.name}`, selector, format };
}
