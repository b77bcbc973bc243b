/**
 * Indices of the largest values, largest first; of equal ones the smaller index.
 * @param values probabilities, or logits
 */
export function mostProbable(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  if (count < 1) return best;
  const valueOf = (index: number | undefined): number =>
    index === undefined ? -Infinity : (values[index] ?? -Infinity);
  values.forEach((value, index) => {
    if (best.length === count && value <= valueOf(best.at(-1))) return;
    const place = best.findIndex((other) => value > valueOf(other));
    best.splice(place < 0 ? best.length : place, 0, index);
    best.length = Math.min(best.length, count);
  });
  return best;
}
