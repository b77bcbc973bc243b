import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { fusedOps } from "./fused.js";
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
    const { losses, probabilities, labels } = rowLosses(logits, targets);
    return {
      output: sum(weights === undefined ? losses : multiply(losses, weights), [0]),
      saved: weights === undefined ? [probabilities, labels] : [probabilities, labels, weights],
    };
  },
  backward(gradient, [probabilities, labels, weights]) {
    if (probabilities === undefined || labels === undefined)
      throw new Error("softmaxCrossEntropySum: nothing was saved");
    const [rows = 0] = probabilities.shape;
    const ones = constant(`ones:${rows}`, () => tf.ones([rows]));
    const scales = multiply(weights ?? ones, gradient);
    const fused = fusedOps();
    if (fused !== undefined) {
      const inputs = [scales, probabilities, labels];
      return [fused.executeSingleOutput("IftKitCrossEntropyGradient", NO_ATTRIBUTES, inputs)];
    }
    return [subtractAtPlaces(multiply(probabilities, reshape(scales, [-1, 1])), labels, scales)];
  },
};

interface RowLosses {
  /** `-log softmax(logits)[target]` of each row. */
  readonly losses: Tensor;
  readonly probabilities: Tensor;
  /** What the gradient finds the targets by: themselves (fused), else their places in the flattened logits. */
  readonly labels: Tensor;
}

/**
 * With `m` the largest logit and `q` its probability, `log sum exp = m - log q`, so the loss is
 * `m - log q - logit[target]`: exact where `p[target]` itself underflows (a loss beyond 87 nats), and the
 * probabilities that the gradient needs are used again.
 */
function rowLosses(logits: Tensor, targets: Tensor): RowLosses {
  const fused = fusedOps();
  if (fused !== undefined) {
    const inputs = [logits, targets];
    const outputs = fused.executeMultipleOutputs("IftKitCrossEntropy", NO_ATTRIBUTES, inputs, 2);
    const [losses, probabilities] = outputs;
    if (losses === undefined || probabilities === undefined) throw new Error("an output is missing");
    return { losses, probabilities, labels: targets };
  }
  const places = flatPlaces(logits, targets);
  const probabilities = softmax(logits);
  const logSumExp = subtract(maximum(logits, [1]), log(maximum(probabilities, [1])));
  const losses = subtract(logSumExp, gatherValues(reshape(logits, [-1]), places));
  return { losses, probabilities, labels: places };
}

/** Index of each row's target in the flattened logits, int32 `[rows]`. */
function flatPlaces(logits: Tensor, targets: Tensor): Tensor {
  const [rows = 0, vocabulary = 0] = logits.shape;
  const starts = constant(`starts:${rows},${vocabulary}`, () =>
    tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => row * vocabulary),
      "int32",
    ),
  );
  return add(starts, targets);
}

function subtractAtPlaces(x: Tensor, places: Tensor, amounts: Tensor): Tensor {
  const flat = reshape(x, [-1]);
  const indices = reshape(places, [-1, 1]);
  const raw = rawOps();
  const result =
    raw === undefined
      ? tf.sub(flat, tf.scatterND(indices, amounts, flat.shape))
      : raw.executeSingleOutput("TensorScatterSub", NO_ATTRIBUTES, [flat, indices, amounts]);
  return reshape(result, x.shape);
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
    return tf.neg(rowLosses(logits, targets).losses) as TensorFlow.Tensor1D;
  });
}
