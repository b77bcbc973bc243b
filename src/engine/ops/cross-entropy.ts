import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { add, gatherValues, log, maximum, multiply, reshape, softmax, subtract, sum } from "./kernels.js";
import { rawOps, NO_ATTRIBUTES } from "./raw-ops.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

interface CrossEntropyOptions {
  /** int32 `[rows]` */
  readonly targets: Tensor;
  /** float32 `[rows]`; a weight of 0 leaves the row out. */
  readonly weights: Tensor | undefined;
}

/** Sum over rows of `-log softmax(logits)[target]`. */
export const crossEntropyOperation: Operation<readonly [Tensor], CrossEntropyOptions> = {
  name: "softmaxCrossEntropySum",
  forward([logits], { targets, weights }) {
    const positions = flatPositions(logits, targets);
    const probabilities = softmax(logits);
    const losses = rowLosses(logits, probabilities, positions);
    return {
      output: sum(weights === undefined ? losses : multiply(losses, weights), [0]),
      saved: weights === undefined ? [probabilities, positions] : [probabilities, positions, weights],
    };
  },
  backward(gradient, [probabilities, positions, weights]) {
    if (probabilities === undefined || positions === undefined)
      throw new Error("softmaxCrossEntropySum: nothing was saved");
    const [rows = 0] = probabilities.shape;
    const scale = weights === undefined ? gradient : multiply(reshape(weights, [-1, 1]), gradient);
    return [subtractAtTargets(multiply(probabilities, scale), positions, scale, rows)];
  },
};

/** Index of each row's target in the flattened logits, int32 `[rows]`. */
function flatPositions(logits: Tensor, targets: Tensor): Tensor {
  const [rows = 0, vocabulary = 0] = logits.shape;
  const starts = constant(`starts:${rows},${vocabulary}`, () =>
    tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => row * vocabulary),
      "int32",
    ),
  );
  return add(starts, targets);
}

/**
 * `-log p[target]` of each row. With `m` the largest logit and `q` its probability, `log sum exp = m - log q`, so the
 * loss is `m - log q - logit[target]`: exact where `p[target]` itself underflows (a loss beyond 87 nats), and the
 * probabilities that the gradient needs are used again.
 */
function rowLosses(logits: Tensor, probabilities: Tensor, positions: Tensor): Tensor {
  const logSumExp = subtract(maximum(logits, [1]), log(maximum(probabilities, [1])));
  return subtract(logSumExp, gatherValues(reshape(logits, [-1]), positions));
}

function subtractAtTargets(scaled: Tensor, positions: Tensor, scale: Tensor, rows: number): Tensor {
  const raw = rawOps();
  const shape = scaled.shape;
  const ones = constant(`ones:${rows}`, () => tf.ones([rows]));
  const amounts = multiply(ones, reshape(scale, [-1]));
  const flat = reshape(scaled, [-1]);
  const indices = reshape(positions, [-1, 1]);
  const result =
    raw === undefined
      ? tf.sub(flat, tf.scatterND(indices, amounts, flat.shape))
      : raw.executeSingleOutput("TensorScatterSub", NO_ATTRIBUTES, [flat, indices, amounts]);
  return reshape(result, shape);
}

/**
 * Softmax cross entropy in nats, summed over the rows: the caller gathers the supervised positions first and divides by
 * the number of supervised tokens of the whole optimizer step. Integer labels, no one-hot.
 * @param logits `[rows, vocabulary]`
 * @param targets int32 `[rows]`, each in `[0, vocabulary)`
 * @param weights float32 `[rows]`, default 1
 */
export function softmaxCrossEntropySum(
  logits: TensorFlow.Tensor2D,
  targets: TensorFlow.Tensor1D,
  weights?: TensorFlow.Tensor1D,
): TensorFlow.Scalar {
  return runDifferentiable(crossEntropyOperation, [logits], { targets, weights }) as TensorFlow.Scalar;
}

/**
 * Natural-log probability of each row's target; no gradient.
 * @param logits `[rows, vocabulary]`
 * @param targets int32 `[rows]`
 * @returns `[rows]`
 */
export function targetLogProbabilities(
  logits: TensorFlow.Tensor2D,
  targets: TensorFlow.Tensor1D,
): TensorFlow.Tensor1D {
  return tf.tidy(() => {
    const losses = rowLosses(logits, softmax(logits), flatPositions(logits, targets));
    return tf.neg(losses) as TensorFlow.Tensor1D;
  });
}
