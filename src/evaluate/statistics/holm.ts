import { KitError } from "../../support/errors.js";

/**
 * Holm's step-down correction (1979) for several comparisons: adjusted p-values that may each be held against the same
 * level, with the chance of one false positive or more at most that level.
 * @param pValues those of all comparisons that were made, also of those without effect
 * @returns in the order given
 * @throws KitError for a p-value outside 0 to 1
 */
export function holm(pValues: readonly number[]): number[] {
  pValues.forEach((value, index) => {
    if (!(value >= 0 && value <= 1)) {
      throw new KitError(`a p-value of ${value}`, "give a number from 0 to 1", { row: index + 1 });
    }
  });
  const order = pValues.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  order.forEach(({ value, index }, rank) => {
    largest = Math.max(largest, Math.min(1, value * (pValues.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
}
