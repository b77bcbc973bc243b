import { mostProbable } from "../../evaluate/most-probable.js";

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
export function tokenLogprobs(
  logits: Float32Array,
  token: number,
  count: number,
): { readonly chosen: number; readonly top: readonly LogprobOfId[] } {
  let largest = -Infinity;
  for (const value of logits) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - largest);
  const normalizer = largest + Math.log(sum);
  const logprobOf = (id: number): number => (logits[id] ?? -Infinity) - normalizer;
  return {
    chosen: logprobOf(token),
    top: mostProbable(logits, count).map((id) => ({ id, logprob: logprobOf(id) })),
  };
}
