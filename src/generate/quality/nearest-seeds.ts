import { type Distribution, distributionOf } from "../../data/compare/lengths.js";
import { MOST_SIMILAR } from "../pipeline/filters.js";
import { RougePool } from "../pipeline/rouge-pool.js";

/** How like new instructions are to the seeds that they come from. */
export interface NearestSeeds {
  /** ROUGE-L (F measure) of each distinct instruction with the most similar seed. */
  readonly rougeL: Distribution;
  /** Share of them in each of `SIMILARITY_BINS` equal parts of 0 to 1; a score at a border is in the upper part. */
  readonly shares: readonly number[];
  /** Those with the words of a seed, and those above 0.7, where Self-Instruct's filter leaves an instruction out. */
  readonly sameWords: number;
  readonly aboveLimit: number;
  /** The most similar ones. */
  readonly closest: readonly ClosePair[];
}

export interface ClosePair {
  readonly instruction: string;
  readonly seed: string;
  readonly rougeL: number;
}

export const SIMILARITY_BINS = 20;
const PAIRS_KEPT = 10;

/**
 * The similarity of instructions to the nearest seed, as in figure 3 of Self-Instruct (Wang et al. 2023, arXiv 2212.10560):
 * ROUGE-L as `rouge_score` computes it without stems. An instruction that shares no word with any seed has 0.
 * @param instructions distinct
 * @returns undefined where there are none, or no seeds
 */
export function nearestSeeds(
  instructions: readonly string[],
  seeds: readonly string[],
): NearestSeeds | undefined {
  const pool = new RougePool(seeds);
  const pairs = instructions.map((instruction): ClosePair => {
    const { index, score } = pool.nearest(instruction) ?? { index: -1, score: 0 };
    return { instruction, seed: seeds[index] ?? "", rougeL: score };
  });
  const scores = pairs.map(({ rougeL }) => rougeL);
  const rougeL = distributionOf(scores);
  if (rougeL === undefined || seeds.length === 0) return undefined;
  const counts = new Array<number>(SIMILARITY_BINS).fill(0);
  for (const score of scores) {
    const bin = Math.min(SIMILARITY_BINS - 1, Math.floor(score * SIMILARITY_BINS));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return {
    rougeL,
    shares: counts.map((count) => count / scores.length),
    sameWords: scores.filter((score) => score === 1).length,
    aboveLimit: scores.filter((score) => score > MOST_SIMILAR).length,
    closest: pairs.sort((a, b) => b.rougeL - a.rougeL).slice(0, PAIRS_KEPT),
  };
}
