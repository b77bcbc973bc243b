import type { Spans } from "../data/spans.js";
import type { Decoder } from "../model/decoder.js";
import { scoreTargets } from "./score.js";

const BATCH_TOKENS = 8192;

/**
 * What each token of some rows costs a model, given all tokens before it, whether the loss is on it or not.
 * @returns nats, for each row as many as it has tokens; the first token is predicted from nothing and has NaN
 * @throws KitError when a row does not fit the model
 */
export async function tokenLosses(
  decoder: Decoder,
  rows: readonly Pick<Spans, "ids">[],
): Promise<number[][]> {
  const requests = rows.map(({ ids }) => ({ prompt: ids.slice(0, 1), target: ids.slice(1) }));
  const scores = await scoreTargets(decoder, requests, { batchTokens: BATCH_TOKENS });
  return scores.map(({ tokenLogprobs }) => [Number.NaN, ...tokenLogprobs.map((logprob) => -logprob)]);
}

/** The mean loss of rows on their prompts and on their responses, in nats per token; the first token is left out. */
export interface PartLosses {
  readonly prompt: number;
  readonly response: number;
}

/**
 * The mean losses of rows on their two parts: sums over all tokens of a part divided by their number.
 * @throws KitError as `tokenLosses`
 */
export async function partLosses(
  decoder: Decoder,
  rows: readonly Pick<Spans, "ids" | "promptLength">[],
): Promise<PartLosses> {
  const losses = await tokenLosses(decoder, rows);
  const prompt = losses.flatMap((row, index) => row.slice(1, rows[index]?.promptLength));
  const response = losses.flatMap((row, index) => row.slice(rows[index]?.promptLength));
  return { prompt: mean(prompt), response: mean(response) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
