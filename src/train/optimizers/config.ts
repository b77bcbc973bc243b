import { z } from "zod";

/** What every optimizer takes. Only matrices (rank 2 and more, so also the embeddings) decay; gains and biases do not. */
interface CommonOptions {
  /** 0 for none. */
  readonly weightDecay: number;
  /** The gradient of a step is scaled down to this norm, taken over all parameters; "off" for no clipping. */
  readonly clipNorm: number | "off";
}

/**
 * AdamW (Loshchilov and Hutter 2019) with PyTorch's arithmetic: the decay is decoupled and multiplied by the learning
 * rate, epsilon is added to the bias-corrected root. It is what a configuration without `kind` means.
 */
export interface AdamWConfig extends CommonOptions {
  readonly kind?: "adamw" | undefined;
  /** Learning rate after the warm-up. */
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * Adafactor (Shazeer and Stern 2018) with the arithmetic of transformers: of a matrix's second moment only the means of
 * rows and columns are kept; the decay is decoupled and multiplied by the learning rate.
 */
export interface AdafactorConfig extends CommonOptions {
  readonly kind: "adafactor";
  /**
   * A number, after the warm-up, or a step size that the optimizer chooses by the number t of the step:
   *
   * - "relative": min(0.01, 1 / sqrt(t));
   * - "relative-warmup": min(1e-6 t, 1 / sqrt(t)).
   */
  readonly learningRate: number | "relative" | "relative-warmup";
  /** Multiplies the learning rate of each parameter by the root of its mean square, `epsilonScale` at least. */
  readonly scaleParameter: boolean;
  /** Added to squared gradients; 1e-30 in the paper. */
  readonly epsilonSquare: number;
  /** 1e-3 in the paper; counts only with `scaleParameter`. */
  readonly epsilonScale: number;
  /** Updates whose root mean square is larger are scaled down to it; 1 in the paper. */
  readonly clipThreshold: number;
  /** The second moment of step t keeps 1 - t^-decayRate of what it was; 0.8 in the paper (-0.8 in transformers). */
  readonly decayRate: number;
  /** Decay of a first moment of the updates, which needs memory for one more copy of the parameters; "off" for none. */
  readonly beta1: number | "off";
}

/** Stochastic gradient descent with PyTorch's arithmetic: the decay is added to the gradient (it is not decoupled). */
export interface SgdConfig extends CommonOptions {
  readonly kind: "sgd";
  /** Learning rate after the warm-up. */
  readonly learningRate: number;
  /** What is kept of the sum of the gradients so far; 0 for none. */
  readonly momentum: number;
  /** Whether a step looks ahead by one more momentum (Nesterov); needs momentum. */
  readonly nesterov: boolean;
}

/** Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2), with decoupled decay. */
export interface LionConfig extends CommonOptions {
  readonly kind: "lion";
  /** Learning rate after the warm-up: the size of the change of every weight. */
  readonly learningRate: number;
  /** What is kept of the momentum in the direction of a step; 0.9 in the paper. */
  readonly beta1: number;
  /** What is kept of the momentum from step to step; 0.99 in the paper. */
  readonly beta2: number;
}

/** How gradients become changes of the parameters. */
export type OptimizerConfig = AdamWConfig | AdafactorConfig | SgdConfig | LionConfig;

const positive = z.number().positive();
const keptShare = z.number().min(0).lt(1);
const common = {
  weightDecay: z.number().min(0),
  clipNorm: z.union([positive, z.literal("off")]),
};

/** The schema of `OptimizerConfig`. */
export const optimizerSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("adamw").optional(),
    learningRate: positive,
    beta1: keptShare,
    beta2: keptShare,
    epsilon: positive,
    ...common,
  }),
  z.strictObject({
    kind: z.literal("adafactor"),
    learningRate: z.union([positive, z.enum(["relative", "relative-warmup"])]),
    scaleParameter: z.boolean(),
    epsilonSquare: positive,
    epsilonScale: positive,
    clipThreshold: positive,
    decayRate: z.number().positive().max(1),
    beta1: z.union([keptShare, z.literal("off")]),
    ...common,
  }),
  z.strictObject({
    kind: z.literal("sgd"),
    learningRate: positive,
    momentum: keptShare,
    nesterov: z.boolean(),
    ...common,
  }),
  z.strictObject({
    kind: z.literal("lion"),
    learningRate: positive,
    beta1: keptShare,
    beta2: keptShare,
    ...common,
  }),
]);
