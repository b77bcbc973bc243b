import { linear, linearOperation } from "../engine/ops/linear.js";
import { Tape } from "../engine/ops/tape.js";
import type { TensorFlow } from "../engine/tensorflow.js";

/**
 * Logits of hidden states.
 * @param hidden `[rows, width]`
 * @param head `[vocabulary, width]`: a matrix of its own, or the token embedding
 * @param trained whether the head gets a gradient
 * @returns `[rows, vocabulary]`
 */
export function headLogits(
  hidden: TensorFlow.Tensor2D,
  head: TensorFlow.Tensor2D,
  trained: boolean,
): TensorFlow.Tensor2D {
  if (trained) return linear(hidden, head, undefined, true);
  // The tape leaves out the gradient of a frozen head, which is as large as the embedding.
  return Tape.run([hidden], (tape) =>
    tape.apply(linearOperation, [hidden, head, undefined], { transposed: true }),
  ) as TensorFlow.Tensor2D;
}
