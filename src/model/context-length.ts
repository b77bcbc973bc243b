import { KitError } from "../support/errors.js";

/**
 * Checks that a row fits into the context of a model.
 * @param time tokens of the row
 * @throws KitError that names both lengths
 */
export function checkContextLength(time: number, contextLength: number): void {
  if (time <= contextLength) return;
  throw new KitError(
    `a row of ${time} tokens is longer than the context of the model (${contextLength} tokens)`,
    "cut the row, or use a model with a longer context",
    { field: "contextLength" },
  );
}
