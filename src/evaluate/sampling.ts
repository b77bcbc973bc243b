import { KitError } from "../support/errors.js";
import type { Random } from "../support/random.js";

/** How the next token is drawn. Without it, the most probable token is taken. */
export interface Sampling {
  /** Divides the logits, above 0; 1 leaves the model's distribution as it is. */
  readonly temperature: number;
  /** Draws among this many of the most probable tokens only. */
  readonly topK?: number;
  /** Draws among the fewest most probable tokens whose probabilities reach this sum, in (0, 1]. */
  readonly topP?: number;
  readonly seed: number;
}

/** The sampling of a request in which temperature 0, as is usual, takes the most probable token. */
export function samplingField({
  temperature,
  topP,
  seed,
}: Pick<Sampling, "temperature" | "seed"> & { readonly topP?: number | undefined }): {
  readonly sampling?: Sampling;
} {
  if (temperature === 0) return {};
  return { sampling: { temperature, seed, ...(topP === undefined ? {} : { topP }) } };
}

/** @throws KitError for a temperature, top-k or top-p out of range */
export function checkSampling({ temperature, topK, topP, seed }: Sampling): void {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new KitError(
      `a sampling temperature of ${temperature}`,
      "give a number above 0; for the most probable token leave sampling out",
      {
        field: "temperature",
      },
    );
  }
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
    throw new KitError(`top-k of ${topK}`, "give a whole number of at least 1", { field: "topK" });
  }
  if (topP !== undefined && !(topP > 0 && topP <= 1)) {
    throw new KitError(`top-p of ${topP}`, "give a number above 0 and up to 1", { field: "topP" });
  }
  if (!Number.isInteger(seed))
    throw new KitError(`a sampling seed of ${seed}`, "give a whole number", { field: "seed" });
}

/**
 * Draws one token: temperature, then top-k, then top-p, as is usual; ties keep the smaller id.
 * @param logits `[vocabulary]`, natural log, not normalised
 * @returns the id
 */
export function drawToken(logits: Float32Array, sampling: Sampling, random: Random): number {
  const { temperature, topK, topP } = sampling;
  const order = Array.from(logits.keys());
  if (topK !== undefined || topP !== undefined) order.sort((a, b) => at(logits, b) - at(logits, a) || a - b);
  const allowed = order.slice(0, topK ?? order.length);
  let largest = -Infinity;
  for (const id of allowed) largest = Math.max(largest, at(logits, id));
  const weights = allowed.map((id) => Math.exp((at(logits, id) - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = weights.length;
  if (topP !== undefined) {
    let sum = 0;
    kept = weights.findIndex((weight) => (sum += weight) >= topP * total) + 1;
    if (kept === 0) kept = weights.length;
  }
  const mass = weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0);
  let left = random.next() * mass;
  for (let i = 0; i < kept; i++) {
    left -= weights[i] ?? 0;
    if (left < 0) return allowed[i] ?? 0;
  }
  return allowed[kept - 1] ?? 0;
}

/** @throws KitError for a penalty that is not above 0 */
export function checkRepetitionPenalty(penalty: number): void {
  if (penalty > 0 && Number.isFinite(penalty)) return;
  throw new KitError(
    `a repetition penalty of ${penalty}`,
    "give a number above 0, such as 1.1; 1 changes nothing",
    {
      field: "repetitionPenalty",
    },
  );
}

/**
 * Makes tokens that were there before less probable, as transformers' `RepetitionPenaltyLogitsProcessor` does (after
 * Keskar et al. 2019): a positive logit is divided by the penalty, a negative one multiplied, once for each token however
 * often it was there. Changes `logits` in place.
 * @param logits `[vocabulary]`
 */
export function penalizeRepetition(logits: Float32Array, seen: readonly number[], penalty: number): void {
  for (const id of new Set(seen)) {
    const value = at(logits, id);
    if (id < logits.length) logits[id] = value < 0 ? value * penalty : value / penalty;
  }
}

/** Penalties of tokens that the answer has already, as OpenAI's API defines them; each from -2 to 2, and 0 changes nothing. */
export interface CountPenalties {
  /** Taken from the logit of each token that was there, however often. */
  readonly presence?: number;
  /** Taken from the logit of a token as often as it was there. */
  readonly frequency?: number;
}

/** The penalties of a request as a field of answer options; none where they change nothing. */
export function penaltiesField({
  presencePenalty: presence = 0,
  frequencyPenalty: frequency = 0,
}: {
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
}): { readonly penalties?: CountPenalties } {
  return presence === 0 && frequency === 0 ? {} : { penalties: { presence, frequency } };
}

/** @throws KitError for a penalty out of range */
export function checkCountPenalties(penalties: CountPenalties): void {
  for (const field of ["presence", "frequency"] as const) {
    const value = penalties[field] ?? 0;
    if (value >= -2 && value <= 2) continue;
    throw new KitError(`a ${field} penalty of ${value}`, "give a number from -2 to 2; 0 changes nothing", {
      field,
    });
  }
}

/**
 * Takes penalties from the logits of tokens that were sampled before: `logit - count * frequency - (count > 0) * presence`, before
 * temperature, top-k and top-p; the prompt does not count. Changes `logits` in place.
 * @param logits `[vocabulary]`
 * @param sampled ids of the answer so far
 */
export function penalizeCounts(
  logits: Float32Array,
  sampled: readonly number[],
  { presence = 0, frequency = 0 }: CountPenalties,
): void {
  const counts = new Map<number, number>();
  for (const id of sampled) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [id, count] of counts)
    if (id < logits.length) logits[id] = at(logits, id) - count * frequency - presence;
}

function at(values: Float32Array, index: number): number {
  return values[index] ?? -Infinity;
}
