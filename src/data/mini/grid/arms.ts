import { KitError } from "../../../support/errors.js";
import { tagSymbol } from "../../rewrite/arms.js";
import type { Example } from "../../example.js";
import type { GridFields } from "./rows.js";

/**
 * The control that knows which cell it has but not what the cell says: each instruction becomes its cell's opaque tag and
 * the row's slot words ("\ue003 fruit lamp"). On trained cells that is all that the instruction tells; on held-out ones the
 * tag was never seen, and neither half of the cell can be read from it.
 * @param numbers of the cells, from `numberTasks`
 */
export function withCellTags(rows: readonly Example[], numbers: ReadonlyMap<string, number>): Example[] {
  return rows.map((row) => {
    const number = numbers.get(row.task);
    if (number === undefined) throw new KitError(`cell "${row.task}" has no tag`, "number all cells first");
    const { slot, v, u } = row.fields as unknown as GridFields;
    const instruction = [tagSymbol(number), slot, v, u].filter((word) => word !== "").join(" ");
    return { ...row, instruction, paraphrases: [] };
  });
}
