import { embeddingLookup, softmaxCrossEntropySum } from "../engine/ops/index.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { BatchArrays } from "./batch.js";
import type { RowLimits } from "./rows.js";

/** What a model is given: int32 tensors `[batch, time]`. Positions and segments only where rows are packed. */
export interface ModelInput {
  readonly ids: TensorFlow.Tensor2D;
  readonly positions?: TensorFlow.Tensor2D;
  readonly segments?: TensorFlow.Tensor2D;
  /** int32 `[2]`, another one for each pass of training: what dropout draws from. */
  readonly dropoutSeed?: TensorFlow.Tensor1D;
}

/** What training needs of a model; `Decoder` is one. */
export interface TrainableModel {
  readonly config: RowLimits;
  /** What is trained, by name. */
  readonly parameters: ReadonlyMap<string, TensorFlow.Variable>;
  /** What the model computes with and is not trained, by name; absent where there is none. */
  readonly frozen?: ReadonlyMap<string, TensorFlow.Variable>;
  /** What else decides its numbers (an adapter's scale and targets), as JSON: part of what a run is. */
  readonly settings?: unknown;
  /** Whether training it draws random numbers. */
  readonly hasDropout?: boolean;
  /** Hidden states after the final norm, `[batch, time, width]`. */
  hiddenStates(input: ModelInput): TensorFlow.Tensor3D;
  /** `[n, width]` -> `[n, vocabulary]` */
  logits(hidden: TensorFlow.Tensor2D): TensorFlow.Tensor2D;
}

/**
 * Cross entropy in nats, summed over the supervised tokens of a batch. Logits are computed at the positions from
 * which a supervised token is predicted, and nowhere else.
 */
export function supervisedLossSum(
  model: TrainableModel,
  arrays: BatchArrays,
  dropoutSeed?: TensorFlow.Tensor1D,
): TensorFlow.Scalar {
  const seed = dropoutSeed === undefined ? {} : { dropoutSeed };
  return tensorLossSum(model, { ...batchTensors(arrays), ...seed });
}

/** A batch as tensors: what the model is given, and what it should say. */
export interface BatchTensors extends ModelInput {
  /** int32 `[supervised]`, see `BatchArrays`. */
  readonly targetPositions: TensorFlow.Tensor1D;
  /** int32 `[supervised]` */
  readonly targets: TensorFlow.Tensor1D;
}

/** The tensors of a batch; the caller disposes them. */
export function batchTensors(arrays: BatchArrays): BatchTensors {
  const { batch, time, ids, positions, segments, targetPositions, targets } = arrays;
  const shape: [number, number] = [batch, time];
  return {
    ids: tf.tensor2d(ids, shape, "int32"),
    ...(positions === undefined ? {} : { positions: tf.tensor2d(positions, shape, "int32") }),
    ...(segments === undefined ? {} : { segments: tf.tensor2d(segments, shape, "int32") }),
    targetPositions: tf.tensor1d(targetPositions, "int32"),
    targets: tf.tensor1d(targets, "int32"),
  };
}

/** `supervisedLossSum` of tensors. */
export function tensorLossSum(
  model: TrainableModel,
  { targetPositions, targets, ...input }: BatchTensors,
): TensorFlow.Scalar {
  const hidden = model.hiddenStates(input);
  const [batch, time, width] = hidden.shape;
  const rows = tf.reshape<TensorFlow.Rank.R2>(hidden, [batch * time, width]);
  const chosen = embeddingLookup(rows, targetPositions) as TensorFlow.Tensor2D;
  return softmaxCrossEntropySum(model.logits(chosen), targets);
}

/** The loss of a step and where its gradient goes. */
export interface GradientSink {
  /** Adds to the gradient of the step; the tensors are disposed afterwards. */
  accumulate(gradients: Readonly<Record<string, TensorFlow.Tensor>>): void;
}

/**
 * Loss and gradient of an optimizer step: the sum over the supervised tokens of all its batches divided by their
 * number in the whole step (design rule 4.2). Each batch is divided by that same number before its backward pass, so
 * how the step is cut into batches changes nothing but rounding; a mean of the batches' means would weigh tokens of
 * small batches more.
 * @param batches the step's tensors, one forward and backward pass each
 * @param step its number, which dropout is drawn from together with the place of the batch
 * @returns nats per supervised token
 */
export function stepLoss(
  model: TrainableModel,
  batches: readonly BatchArrays[],
  sink: GradientSink,
  step = 0,
): number {
  const supervised = batches.reduce((sum, { targets }) => sum + targets.length, 0);
  const variables = [...model.parameters.values()];
  let loss = 0;
  batches.forEach((arrays, index) => {
    tf.tidy(() => {
      const share = tf.scalar(1 / supervised);
      const seed = model.hasDropout === true ? dropoutSeed(step, index) : undefined;
      const { value, grads } = tf.variableGrads(
        () => tf.mul(supervisedLossSum(model, arrays, seed), share),
        variables,
      );
      sink.accumulate(grads);
      loss += value.dataSync()[0] ?? NaN;
    });
  });
  return loss;
}

/** What dropout draws from, int32 `[2]`. @param index of the batch in the step */
export function dropoutSeed(step: number, index: number): TensorFlow.Tensor1D {
  return tf.tensor1d([step, index << 24], "int32");
}

/**
 * Nats per supervised token without a gradient: a validation loss, the same sum over the same count.
 * @param batches any number of tensors
 */
export function meanLoss(model: TrainableModel, batches: readonly BatchArrays[]): number {
  let sum = 0;
  let supervised = 0;
  for (const arrays of batches) {
    sum += tf.tidy(() => supervisedLossSum(model, arrays).dataSync()[0] ?? NaN);
    supervised += arrays.targets.length;
  }
  return sum / supervised;
}
