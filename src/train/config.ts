import { z } from "zod";
import { KitError, type ErrorLocation } from "../support/errors.js";
import { validate } from "../support/validate.js";
import { type OptimizerConfig, optimizerSchema } from "./optimizers/config.js";
import { checkSchedule, type ScheduleConfig, scheduleSchema } from "./schedule-config.js";
import type { SpikeRule } from "./spike.js";

export type { OptimizerConfig } from "./optimizers/config.js";
export type { ScheduleConfig } from "./schedule-config.js";

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
      /**
       * False for an ablation alone: rows see those before them in their pack, and positions run on, as where texts are
       * joined without a mask. Default: true.
       */
      readonly blockMask?: boolean;
    };

/**
 * An exponential moving average of the weights, taken after each step, with the arithmetic of PyTorch's `AveragedModel`:
 * it starts as the weights after the first step.
 */
export interface WeightAverageConfig {
  /** What is kept of the average in a step, 0 to 1. */
  readonly decay: number;
  /** Which weights the model has when training ends, and a validation looks at. */
  readonly use: "average" | "latest";
}

/**
 * What is added to the cross entropy of each supervised token in training. A validation measures the cross entropy alone,
 * and a training loss with such terms is not given in bits per byte.
 */
export interface LossConfig {
  /**
   * The share of each target that is dealt out evenly over the vocabulary, as PyTorch's `label_smoothing` does it.
   * Default: 0.
   */
  readonly labelSmoothing?: number;
  /** This times log^2 Z, where Z is the softmax's denominator: keeps logits from drifting (PaLM has 1e-4). Default: 0. */
  readonly zLoss?: number;
}

/** Where and how often a run is saved. */
export interface CheckpointConfig {
  readonly directory: string;
  /** Steps between checkpoints. */
  readonly everySteps: number;
}

/** When a run ends before its budget is used, because the validation loss no longer falls. */
export interface EarlyStopping {
  /** Which loss: over all tokens, or the mean over the task types, each with the same weight. */
  readonly on: "all-tokens" | "task-types";
  /** Validations in a row without a better one after which the run ends. */
  readonly patience: number;
  /** Nats per supervised token by which a validation must be lower to be better. */
  readonly minimumImprovement: number;
}

/** How often the loss on the validation rows is measured, and what it decides. */
export interface ValidationConfig {
  /** Steps between validations; there is always one after the last step. */
  readonly everySteps: number;
  /** The model ends with the weights of its best validation. Left out: the whole budget is used, and the last weights stay. */
  readonly earlyStopping?: EarlyStopping;
}

/** What matrix products are computed in. */
export type Precision = "float32" | "bfloat16";

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
  /** Default: cross entropy alone. */
  readonly loss?: LossConfig;
  /**
   * Keeps only the input of each block (of a decoder, a BERT, both stacks of a T5) for the backward pass, which computes
   * the rest again with the same dropout (Chen et al. 2016): less memory, the same gradients but for rounding, a third
   * more work (measured steps of a BERT and a T5 took 1.3 to 1.8 times as long). Default: false.
   */
  readonly activationCheckpointing?: boolean;
  /** Keeps a moving average of the weights beside them, in the checkpoints too. Default: none. */
  readonly weightAverage?: WeightAverageConfig;
  /**
   * Of the matrix products of a step; all else, and the parameters, are float32. "bfloat16" is faster where the processor
   * has instructions for it, takes a compiled step, and changes the losses by less than 1 %. Default: "float32".
   */
  readonly precision?: Precision;
  /** Decides the order of the rows, epoch by epoch. */
  readonly seed: number;
  readonly checkpoint?: CheckpointConfig;
  /** What stops a run as a loss spike; changes no step that is taken. Default: `DEFAULT_SPIKE_RULE`. */
  readonly spike?: SpikeRule | "off";
  /** Needs validation rows beside the config. */
  readonly validation?: ValidationConfig;
}

/** What holds for every run, in words: goes into manifests beside the config. */
export const TRAINING_RULES = {
  loss: "cross entropy in nats, summed over the supervised tokens of the optimizer step and divided by their number",
  decay: "on parameters of rank 2 and more (embeddings too), not on gains and biases; decoupled, but for SGD",
  shuffling: "a new order of the rows in each epoch, from the seed; every row once an epoch",
  lastStep: "takes the rows that still fit into the budget",
  packing: "rows see only themselves, and no token is predicted from another row",
} as const;

/** The rules of a run: `TRAINING_RULES`, but for what its configuration breaks on purpose. */
export function trainingRulesOf({ batch }: Pick<TrainConfig, "batch">): Readonly<Record<string, string>> {
  if (batch.kind !== "packed" || batch.blockMask !== false) return TRAINING_RULES;
  return {
    ...TRAINING_RULES,
    packing: "ABLATION: rows see the rows before them in their pack, and positions run on through it",
  };
}

const count = z.int().positive();

const budgetSchema = z.strictObject({
  unit: z.enum(["supervised-tokens", "total-tokens", "steps"]),
  amount: count,
});
const batchSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bucketed"), rowsPerStep: count }),
  z.strictObject({
    kind: z.literal("packed"),
    tokensPerRow: count,
    rowsPerStep: count,
    blockMask: z.boolean().optional(),
  }),
]);
const spikeSchema = z.union([
  z.literal("off"),
  z.strictObject({ window: z.int().min(5), deviations: z.number().min(0), rise: z.number().min(0) }),
]);
const validationSchema = z.strictObject({
  everySteps: count,
  earlyStopping: z
    .strictObject({
      on: z.enum(["all-tokens", "task-types"]),
      patience: count,
      minimumImprovement: z.number().min(0),
    })
    .optional(),
});

/** The schema of `TrainConfig` for configurations that contain one; rules between fields are in `parseTrainConfig`. */
export const trainConfigSchema = z.strictObject({
  budget: budgetSchema,
  batch: batchSchema,
  microBatchRows: count.optional(),
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  loss: z
    .strictObject({ labelSmoothing: z.number().min(0).lt(1).optional(), zLoss: z.number().min(0).optional() })
    .optional(),
  activationCheckpointing: z.boolean().optional(),
  weightAverage: z
    .strictObject({ decay: z.number().min(0).lt(1), use: z.enum(["average", "latest"]) })
    .optional(),
  precision: z.enum(["float32", "bfloat16"]).optional(),
  seed: z.int().min(0),
  checkpoint: z.strictObject({ directory: z.string().min(1), everySteps: count }).optional(),
  spike: spikeSchema.optional(),
  validation: validationSchema.optional(),
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
  const schedule = checkSchedule(checked.schedule, checked.budget, fail);
  checkOptimizer(checked.optimizer, schedule, fail);
  return { ...checked, schedule };
}

function checkOptimizer(
  optimizer: OptimizerConfig,
  schedule: ScheduleConfig,
  fail: (problem: string, cure: string, field: string) => KitError,
): void {
  if (optimizer.kind === "sgd" && optimizer.nesterov && optimizer.momentum === 0) {
    throw fail(
      "Nesterov's step needs a momentum, but optimizer.momentum is 0",
      "give a momentum such as 0.9, or nesterov false",
      "optimizer.nesterov",
    );
  }
  const { learningRate } = optimizer;
  const warmup = schedule.warmupFraction ?? schedule.warmupSteps;
  if (typeof learningRate !== "number" && (schedule.kind !== "constant" || warmup > 0)) {
    throw fail(
      `Adafactor chooses its step size by itself ("${learningRate}"), so the schedule would do nothing`,
      'give schedule the kind "constant" with warmupFraction 0 and finalFraction 1, or optimizer.learningRate a number',
      "schedule.kind",
    );
  }
}
