import type { Distribution, LabelBalance } from "../../data/compare/index.js";
import type { InstructionDiversity } from "../../data/diversity/index.js";
import type { Example } from "../../data/example.js";
import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { DedupeLine } from "../../similarity/dedupe.js";
import type { GenerationLedger } from "../pipeline/ledger.js";
import type { LabelValidity } from "./label-validity.js";
import type { NearestSeeds } from "./nearest-seeds.js";

/** Rows under a name, with the ledger of the run that made them where there is one. */
export interface InstructionSet {
  readonly name: string;
  readonly examples: readonly Example[];
  readonly ledger?: GenerationLedger;
}

/** How diverse and how sound sets of instruction data are, beside one another. Plain data: `JSON.stringify` keeps all of it. */
export interface QualityReport {
  readonly version: 1;
  /** Changes when a row or a setting does. */
  readonly hash: string;
  readonly settings: QualitySettings;
  /** Name of the set that `nearestSeeds` compares with; null where none was given. */
  readonly seeds: string | null;
  /** In the order given, the seeds last. */
  readonly sets: readonly SetQuality[];
}

export interface QualitySettings {
  /** Instructions of a draw at most (500). */
  readonly sampleSize: number;
  /** Draws from each set (20). */
  readonly draws: number;
  /** Of the draws (0). */
  readonly seed: number;
  /** Jaccard similarity of three-word shingles from which two rows are near-duplicates (0.8). */
  readonly threshold: number;
}

/** One set of rows. */
export interface SetQuality {
  readonly name: string;
  readonly dataHash: string;
  readonly rows: number;
  readonly withoutInstruction: number;
  readonly withoutInput: number;
  readonly withoutOutput: number;
  /** Of all instructions; null where there are none. */
  readonly diversity: InstructionDiversity | null;
  /** Of equally many instructions of each set; null for sets with too few. */
  readonly matched: MatchedDiversity | null;
  /** Null for the seeds themselves and where there are none. */
  readonly nearestSeeds: NearestSeeds | null;
  /** Distinct instructions, and inputs and first outputs that are not empty, in words; null where there are none. */
  readonly lengths: {
    readonly instruction: Distribution | null;
    readonly input: Distribution | null;
    readonly output: Distribution | null;
  };
  readonly labels: LabelValidity;
  /** Null where no task has few answers that repeat. */
  readonly balance: LabelBalance | null;
  /** Rows that an earlier one has (nearly) the same text as: instruction, input and output; or the first two alone. */
  readonly duplicates: { readonly row: DedupeLine; readonly prompt: DedupeLine };
  readonly ledger: GenerationLedger | null;
}

/**
 * Measures that depend on how many instructions are looked at, over draws of the same number from each set: the mean, with
 * the 5th and the 95th percentile of the draws.
 */
export interface MatchedDiversity {
  /** Instructions of a draw, and draws. */
  readonly instructions: number;
  readonly draws: number;
  /** Different pairs of root verb and object, over instructions. */
  readonly verbObjects: Interval;
  readonly distinct2: Interval;
  readonly selfBleu: Interval;
  /** Mean ROUGE-L with the most similar other instruction of the draw. */
  readonly nearestRougeL: Interval;
}
