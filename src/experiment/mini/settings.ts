import { clustersOver, type GridCluster, type GridLevel } from "../../data/mini/grid/rows.js";
import type { DecoderConfig } from "../../model/config.js";
import type { TrainConfig } from "../../train/config.js";
import type { RunBudget } from "../budget.js";
import { batchOf, MAX_TOKENS, type MiniExtraEvaluation, type MiniVariant } from "./variant.js";

export { MAX_TOKENS } from "./variant.js";

/** What is compared: how the rows of the grid are shown to the model. */
export type MiniArm = "sft" | "sft-tag" | "ift" | "ift-shuffled" | "ift-swapped";

/**
 * What the training starts from: random weights and a tokenizer of the training rows' words; a model's folder; or random
 * weights in the shape of a model's folder, with its tokenizer.
 */
export type MiniStart =
  | {
      readonly kind: "random";
      readonly vocabularySize: number;
      readonly decoder: Omit<DecoderConfig, "vocabularySize">;
    }
  | { readonly kind: "checkpoint"; readonly folder: string }
  | { readonly kind: "random-like"; readonly folder: string };

/** A start with the tokenizer, shape and context of a model's folder. */
export type FolderStart = Exclude<MiniStart, { readonly kind: "random" }>;

/** Everything that decides the numbers of the mini-world grid. */
export interface MiniSettings {
  readonly start: MiniStart;
  /**
   * Numbers of training task types (cells) of the IFT arm, ascending; the other arms use the largest. The rows and the
   * budget are the same at all of them.
   */
  readonly trainingCells: readonly number[];
  /** Left out whole, one at a time, in runs of their own; none in the default job. */
  readonly clusters: readonly GridCluster[];
  /** One training run for each arm and seed; the seed also draws the texts, and the words that are held out. */
  readonly seeds: readonly number[];
  /** About how many training rows are drawn, whatever the number of cells. */
  readonly trainingRows: number;
  /** Test rows of each level. */
  readonly testRows: Readonly<Record<GridLevel, number>>;
  /** Test rows of a cluster that is left out. */
  readonly clusterRows: number;
  /** Budget of each run, in supervised tokens. */
  readonly supervisedTokens: number;
  readonly rowsPerStep: number;
  readonly learningRate: number;
}

/** A small decoder with random weights. */
export const RANDOM_START: Extract<MiniStart, { kind: "random" }> = {
  kind: "random",
  vocabularySize: 2048,
  decoder: {
    width: 128,
    layers: 3,
    heads: 4,
    feedForwardWidth: 512,
    contextLength: MAX_TOKENS,
    positions: { kind: "rotary", base: 10_000 },
    norm: { kind: "layer", epsilon: 1e-5 },
    activation: "gelu-tanh",
    biases: false,
    tiedHead: true,
  },
};

/** The base decoder that ships with the kit: it read the mini world's texts, and no instruction. */
export const BASE_START: MiniStart = { kind: "checkpoint", folder: "datasets/checkpoints/decoder" };

/** The default job of the command line: 18 runs of about 40 seconds of one core each. */
export const DEFAULT_MINI_SETTINGS: MiniSettings = {
  start: BASE_START,
  trainingCells: [10, 30, 90],
  clusters: [],
  seeds: [1, 2, 3],
  trainingRows: 14_000,
  testRows: {
    seen: 180,
    "unseen-slot-words": 120,
    "unseen-paraphrase": 120,
    "unseen-kind": 120,
    "held-out-cell": 180,
    "held-out-selector": 120,
    "held-out-format": 120,
  },
  clusterRows: 120,
  supervisedTokens: 50_000,
  rowsPerStep: 16,
  learningRate: 2e-3,
};

/** The large job: more rows, a longer budget, five seeds, and every selector and format left out in turn. */
export const FULL_MINI_SETTINGS: MiniSettings = {
  ...DEFAULT_MINI_SETTINGS,
  trainingCells: [10, 20, 30, 45, 60, 75, 90],
  clusters: [...clustersOver("selectors"), ...clustersOver("formats")],
  seeds: [1, 2, 3, 4, 5],
  trainingRows: 80_000,
  testRows: {
    seen: 360,
    "unseen-slot-words": 240,
    "unseen-paraphrase": 240,
    "unseen-kind": 240,
    "held-out-cell": 360,
    "held-out-selector": 240,
    "held-out-format": 240,
  },
  supervisedTokens: 300_000,
};

/** One seed and a short budget, for tests and for the notebook's fast mode: the same contrasts, with wider intervals. */
export const FAST_MINI_SETTINGS: MiniSettings = {
  ...DEFAULT_MINI_SETTINGS,
  trainingCells: [10, 90],
  seeds: [1],
  trainingRows: 6_000,
  testRows: {
    seen: 90,
    "unseen-slot-words": 30,
    "unseen-paraphrase": 30,
    "unseen-kind": 30,
    "held-out-cell": 90,
    "held-out-selector": 30,
    "held-out-format": 30,
  },
  clusterRows: 40,
  supervisedTokens: 20_000,
};

/** What decides one run, beside its seed and the contents of the model's folder: what a plan may set. */
export interface MiniRunSettings extends MiniVariant {
  readonly format: MiniArm;
  /** Number of training task types, before a cluster is taken out of them. */
  readonly trainingCells: number;
  readonly start: MiniStart;
  readonly trainingRows: number;
  readonly split: {
    /** Left out of training. */
    readonly without?: GridCluster;
  };
  readonly evaluation: Pick<MiniSettings, "testRows" | "clusterRows"> &
    MiniExtraEvaluation & {
      readonly levels: readonly GridLevel[];
      readonly clusters: readonly GridCluster[];
    };
  readonly budget: RunBudget;
  readonly rowsPerStep: number;
  readonly learningRate: number;
}

/** The training configuration of a run without its budget; the same for every arm. */
export function trainConfigOf(
  {
    rowsPerStep,
    learningRate,
    batching = "rows",
  }: Pick<MiniSettings, "rowsPerStep" | "learningRate"> & Partial<Pick<MiniVariant, "batching">>,
  seed: number,
): Omit<TrainConfig, "budget"> {
  return {
    batch: batchOf({ batching }, rowsPerStep),
    optimizer: {
      learningRate,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0.01,
      clipNorm: 1,
    },
    schedule: { kind: "cosine", warmupFraction: 0.05, finalFraction: 0.05 },
    seed,
  };
}
