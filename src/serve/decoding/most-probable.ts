/** A token and its natural log-probability. */
export interface LogprobOfId {
  readonly id: number;
  readonly logprob: number;
}

/**
 * Log-probabilities of a token and of the most probable ones.
 * @param logits `[vocabulary]`, natural log, not normalised
 * @param count of the most probable; ties keep the smaller id
 */
export function mostProbable(
  logits: Float32Array,
  token: number,
  count: number,
): { readonly chosen: number; readonly top: readonly LogprobOfId[] } {
  let largest = -Infinity;
  for (const value of logits) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - largest);
  const normalizer = largest + Math.log(sum);
  const best: number[] = [];
  const valueOf = (id: number | undefined): number =>
    id === undefined ? -Infinity : (logits[id] ?? -Infinity);
  if (count > 0) {
    logits.forEach((value, id) => {
      if (best.length === count && value <= valueOf(best.at(-1))) return;
      const place = best.findIndex((other) => value > valueOf(other));
      best.splice(place < 0 ? best.length : place, 0, id);
      best.length = Math.min(best.length, count);
    });
  }
  return {
    chosen: valueOf(token) - normalizer,
    top: best.map((id) => ({ id, logprob: valueOf(id) - normalizer })),
  };
}
