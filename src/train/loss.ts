import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { BatchArrays } from "./batch.js";
import { batchTensors, type LossOptions, type Objective } from "./objective.js";

/** The loss of a step and where its gradient goes. */
export interface GradientSink {
  /** Adds to the gradient of the step; the tensors are disposed afterwards. */
  accumulate(gradients: Readonly<Record<string, TensorFlow.Tensor>>): void;
}

/** The terms of the loss of a batch, each in nats and summed over its targets (`Objective.lossSums`). */
export function batchLossSums(
  objective: Objective,
  arrays: BatchArrays,
  dropoutSeed?: TensorFlow.Tensor1D,
  options?: LossOptions,
): readonly TensorFlow.Scalar[] {
  const seed = dropoutSeed === undefined ? {} : { dropoutSeed };
  return objective.lossSums({ ...batchTensors(arrays), ...seed }, options);
}

/**
 * What each term of the loss is divided by: the number of its targets in all batches of a step. One term for the
 * supervised tokens, and one for the labels of the rows where they have any.
 */
export function termCounts(batches: readonly BatchArrays[]): number[] {
  const counts = batches.map(({ targets, rowTargets }) =>
    rowTargets === undefined ? [targets.length] : [targets.length, rowTargets.length],
  );
  return (counts[0] ?? []).map((_, term) => counts.reduce((sum, ofBatch) => sum + (ofBatch[term] ?? 0), 0));
}

/** The terms of a batch times their shares of the step's loss (1 / their counts), added up. */
export function weightedLoss(
  sums: readonly TensorFlow.Scalar[],
  shares: readonly TensorFlow.Scalar[],
): TensorFlow.Scalar {
  if (sums.length !== shares.length) {
    throw new RangeError(`the loss has ${sums.length} terms, the batch has targets for ${shares.length}`);
  }
  return sums
    .map((sum, term): TensorFlow.Scalar => tf.mul(sum, shares[term] ?? NaN))
    .reduce((total, term) => tf.add(total, term));
}

/**
 * Loss and gradient of an optimizer step: the sum over the supervised tokens of all its batches divided by their
 * number in the whole step (design rule 4.2). Each batch is divided by that same number before its backward pass, so
 * how the step is cut into batches changes nothing but rounding; a mean of the batches' means would weigh tokens of
 * small batches more. Where rows have labels too, their term is divided by the number of labels in the whole step, and
 * the loss is the sum of the two: a mean over tokens plus a mean over rows.
 * @param batches the step's tensors, one forward and backward pass each
 * @param step its number, which dropout is drawn from together with the place of the batch
 * @param options what is added to the terms, which are divided as they are
 * @returns nats per supervised token, plus nats per label where rows have any
 */
export function stepLoss(
  objective: Objective,
  batches: readonly BatchArrays[],
  sink: GradientSink,
  step = 0,
  options?: LossOptions,
): number {
  const { model } = objective;
  const counts = termCounts(batches);
  const variables = [...model.parameters.values()];
  let loss = 0;
  batches.forEach((arrays, index) => {
    tf.tidy(() => {
      const shares = counts.map((count) => tf.scalar(1 / count));
      const seed = model.hasDropout === true ? dropoutSeed(step, index) : undefined;
      const { value, grads } = tf.variableGrads(
        () => weightedLoss(batchLossSums(objective, arrays, seed, options), shares),
        variables,
      );
      sink.accumulate(grads);
      loss += value.dataSync()[0] ?? NaN;
    });
  });
  return loss;
}

/** What dropout draws from in one pass: int32 `[2]`. @param index of the batch in its step */
export function dropoutSeed(step: number, index: number): TensorFlow.Tensor1D {
  return tf.tensor1d([step, index << 24], "int32");
}

/** The terms of the loss of a batch as numbers, without a gradient: nats summed over the targets of each. */
export function measuredSums(objective: Objective, arrays: BatchArrays): number[] {
  return tf.tidy(() => batchLossSums(objective, arrays).map((sum) => sum.dataSync()[0] ?? NaN));
}

/**
 * The loss of some batches without a gradient: a validation loss, the same sums over the same counts.
 * @param batches any number of tensors
 * @returns as `stepLoss`
 */
export function meanLoss(objective: Objective, batches: readonly BatchArrays[]): number {
  const counts = termCounts(batches);
  const sums = counts.map(() => 0);
  for (const arrays of batches) {
    measuredSums(objective, arrays).forEach((value, term) => (sums[term] = (sums[term] ?? NaN) + value));
  }
  return sums.reduce((total, sum, term) => total + sum / (counts[term] ?? NaN), 0);
}
