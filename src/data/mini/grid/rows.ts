import { KitError } from "../../../support/errors.js";
import { Random } from "../../../support/random.js";
import type { Example } from "../../example.js";
import { partition } from "../partition.js";
import { KINDS, THINGS, type Thing } from "../lexicon/things.js";
import { type Cell, HELD_OUT_CELLS, NEW_FORMAT_CELLS, NEW_SELECTOR_CELLS, TRAINING_CELLS } from "./cells.js";
import { HELD_OUT_KINDS, SELECTORS, type SlotWords } from "./selectors.js";
import { FORMATS } from "./formats.js";
import { drawGridText, wordsOf } from "./text.js";
import { drawInstruction, trainedInstructions, type WordingLevel } from "./wording.js";

/** How far a test row is from training, the nearest first. */
export const GRID_LEVELS = [
  "seen",
  "unseen-slot-words",
  "unseen-paraphrase",
  "unseen-kind",
  "held-out-cell",
  "held-out-selector",
  "held-out-format",
] as const;
export type GridLevel = (typeof GRID_LEVELS)[number];

/** What a grid row keeps of its structure, in `Example.fields`. */
export interface GridFields {
  readonly level: GridLevel | "train" | "validation";
  readonly selector: string;
  readonly format: string;
  readonly slot: string;
  readonly v: string;
  readonly u: string;
}

/** How large a grid is. */
export interface GridSize {
  /** Training rows for each cell of weight 1. */
  readonly rowsPerCell: number;
  /** Test rows at each level. */
  readonly testRows: number;
  /** Number of training cells, the first of `TRAINING_CELLS`; all where it is left out. */
  readonly trainingCells?: number;
}

/** All cells of one selector, or all of one format: what is left out together. */
export type GridCluster =
  { readonly over: "selectors"; readonly name: string } | { readonly over: "formats"; readonly name: string };

/** The rows of the flagship: for one seed, the tests are the same whatever is trained. */
export interface Grid {
  readonly train: readonly Example[];
  /** Seen cells, as many rows as one test level has. */
  readonly validation: readonly Example[];
  readonly tests: Readonly<Record<GridLevel, readonly Example[]>>;
}

/** Which words and wordings the instructions of a part of the grid have. */
interface Conditions {
  readonly words: SlotWords;
  /** The words that `{v}` and `{u}` are drawn from. */
  readonly slotThings: readonly Thing[];
  readonly wording: WordingLevel;
}

/**
 * Draws the grid.
 * @throws KitError when more training cells are asked for than there are
 */
export function drawGrid({ rowsPerCell, testRows, trainingCells }: GridSize, seed: number): Grid {
  if (trainingCells !== undefined && trainingCells > TRAINING_CELLS.length) {
    throw new KitError(
      `the grid has ${TRAINING_CELLS.length} training cells, ${trainingCells} are asked for`,
      "ask for fewer",
      { field: "trainingCells" },
    );
  }
  const { trained } = conditions(seed);
  return {
    train: drawTraining(TRAINING_CELLS.slice(0, trainingCells), rowsPerCell, seed),
    validation: drawLevel("validation", TRAINING_CELLS, testRows, trained, seed),
    tests: drawTests(testRows, seed),
  };
}

/**
 * Draws training rows of some cells.
 * @param rowsPerCell for each cell of weight 1, at least one row for each
 */
export function drawTraining(cells: readonly Cell[], rowsPerCell: number, seed: number): Example[] {
  const plan = cells.flatMap((cell) =>
    Array.from({ length: Math.max(1, Math.round(rowsPerCell * cell.selector.weight)) }, () => cell),
  );
  const random = Random.derive(seed, "grid train");
  const { trained } = conditions(seed);
  return random
    .shuffled(plan)
    .map((cell, index) => drawRow(cell, "train", `mini-grid-train-${index + 1}`, trained, random));
}

/** Draws test rows of a cluster's trained cells, with new texts: the same rows whether it was left out or not. */
export function drawClusterTest(cluster: GridCluster, rows: number, seed: number): Example[] {
  const cells = TRAINING_CELLS.filter(({ name }) => inCluster(name, cluster));
  if (cells.length === 0) {
    throw new KitError(
      `the grid has no trained cells of the ${cluster.over} "${cluster.name}"`,
      `choose one of ${clustersOver(cluster.over)
        .map(({ name }) => name)
        .join(", ")}`,
    );
  }
  const level = cluster.over === "selectors" ? "held-out-selector" : "held-out-format";
  return drawLevel(level, cells, rows, conditions(seed).trained, seed, `${cluster.over}-${cluster.name}`);
}

/** Every cluster that trained cells have. */
export function clustersOver(over: GridCluster["over"]): GridCluster[] {
  return [...new Set(TRAINING_CELLS.map((cell) => partOf(cell.name, over)))].map((name) => ({ over, name }));
}

/**
 * Whether a cell belongs to a cluster.
 * @param cell its name, such as "kind/twice"
 */
export function inCluster(cell: string, cluster: GridCluster): boolean {
  return partOf(cell, cluster.over) === cluster.name;
}

function partOf(cell: string, over: GridCluster["over"]): string {
  const [selector = "", format = ""] = cell.split("/");
  return over === "selectors" ? selector : format;
}

/**
 * Draws the test rows of every level, as many for each.
 * @param cells those that are trained; at least one of the kind selector and one with a slot word
 */
export function drawTests(
  rows: number,
  seed: number,
  cells: readonly Cell[] = TRAINING_CELLS,
): Grid["tests"] {
  const { trained, unseenWords, unseenKinds, unseenWording } = conditions(seed);
  const wordy = cells.filter(({ format }) => format.slots > 0);
  const ofKind = cells.filter(({ selector }) => selector.name === "kind");
  return {
    seen: drawLevel("seen", cells, rows, trained, seed),
    "unseen-slot-words": drawLevel("unseen-slot-words", wordy, rows, unseenWords, seed),
    "unseen-paraphrase": drawLevel("unseen-paraphrase", cells, rows, unseenWording, seed),
    "unseen-kind": drawLevel("unseen-kind", ofKind, rows, unseenKinds, seed),
    "held-out-cell": drawLevel("held-out-cell", HELD_OUT_CELLS, rows, trained, seed),
    "held-out-selector": drawLevel("held-out-selector", NEW_SELECTOR_CELLS, rows, trained, seed),
    "held-out-format": drawLevel("held-out-format", NEW_FORMAT_CELLS, rows, trained, seed),
  };
}

/** What a row asks for, found in its input alone by a perfect reader: the word, and how to write the answer. */
function readGridRow({ input, fields }: Pick<Example, "input" | "fields">): {
  found: string;
  answer: string;
} {
  const { selector, format, slot, v, u } = fields as unknown as GridFields;
  const hits = SELECTORS.find(({ name }) => name === selector)?.solve(wordsOf(input), slot) ?? [];
  const [found, ...others] = hits;
  const writer = FORMATS.find(({ name }) => name === format);
  if (found === undefined || others.length > 0 || writer === undefined) {
    throw new RangeError(`"${input}" has ${hits.length} answers for ${selector} ${slot}`);
  }
  return { found, answer: writer.write(found, v, u) };
}

/** A perfect solver: reads the answer off the input, knowing what the row asks for. */
export function solveGridRow(row: Pick<Example, "input" | "fields">): string {
  return readGridRow(row).answer;
}

/** A row with the step between text and answer in words, as its chain of thought: "The word is lamp." */
export function withReasoning(row: Example): Example {
  return { ...row, rationale: `The word is ${readGridRow(row).found}.` };
}

/** The share of a text's words that are right in the row's format: what knowing the format alone gets. */
export function randomWordScore(row: Pick<Example, "input" | "fields">): number {
  const words = wordsOf(row.input);
  const { found } = readGridRow(row);
  return words.filter((word) => word === found).length / words.length;
}

function conditions(
  seed: number,
): Record<"trained" | "unseenWords" | "unseenKinds" | "unseenWording", Conditions> {
  const split = partition(THINGS, seed, "grid slot words");
  const unseen = new Set(split.test.map(({ text }) => text));
  const slotThings = [...split.train, ...split.validation];
  const heldOutKinds = new Set(HELD_OUT_KINDS);
  const words: SlotWords = {
    allowsWord: (word) => !unseen.has(word),
    allowsKind: (kind) => !heldOutKinds.has(kind),
  };
  const trained: Conditions = { words, slotThings, wording: "trained" };
  return {
    trained,
    unseenWording: { ...trained, wording: "unseen" },
    unseenWords: {
      ...trained,
      words: { ...words, allowsWord: (word) => unseen.has(word) },
      slotThings: split.test,
    },
    unseenKinds: {
      ...trained,
      words: { ...words, allowsKind: (kind) => heldOutKinds.has(kind) && KINDS.includes(kind) },
    },
  };
}

/** Rows that visit the cells in turn; `name` is in their ids, and parts with other names have other texts. */
function drawLevel(
  level: GridFields["level"],
  cells: readonly Cell[],
  rows: number,
  conditionsOfLevel: Conditions,
  seed: number,
  name: string = level,
): Example[] {
  const random = Random.derive(seed, `grid ${name}`);
  return Array.from({ length: rows }, (_, index) => {
    const cell = cells[index % cells.length];
    if (cell === undefined) throw new RangeError(`level ${level} has no cells`);
    return drawRow(cell, level, `mini-grid-${name}-${index + 1}`, conditionsOfLevel, random);
  });
}

function drawRow(
  cell: Cell,
  level: GridFields["level"],
  id: string,
  { words, slotThings, wording }: Conditions,
  random: Random,
): Example {
  for (;;) {
    const text = drawGridText(random);
    const selection = cell.selector.select(text, random, words);
    if (selection === undefined) continue;
    const [v, u] = random.shuffled(slotThings).map((thing) => thing.text);
    const slots = { slot: selection.slot ?? "", v: v ?? "", u: u ?? "" };
    const instruction = drawInstruction(cell, slots, wording, random);
    const others = trainedInstructions(cell, slots).filter((other) => other !== instruction);
    const used = {
      ...slots,
      v: cell.format.slots > 0 ? slots.v : "",
      u: cell.format.slots > 1 ? slots.u : "",
    };
    const fields: GridFields = { level, selector: cell.selector.name, format: cell.format.name, ...used };
    return {
      id,
      task: cell.name,
      taskType: cell.name,
      instruction,
      paraphrases: random.shuffled(others).slice(0, PARAPHRASES),
      input: text.text,
      outputs: [cell.format.write(selection.answer, used.v, used.u)],
      source: `mini-grid:${cell.name}`,
      fields: { ...fields },
    };
  }
}

/** Other wordings that a row carries; a cell has more. */
const PARAPHRASES = 2;
