import type { RunBudget } from "../budget.js";
import type { FolderStart } from "../mini/settings.js";

/** What decides one run, beside its seed and the contents of the files. */
export interface FollowingRunSettings {
  /** File or folder of instruction data in any format that the kit reads. */
  readonly trainingData: string;
  /** Name of the template of training rows and of prompts. */
  readonly template: string;
  readonly start: FolderStart;
  /** How rows that are on both sides are treated: training rows that leak are left out. */
  readonly split: { readonly removeLeaks: boolean };
  readonly evaluation: {
    /** File or folder of prompts with constraints, such as IFEval's. */
    readonly data: string;
    /** Prompts, at most: evenly over the file. */
    readonly prompts: number;
    /** Longest answer, in tokens. */
    readonly maxNewTokens: number;
  };
  readonly budget: RunBudget;
  readonly rowsPerStep: number;
  readonly learningRate: number;
}

/** Where a plan says nothing. */
export const DEFAULT_FOLLOWING_SETTINGS = {
  template: "ift-definition",
  start: { kind: "checkpoint", folder: "datasets/checkpoints/decoder" },
  split: { removeLeaks: true },
  rowsPerStep: 32,
  learningRate: 1e-3,
} as const satisfies Partial<FollowingRunSettings>;

/** IFEval's accuracies of one prompt: whether all its constraints hold, and the share that does; strictly and loosely. */
export const FOLLOWING_METRICS = [
  "prompt-strict",
  "prompt-loose",
  "instruction-strict",
  "instruction-loose",
] as const;
export type FollowingMetric = (typeof FOLLOWING_METRICS)[number];
