import { targetLogProbabilities } from "../engine/ops/cross-entropy.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { LanguageModel } from "../model/load.js";
import { MOST_LOGITS } from "./score-request.js";

/**
 * Log-probabilities of tokens at chosen places, with the logits of a part of them at a time.
 * @param hidden `[..., width]`
 * @param positions places in `hidden` with its first axes flattened: `[n]`
 * @param targets the token that is asked for at each place: `[n]`
 * @returns `[n]`, natural log
 */
export function targetLogProbabilitiesAt(
  model: LanguageModel,
  hidden: TensorFlow.Tensor,
  positions: readonly number[],
  targets: readonly number[],
): TensorFlow.Tensor {
  const flat = tf.reshape(hidden, [-1, model.config.width]);
  const rowsAtOnce = Math.max(1, Math.floor(MOST_LOGITS / model.config.vocabularySize));
  const parts: TensorFlow.Tensor1D[] = [];
  for (let start = 0; start < positions.length; start += rowsAtOnce) {
    const end = start + rowsAtOnce;
    parts.push(
      tf.tidy(() => {
        const chosen = tf.gather(flat, tf.tensor1d(positions.slice(start, end), "int32"));
        const wanted = tf.tensor1d(targets.slice(start, end), "int32");
        return targetLogProbabilities(model.logits(chosen as TensorFlow.Tensor2D), wanted);
      }),
    );
  }
  return tf.concat(parts);
}
