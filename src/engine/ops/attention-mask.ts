import { tf, type TensorFlow } from "../tensorflow.js";
import { constant, integerConstant } from "./constants.js";

/** Added to a score that must not be seen: its softmax weight underflows to exactly 0 in float32. */
export const HIDDEN = -1e9;

/** What attention adds to its scores: 0 where a query sees a key, a large negative number elsewhere. */
export interface AttentionMask {
  /** float32 `[time, keys]` for all rows, or `[batch, 1, time, keys]`. */
  readonly bias: TensorFlow.Tensor;
}

/** Each position sees itself and the positions before it; one tensor for each length, made once. */
export function causalMask(time: number): AttentionMask {
  return {
    bias: constant(`causal:${time}`, () => {
      const values = new Float32Array(time * time);
      for (let query = 0; query < time; query++)
        values.fill(HIDDEN, query * time + query + 1, (query + 1) * time);
      return tf.tensor2d(values, [time, time]);
    }),
  };
}

/**
 * The mask of packed rows: causal, and only within the same segment, so that packed sequences never attend to each
 * other. Positions of segment 0 (padding) see each other and are seen by no one else.
 *
 *     segments 1 1 2 2 0     row 0 sees 0        row 2 sees 2        row 4 sees 4
 *                            row 1 sees 0 1      row 3 sees 2 3
 *
 * @param segments int32 `[batch, time]`
 */
export function segmentMask(segments: TensorFlow.Tensor2D): AttentionMask {
  const [, time] = segments.shape;
  return {
    bias: tf.tidy(() => tf.minimum(sameSegmentMask(segments, segments).bias, causalMask(time).bias)),
  };
}

/**
 * Each query sees the keys of its own segment, those after it too.
 * @param queries int32 `[batch, time]`
 * @param keys int32 `[batch, keys]`
 */
export function sameSegmentMask(queries: TensorFlow.Tensor2D, keys: TensorFlow.Tensor2D): AttentionMask {
  const [batch, time] = queries.shape;
  return {
    bias: tf.tidy(() => {
      const same = tf.equal(queries.reshape([batch, 1, time, 1]), keys.reshape([batch, 1, 1, keys.shape[1]]));
      return tf.mul(tf.cast(tf.logicalNot(same), "float32"), HIDDEN);
    }),
  };
}

/**
 * Every query sees every key but padding, which has segment 0.
 * @param segments int32 `[batch, keys]`
 */
export function paddingMask(segments: TensorFlow.Tensor2D): AttentionMask {
  const [batch, keys] = segments.shape;
  return {
    bias: tf.tidy(() => {
      const padding = tf.equal(segments.reshape([batch, 1, 1, keys]), integerConstant(0));
      return tf.mul(tf.cast(padding, "float32"), HIDDEN);
    }),
  };
}
