import { tf, type TensorFlow } from "../tensorflow.js";
import { constant, integerConstant } from "./constants.js";
import {
  add,
  addScalar,
  gatherValues,
  log,
  maximum,
  mean,
  multiply,
  reshape,
  scale,
  softmax,
  square,
  subtract,
  sum,
} from "./kernels.js";
import { rawOps, NO_ATTRIBUTES } from "./raw-ops.js";
import { type Operation, runDifferentiable } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** What may be added to the cross entropy of each row. */
export interface TokenLoss {
  /** PyTorch's label smoothing: the share of the target that is dealt out evenly over all classes, 0 to 1. Default: 0. */
  readonly labelSmoothing?: number | undefined;
  /** PaLM's z-loss: this times the square of the log of the softmax's denominator, log^2 Z. Default: 0. */
  readonly zLoss?: number | undefined;
}

interface CrossEntropyOptions extends TokenLoss {
  /** int32 `[rows]` */
  readonly targets: Tensor;
  /** float32 `[rows]`; a weight of 0 leaves the row out. */
  readonly weights: Tensor | undefined;
}

/**
 * Sum over rows of `-log softmax(logits)[target]`, with what `TokenLoss` adds: of a row with logits x, target t, the share
 * e of smoothing and the coefficient c of the z-loss it is
 *
 *     log Z - (1 - e) x[t] - e mean(x) + c log^2 Z,   with the gradient   (1 + 2 c log Z) softmax(x) - (1 - e) [t] - e / n
 */
export const crossEntropyOperation: Operation<readonly [Tensor], CrossEntropyOptions> = {
  name: "softmaxCrossEntropySum",
  forward([logits], { targets, weights, labelSmoothing = 0, zLoss = 0 }) {
    const positions = flatPositions(logits, targets);
    const probabilities = softmax(logits);
    const logZ = logDenominator(logits, probabilities);
    const own = gatherValues(reshape(logits, [-1]), positions);
    const wanted =
      labelSmoothing === 0
        ? own
        : add(scale(own, 1 - labelSmoothing), scale(mean(logits, [1]), labelSmoothing));
    const entropies = subtract(logZ, wanted);
    const losses = zLoss === 0 ? entropies : add(entropies, scale(square(logZ), zLoss));
    return {
      output: sum(weights === undefined ? losses : multiply(losses, weights), [0]),
      saved: [
        probabilities,
        positions,
        ...(zLoss === 0 ? [] : [logZ]),
        ...(weights === undefined ? [] : [weights]),
      ],
    };
  },
  backward(gradient, [probabilities, positions, ...others], { labelSmoothing = 0, zLoss = 0 }) {
    if (probabilities === undefined || positions === undefined)
      throw new Error("softmaxCrossEntropySum: nothing was saved");
    const [logZ, weights] = zLoss === 0 ? [undefined, ...others] : others;
    const [rows = 0, classes = 1] = probabilities.shape;
    const share = weights === undefined ? gradient : multiply(reshape(weights, [-1, 1]), gradient);
    const whole =
      logZ === undefined ? share : multiply(addScalar(scale(reshape(logZ, [-1, 1]), 2 * zLoss), 1), share);
    const towards = multiply(probabilities, whole);
    if (labelSmoothing === 0) return [subtractAtTargets(towards, positions, share, rows)];
    const even = subtract(towards, scale(share, labelSmoothing / classes));
    return [subtractAtTargets(even, positions, scale(share, 1 - labelSmoothing), rows)];
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
 * Log of the softmax's denominator of each row. With `m` the largest logit and `q` its probability it is `m - log q`:
 * exact where the probability of a target underflows (a loss beyond 87 nats), and the probabilities that the gradient
 * needs are used again.
 */
function logDenominator(logits: Tensor, probabilities: Tensor): Tensor {
  return subtract(maximum(logits, [1]), log(maximum(probabilities, [1])));
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
 * @param loss what is added for each row, times its weight
 */
export function softmaxCrossEntropySum(
  logits: TensorFlow.Tensor2D,
  targets: TensorFlow.Tensor1D,
  weights?: TensorFlow.Tensor1D,
  loss: TokenLoss = {},
): TensorFlow.Scalar {
  const options = { targets, weights, ...loss };
  return runDifferentiable(crossEntropyOperation, [logits], options) as TensorFlow.Scalar;
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
    const own = gatherValues(reshape(logits, [-1]), flatPositions(logits, targets));
    return subtract(own, logDenominator(logits, softmax(logits))) as TensorFlow.Tensor1D;
  });
}

/**
 * Natural-log probabilities of tokens, several of which may be asked for after the same row; no gradient. The same
 * arithmetic as `targetLogProbabilities`.
 * @param logits `[rows, vocabulary]`
 * @param rows int32 `[pairs]`, which row each token is asked for after
 * @param targets int32 `[pairs]`
 * @returns `[pairs]`
 */
export function pairLogProbabilities(
  logits: TensorFlow.Tensor2D,
  rows: TensorFlow.Tensor1D,
  targets: TensorFlow.Tensor1D,
): TensorFlow.Tensor1D {
  return tf.tidy(() => {
    const vocabulary = integerConstant(logits.shape[1]);
    const sums = logDenominator(logits, softmax(logits));
    const chosen = gatherValues(reshape(logits, [-1]), add(multiply(rows, vocabulary), targets));
    return subtract(chosen, gatherValues(sums, rows)) as TensorFlow.Tensor1D;
  });
}
