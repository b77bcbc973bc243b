import type { DecoderConfig } from "../../model/config.js";
import type { LeakKind } from "../../similarity/leakage/leak.js";
import type { TrainConfig } from "../../train/config.js";
import type { RunBudget } from "../budget.js";
import type { FolderStart } from "../mini/settings.js";

/** What is compared: the input alone, the definition before it, and definitions of other rows before it. */
export type InstructionArm = "sft" | "ift" | "ift-shuffled";

/** Which task types are held out. */
export type HeldOut =
  | { readonly kind: "official"; readonly track: "default" }
  | { readonly kind: "named"; readonly taskTypes: readonly string[] }
  | { readonly kind: "fraction"; readonly fraction: number; readonly seed: number };

/** What happens to leaks between the two sides of the split. What is neither removed nor allowed stops the experiment. */
export interface LeakagePolicy {
  /** Rows that leak are left out on this side: their test rows are not asked, or their training rows not trained on. */
  readonly remove: "held-out" | "train" | "nothing";
  /** Kinds that are let pass. */
  readonly allow: readonly LeakKind[];
}

/** The official lists put tasks of one source on both sides (ROCStories, WSC); whoever takes them takes that along. */
export const OFFICIAL_LEAKS: readonly LeakKind[] = ["shared-source", "sibling-task"];

/** The size of the experiment on a folder of Super-NaturalInstructions tasks. */
export interface InstructionSettings {
  /** Folder of task files. */
  readonly data: string;
  readonly heldOut: HeldOut;
  readonly leakage: LeakagePolicy;
  readonly arms: readonly InstructionArm[];
  readonly seeds: readonly number[];
  /** Training rows of a task, at most. */
  readonly trainRowsPerTask: number;
  /** Rows of each training task kept out of training, to ask trained task types with new inputs. */
  readonly seenRowsPerTask: number;
  /** Trained tasks that are asked, at most. */
  readonly seenTasks: number;
  /** Held-out rows of a task, at most. */
  readonly heldOutRowsPerTask: number;
  readonly vocabularySize: number;
  /** Budget of each run, in supervised tokens. */
  readonly supervisedTokens: number;
  readonly rowsPerStep: number;
  readonly learningRate: number;
  readonly maxNewTokens: number;
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
}

/** About 20 minutes on two cores for 218 training and 119 held-out tasks. */
export const DEFAULT_INSTRUCTION_SETTINGS: Omit<InstructionSettings, "data" | "heldOut" | "leakage"> = {
  arms: ["ift", "sft"],
  seeds: [1, 2],
  trainRowsPerTask: 60,
  seenRowsPerTask: 4,
  seenTasks: 100,
  heldOutRowsPerTask: 10,
  vocabularySize: 4096,
  supervisedTokens: 240_000,
  rowsPerStep: 32,
  learningRate: 2e-3,
  maxNewTokens: 32,
  decoder: {
    width: 128,
    layers: 4,
    heads: 4,
    feedForwardWidth: 512,
    contextLength: 384,
    positions: { kind: "rotary", base: 10_000 },
    norm: { kind: "layer", epsilon: 1e-5 },
    activation: "gelu-tanh",
    biases: false,
    tiedHead: true,
  },
};

/** Seconds instead of minutes, to see that the line works; the scores say nothing. */
export const FAST_INSTRUCTION_SETTINGS: Omit<InstructionSettings, "data" | "heldOut" | "leakage"> = {
  ...DEFAULT_INSTRUCTION_SETTINGS,
  arms: ["ift", "sft"],
  seeds: [1],
  trainRowsPerTask: 6,
  seenRowsPerTask: 1,
  seenTasks: 10,
  heldOutRowsPerTask: 2,
  vocabularySize: 512,
  supervisedTokens: 2_000,
  maxNewTokens: 8,
  decoder: { ...DEFAULT_INSTRUCTION_SETTINGS.decoder, width: 32, layers: 2, feedForwardWidth: 128 },
};

/** What decides one run, beside its seed and the contents of the folder: what a plan may set. */
export interface InstructionRunSettings {
  readonly format: InstructionArm;
  readonly data: string;
  readonly split: Pick<InstructionSettings, "heldOut" | "leakage" | "seenRowsPerTask">;
  readonly evaluation: Pick<InstructionSettings, "seenTasks" | "heldOutRowsPerTask" | "maxNewTokens">;
  readonly trainRowsPerTask: number;
  /** A file or folder of instruction data that is trained on instead of the folder's training tasks. */
  readonly trainingData?: string;
  /**
   * Training tasks, at most: by turns one of each task type, in the folder's order, so that few tasks are of many types. The tokenizer
   * is still that of all.
   */
  readonly trainingTasks?: number;
  /** Tasks of a training task type, at most: the first in the folder's order. The tokenizer is still that of all. */
  readonly tasksPerType?: number;
  /** Training rows of a task type, at most, so that large ones do not rule the mixture. */
  readonly mixtureCap?: number;
  /** Of the tokenizer that is trained on the training rows; a start from a folder has its own. */
  readonly vocabularySize: number;
  /**
   * What training starts from instead of random weights of the shape in `decoder`: a model's folder, or random weights of that
   * one's shape, with its tokenizer and its context. Rows that do not fit into that are in neither.
   */
  readonly start?: FolderStart;
  readonly budget: RunBudget;
  readonly rowsPerStep: number;
  readonly learningRate: number;
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
}

/** The settings of one run of an experiment. */
export function runSettingsOf(settings: InstructionSettings, format: InstructionArm): InstructionRunSettings {
  const { heldOut, leakage, seenRowsPerTask, seenTasks, heldOutRowsPerTask, maxNewTokens } = settings;
  const { data, trainRowsPerTask, vocabularySize, rowsPerStep, learningRate, decoder } = settings;
  return {
    format,
    data,
    split: { heldOut, leakage, seenRowsPerTask },
    evaluation: { seenTasks, heldOutRowsPerTask, maxNewTokens },
    trainRowsPerTask,
    vocabularySize,
    budget: { unit: "supervised-tokens", amount: settings.supervisedTokens },
    rowsPerStep,
    learningRate,
    decoder,
  };
}

/** The training configuration of a run without its budget; the same for every arm. */
export function trainConfigOf(
  { rowsPerStep, learningRate }: Pick<InstructionSettings, "rowsPerStep" | "learningRate">,
  seed: number,
): Omit<TrainConfig, "budget"> {
  return {
    batch: { kind: "bucketed", rowsPerStep },
    optimizer: {
      learningRate,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0.05,
      clipNorm: 1,
    },
    schedule: { kind: "cosine", warmupFraction: 0.05, finalFraction: 0.05 },
    seed,
  };
}
