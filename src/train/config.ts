import { z } from "zod";
import { KitError, type ErrorLocation } from "../support/errors.js";
import { validate } from "../support/validate.js";

/** How much a run may use. Arms of a comparison are given the same amount of the same unit (design rule 4.7). */
export interface Budget {
  /**
   * - "supervised-tokens": targets of the loss;
   * - "total-tokens": all tokens of the rows, prompt and special tokens included, padding not;
   * - "steps": optimizer steps.
   */
  readonly unit: "supervised-tokens" | "total-tokens" | "steps";
  /** How many of them. A run of tokens never uses more, and less by fewer than one row has. */
  readonly amount: number;
}

/** How rows become the tensors of an optimizer step. */
export type BatchConfig =
  | {
      /** One row of data a row of the tensor, rows of similar length together, padded at the end. */
      readonly kind: "bucketed";
      /** Rows of data in an optimizer step, at most; an epoch is dealt out evenly. */
      readonly rowsPerStep: number;
    }
  | {
      /** Several rows of data after one another in a row of the tensor; they never see each other. */
      readonly kind: "packed";
      /** Positions in a row of the tensor. */
      readonly tokensPerRow: number;
      /** Rows of the tensor in an optimizer step, at most. */
      readonly rowsPerStep: number;
    };

/**
 * AdamW (Loshchilov and Hutter 2019) with PyTorch's arithmetic: the decay is decoupled and multiplied by the learning
 * rate, epsilon is added to the bias-corrected root. Only matrices (rank 2 and more, so also the embeddings) decay;
 * gains and biases do not.
 */
export interface OptimizerConfig {
  /** Learning rate after the warm-up. */
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 0 for none. */
  readonly weightDecay: number;
  /** The gradient of a step is scaled down to this norm, taken over all parameters; "off" for no clipping. */
  readonly clipNorm: number | "off";
}

/** How long the learning rate rises, as a share of the budget or in steps (only where the budget is in steps). */
export type Warmup =
  | { readonly warmupFraction: number; readonly warmupSteps?: undefined }
  | { readonly warmupSteps: number; readonly warmupFraction?: undefined };

/** The learning rate over the budget: a linear rise from 0, then a fall from 1 to `finalFraction` of the maximum. */
export type ScheduleConfig = Warmup & {
  readonly kind: "cosine" | "linear" | "constant";
  /** What is left of the learning rate when the budget is used up, 0 to 1; 1 for "constant". */
  readonly finalFraction: number;
};

/** Where and how often a run is saved. */
export interface CheckpointConfig {
  readonly directory: string;
  /** Steps between checkpoints. */
  readonly everySteps: number;
}

/** Everything that decides a training run, besides the model and the rows. */
export interface TrainConfig {
  readonly budget: Budget;
  readonly batch: BatchConfig;
  /**
   * Rows of the tensor in one forward and backward pass; the gradients of a step's passes are added up. It saves
   * memory and changes neither loss nor gradient beyond rounding. Default: the whole step at once.
   */
  readonly microBatchRows?: number;
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  /** Decides the order of the rows, epoch by epoch. */
  readonly seed: number;
  readonly checkpoint?: CheckpointConfig;
}

/** What holds for every run, in words: goes into manifests beside the config. */
export const TRAINING_RULES = {
  loss: "cross entropy in nats, summed over the supervised tokens of the optimizer step and divided by their number",
  decay: "decoupled, on parameters of rank 2 and more (embeddings too), not on gains and biases",
  shuffling: "a new order of the rows in each epoch, from the seed; every row once an epoch",
  lastStep: "takes the rows that still fit into the budget",
  packing: "rows see only themselves, and no token is predicted from another row",
} as const;

const count = z.int().positive();
const share = z.number().min(0).max(1);

const budgetSchema = z.strictObject({
  unit: z.enum(["supervised-tokens", "total-tokens", "steps"]),
  amount: count,
});
const batchSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bucketed"), rowsPerStep: count }),
  z.strictObject({ kind: z.literal("packed"), tokensPerRow: count, rowsPerStep: count }),
]);
const optimizerSchema = z.strictObject({
  learningRate: z.number().positive(),
  beta1: z.number().min(0).lt(1),
  beta2: z.number().min(0).lt(1),
  epsilon: z.number().positive(),
  weightDecay: z.number().min(0),
  clipNorm: z.union([z.number().positive(), z.literal("off")]),
});
const scheduleSchema = z.strictObject({
  warmupFraction: z.number().min(0).lt(1).optional(),
  warmupSteps: z.int().min(0).optional(),
  kind: z.enum(["cosine", "linear", "constant"]),
  finalFraction: share,
});

/** The schema of `TrainConfig` for configurations that contain one; rules between fields are in `parseTrainConfig`. */
export const trainConfigSchema = z.strictObject({
  budget: budgetSchema,
  batch: batchSchema,
  microBatchRows: count.optional(),
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  seed: z.int().min(0),
  checkpoint: z.strictObject({ directory: z.string().min(1), everySteps: count }).optional(),
});

/**
 * A checked configuration.
 * @param location the file it came from; a `field` there is put before the names of wrong fields
 * @throws KitError that names the wrong field and what it may hold
 */
export function parseTrainConfig(value: unknown, location: ErrorLocation = {}): TrainConfig {
  const checked = validate(trainConfigSchema, value, "the training configuration", location);
  const fail = (problem: string, cure: string, field: string): KitError =>
    new KitError(problem, cure, {
      ...location,
      field: location.field === undefined ? field : `${location.field}.${field}`,
    });
  const { warmupFraction, warmupSteps, kind, finalFraction } = checked.schedule;
  const { unit, amount } = checked.budget;
  if ((warmupFraction === undefined) === (warmupSteps === undefined)) {
    throw fail(
      warmupSteps === undefined ? "the warm-up is not given" : "the warm-up is given twice",
      "give either warmupFraction (a share of the budget) or warmupSteps",
      "schedule.warmupFraction",
    );
  }
  if (warmupSteps !== undefined && unit !== "steps") {
    throw fail(
      `the warm-up is in steps but the budget is in ${unit}`,
      "give warmupFraction, the share of the budget that the warm-up takes",
      "schedule.warmupSteps",
    );
  }
  if (warmupSteps !== undefined && warmupSteps >= amount) {
    throw fail(
      `the warm-up of ${warmupSteps} steps fills the budget of ${amount}`,
      "shorten it",
      "schedule.warmupSteps",
    );
  }
  if (kind === "constant" && finalFraction !== 1) {
    throw fail(
      `a constant schedule cannot end at ${finalFraction} of the learning rate`,
      'give finalFraction 1, or the kind "cosine" or "linear"',
      "schedule.finalFraction",
    );
  }
  const warmup: Warmup =
    warmupSteps === undefined ? { warmupFraction: warmupFraction ?? 0 } : { warmupSteps };
  return { ...checked, schedule: { ...warmup, kind, finalFraction } };
}
