import type { DecoderConfig } from "../../model/config.js";
import type { RunBudget } from "../budget.js";
import { DEFAULT_INSTRUCTION_SETTINGS } from "../natural-instructions/settings.js";

/** How a test row is answered: greedily in words, or by the most probable of its options (summed log-probability). */
export type AnswerKind = "generated" | "ranked";

/** A data set that is asked and never trained on. */
export interface Benchmark {
  /** What figures call it; it is the level of its rows. */
  readonly name: string;
  /** File or folder in any format that the kit reads. */
  readonly data: string;
  /** Where rows are ranked, those without options have the labels of their task; tasks with too many are left out. */
  readonly answers: AnswerKind;
  /** Rows of a task, at most: evenly over the task. */
  readonly rowsPerTask: number;
}

/** What decides one run, beside its seed and the contents of the files: what a plan may set. */
export interface PublicDataSettings {
  /** Name of the template of training rows and of test rows. */
  readonly template: string;
  /** Names of templates that every row must fit with, so that arms with different templates have the same rows. */
  readonly fitting: readonly string[];
  readonly training: {
    /** File or folder in any format that the kit reads. */
    readonly data: string;
    /** Of a folder of Super-NaturalInstructions tasks: the training tasks of the official split alone. */
    readonly officialTrack?: "default";
    /** Training rows of a task, at most. */
    readonly rowsPerTask: number;
  };
  readonly split: {
    /** Tasks, data sets or task types (clusters), by name, of the training data that are asked and not trained on. */
    readonly heldOut: readonly string[];
    /** Rows of each trained task that are asked instead; 0 for none. */
    readonly seenRowsPerTask: number;
  };
  readonly evaluation: {
    /** How rows of the training data are answered. */
    readonly answers: AnswerKind;
    /** Held-out rows of a task, at most: evenly over the task. */
    readonly heldOutRowsPerTask: number;
    readonly benchmarks: readonly Benchmark[];
    /** Longest generated answer, in tokens. */
    readonly maxNewTokens: number;
  };
  /** Of the tokenizer that is trained on the training rows of all arms, in tokens. */
  readonly vocabularySize: number;
  readonly budget: RunBudget;
  readonly rowsPerStep: number;
  readonly learningRate: number;
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
}

/** Where a plan says nothing: a model of 0.7 million parameters from random weights. */
export const DEFAULT_PUBLIC_DATA_SETTINGS = {
  template: "sft-plain",
  fitting: [],
  split: { heldOut: [], seenRowsPerTask: 0 },
  vocabularySize: 2048,
  rowsPerStep: 32,
  learningRate: 2e-3,
  decoder: { ...DEFAULT_INSTRUCTION_SETTINGS.decoder, layers: 2 },
} as const satisfies Partial<PublicDataSettings>;

/** What every answer is scored by; of a ranked one it is the accuracy. */
export const PUBLIC_DATA_METRICS = ["exact-match"] as const;
