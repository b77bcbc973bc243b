import { KitError } from "../../../support/errors.js";
import { Random } from "../../../support/random.js";
import type { Example } from "../../example.js";
import { type Cell, HELD_OUT_CELLS, NEW_FORMAT_CELLS, NEW_SELECTOR_CELLS, TRAINING_CELLS } from "./cells.js";
import type { GridFields } from "./rows.js";
import { trainedInstructions } from "./wording.js";

const CELLS: ReadonlyMap<string, Cell> = new Map(
  [...TRAINING_CELLS, ...HELD_OUT_CELLS, ...NEW_SELECTOR_CELLS, ...NEW_FORMAT_CELLS].map((cell) => [
    cell.name,
    cell,
  ]),
);

/**
 * The rows with instructions in only so many wordings for each cell: the first of an order that the seed decides. Texts,
 * questions and answers stay as they are.
 * @throws KitError when a cell has fewer wordings
 */
export function withFewWordings(rows: readonly Example[], count: number, seed: number): Example[] {
  const random = Random.derive(seed, "few wordings");
  const orders = new Map<string, readonly number[]>();
  return rows.map((row) => {
    const wordings = wordingsOf(row, count);
    const order =
      orders.get(row.task) ??
      Random.derive(seed, `wordings of ${row.task}`).shuffled(wordings.map((_, i) => i));
    orders.set(row.task, order);
    return { ...row, instruction: wordings[random.choice(order.slice(0, count))] ?? "", paraphrases: [] };
  });
}

/**
 * The rows, each in the same one of several wordings that lie evenly apart in its cell's list: what to ask them again in.
 * @param index of the wording, from 0
 * @throws KitError when a cell has fewer wordings
 */
export function inWording(rows: readonly Example[], index: number, count: number): Example[] {
  return rows.map((row) => {
    const wordings = wordingsOf(row, count);
    const instruction = wordings[Math.floor((index * wordings.length) / count)] ?? "";
    return { ...row, id: `${row.id}-wording-${index + 1}`, instruction, paraphrases: [] };
  });
}

function wordingsOf({ task, fields }: Example, count: number): string[] {
  const cell = CELLS.get(task);
  if (cell === undefined) throw new RangeError(`the grid has no cell ${task}`);
  const wordings = trainedInstructions(cell, fields as unknown as GridFields);
  if (count >= 1 && count <= wordings.length) return wordings;
  throw new KitError(
    `${count} wordings are asked for, and the cell ${task} has ${wordings.length}`,
    "ask for fewer, and one at least",
    { field: "wordings" },
  );
}
