import { KitError } from "../support/errors.js";

/**
 * Ways to rank options by their log-probabilities. They favour options of different lengths, and papers differ in which
 * they take; so all are computed.
 * - `sum`: log P(option | prompt); favours short options.
 * - `perToken`, `perCharacter`, `perByte`: `sum` over the option's tokens, characters (code points) or UTF-8 bytes.
 *   lm-evaluation-harness's `acc_norm` is per character, its `acc_bytes` per byte.
 * - `pmi`: log P(option | prompt) - log P(option | nothing), pointwise mutual information (Holtzman et al. 2021); favours
 *   options that the prompt makes more probable.
 */
export const RANK_METHODS = ["sum", "perToken", "perCharacter", "perByte", "pmi"] as const;
export type RankMethod = (typeof RANK_METHODS)[number];

/** One option's score by each method, in nats (per unit). */
export type OptionPanel = Readonly<Record<RankMethod, number>>;

/** What a panel is made of. */
export interface OptionLogprob {
  /** The option as it is shown, without what the template puts around it. */
  readonly text: string;
  /** Number of its tokens, the end token too where it is scored. */
  readonly tokens: number;
  /** log P(option | prompt) */
  readonly logprob: number;
  /** log P(option | nothing), the end token scored as in `logprob`. */
  readonly alone: number;
}

/** @throws KitError for an empty option */
export function optionPanel({ text, tokens, logprob, alone }: OptionLogprob): OptionPanel {
  if (text === "") throw new KitError("an option is empty", "give each option a text", { field: "options" });
  return {
    sum: logprob,
    perToken: logprob / tokens,
    perCharacter: logprob / Array.from(text).length,
    perByte: logprob / Buffer.byteLength(text),
    pmi: logprob - alone,
  };
}

/** The place of the best option; of equal ones the first. */
export function bestOption(panels: readonly OptionPanel[], method: RankMethod): number {
  return panels.reduce(
    (best, panel, index) => (panel[method] > (panels[best]?.[method] ?? -Infinity) ? index : best),
    0,
  );
}

/** The rows on which two methods choose different options. */
export interface RankFlips {
  readonly a: RankMethod;
  readonly b: RankMethod;
  readonly rows: number;
  /** Of these, rows that only `a` gets right, and rows that only `b` does. */
  readonly onlyA: number;
  readonly onlyB: number;
}

/** A row of a rank classification. */
export interface RankedRow {
  /** One for each option. */
  readonly panels: readonly OptionPanel[];
  /** Places of the right options. */
  readonly right: readonly number[];
}

/** For each pair of methods the rows on which their choices differ. */
export function rankFlips(rows: readonly RankedRow[]): RankFlips[] {
  return RANK_METHODS.flatMap((a, index) =>
    RANK_METHODS.slice(index + 1).map((b): RankFlips => {
      const differing = rows
        .map(({ panels, right }) => ({ a: bestOption(panels, a), b: bestOption(panels, b), right }))
        .filter((row) => row.a !== row.b);
      return {
        a,
        b,
        rows: differing.length,
        onlyA: differing.filter((row) => row.right.includes(row.a) && !row.right.includes(row.b)).length,
        onlyB: differing.filter((row) => row.right.includes(row.b) && !row.right.includes(row.a)).length,
      };
    }),
  );
}

/** Probabilities of the options by their sums: softmax over the options. */
export function optionProbabilities(panels: readonly OptionPanel[]): number[] {
  const largest = Math.max(...panels.map(({ sum }) => sum));
  const weights = panels.map(({ sum }) => Math.exp(sum - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
