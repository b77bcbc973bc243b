import type { RewriteLanguage } from "../../data/rewrite/rule.js";
import type { DecoderConfig } from "../../model/config.js";
import type { TrainConfig } from "../../train/config.js";
import type { RunBudget } from "../budget.js";

/** What is compared: how the rows are shown to the model. */
export type RewriteArm = "sft" | "sft-tag" | "ift" | "ift-shuffled";

/** The size of the string-rewrite experiment; everything that decides its numbers. */
export interface RewriteSettings {
  readonly language: RewriteLanguage;
  /** Numbers of training instructions (rules) of the IFT arm, ascending; SFT and the shuffled control use the largest. */
  readonly trainingRules: readonly number[];
  /**
   * The numbers of training rules, out of `trainingRules`, at which the arm with task tags is trained too. Every tag must
   * be learned from its own rows, so a tag for each of many rules takes more budget than a fair control may be denied:
   * a smaller number shows that tags do as well as instructions on trained rules, and still nothing on others.
   */
  readonly tagRules: readonly number[];
  readonly heldOutRules: number;
  /** Test rows of held-out rules, and as many of trained rules. */
  readonly testRows: number;
  /** One training run for each arm and seed. */
  readonly seeds: readonly number[];
  /** Training rows; every one is a new string, so an epoch is never repeated when they outlast the budget. */
  readonly trainingRows: number;
  /** Budget of each run, in supervised tokens. */
  readonly supervisedTokens: number;
  readonly rowsPerStep: number;
  readonly learningRate: number;
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
}

const DECODER: Omit<DecoderConfig, "vocabularySize"> = {
  width: 64,
  layers: 3,
  heads: 4,
  feedForwardWidth: 256,
  contextLength: 32,
  positions: { kind: "rotary", base: 10_000 },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: false,
  tiedHead: true,
};

/** The default job: the smallest setting found that shows the transition with intervals far apart. */
export const DEFAULT_SETTINGS: RewriteSettings = {
  language: {
    alphabet: "abcdefghijkl",
    leftLength: { min: 1, max: 3 },
    rightLength: { min: 2, max: 3 },
    inputLength: { min: 4, max: 7 },
  },
  trainingRules: [10, 100, 300, 1000],
  tagRules: [100, 1000],
  heldOutRules: 100,
  testRows: 400,
  seeds: [1, 2],
  trainingRows: 64_000,
  supervisedTokens: 400_000,
  rowsPerStep: 32,
  learningRate: 3e-3,
  decoder: DECODER,
};

/** The large job: the whole alphabet, longer strings, a wider model, three seeds. */
export const FULL_SETTINGS: RewriteSettings = {
  ...DEFAULT_SETTINGS,
  language: {
    alphabet: "abcdefghijklmnopqrstuvwxyz",
    leftLength: { min: 1, max: 3 },
    rightLength: { min: 2, max: 3 },
    inputLength: { min: 5, max: 10 },
  },
  trainingRules: [20, 100, 200, 500, 1000, 2000],
  tagRules: [100, 2000],
  heldOutRules: 200,
  testRows: 800,
  seeds: [1, 2, 3],
  trainingRows: 256_000,
  supervisedTokens: 2_200_000,
  rowsPerStep: 64,
  learningRate: 2e-3,
  decoder: { ...DECODER, width: 96, feedForwardWidth: 384, contextLength: 48 },
};

/** A small world for tests and for the notebook's fast mode: the same contrast in seconds, with wider intervals. */
export const FAST_SETTINGS: RewriteSettings = {
  ...DEFAULT_SETTINGS,
  language: {
    alphabet: "abcdefgh",
    leftLength: { min: 1, max: 1 },
    rightLength: { min: 2, max: 2 },
    inputLength: { min: 3, max: 5 },
  },
  trainingRules: [8, 200],
  tagRules: [200],
  heldOutRules: 40,
  testRows: 160,
  seeds: [1],
  trainingRows: 24_000,
  supervisedTokens: 120_000,
  learningRate: 4e-3,
  decoder: { ...DECODER, layers: 2, contextLength: 24 },
};

/** What decides one run, beside its seed: what a plan may set. */
export interface RewriteRunSettings {
  /** How the rows are shown to the model. */
  readonly format: RewriteArm;
  /** Number of training instructions. */
  readonly trainingRules: number;
  readonly language: RewriteLanguage;
  readonly split: Pick<RewriteSettings, "heldOutRules">;
  readonly evaluation: Pick<RewriteSettings, "testRows">;
  readonly trainingRows: number;
  readonly budget: RunBudget;
  readonly rowsPerStep: number;
  readonly learningRate: number;
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
}

/** The settings of one run of an experiment. */
export function runSettingsOf(
  { language, heldOutRules, testRows, trainingRows, supervisedTokens, ...rest }: RewriteSettings,
  format: RewriteArm,
  trainingRules: number,
): RewriteRunSettings {
  const { rowsPerStep, learningRate, decoder } = rest;
  return {
    format,
    trainingRules,
    language,
    split: { heldOutRules },
    evaluation: { testRows },
    trainingRows,
    budget: { unit: "supervised-tokens", amount: supervisedTokens },
    rowsPerStep,
    learningRate,
    decoder,
  };
}

/** The training configuration of a run without its budget; the same for every arm. */
export function trainConfigOf(
  { rowsPerStep, learningRate }: Pick<RewriteSettings, "rowsPerStep" | "learningRate">,
  seed: number,
): Omit<TrainConfig, "budget"> {
  return {
    batch: { kind: "bucketed", rowsPerStep },
    optimizer: {
      learningRate,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0.01,
      clipNorm: 1,
    },
    schedule: { kind: "cosine", warmupFraction: 0.03, finalFraction: 0.05 },
    seed,
  };
}
