import { tf, type TensorFlow } from "../tensorflow.js";

/** More entries than any run needs (bucketed batches have a few dozen shapes); a guard against unbounded growth. */
const LIMIT = 4096;
const cache = new Map<string, TensorFlow.Tensor>();

/**
 * A tensor that never changes, made once for each backend and key and never disposed by a `tidy`. TF.js uploads a new
 * tensor for every JS number or axis list that is given to an op; these are uploaded once.
 */
export function constant(key: string, build: () => TensorFlow.Tensor): TensorFlow.Tensor {
  const fullKey = `${tf.getBackend()}/${key}`;
  const known = cache.get(fullKey);
  if (known !== undefined) {
    if (cache.size > LIMIT / 2) {
      // Most recently used last: a constant in use is never the one that is thrown out.
      cache.delete(fullKey);
      cache.set(fullKey, known);
    }
    return known;
  }
  const made = tf.keep(tf.tidy(build));
  if (cache.size >= LIMIT) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) {
      cache.get(oldest)?.dispose();
      cache.delete(oldest);
    }
  }
  cache.set(fullKey, made);
  return made;
}

/** A float32 scalar. */
export function scalarConstant(value: number): TensorFlow.Tensor {
  return constant(`scalar:${value}`, () => tf.scalar(value, "float32"));
}

/** An int32 scalar, e.g. a number of segments. */
export function integerConstant(value: number): TensorFlow.Tensor {
  return constant(`integer:${value}`, () => tf.scalar(value, "int32"));
}

/** An int32 vector: a shape, an order of axes, a list of axes. */
export function integersConstant(values: readonly number[]): TensorFlow.Tensor {
  return constant(`integers:${values.join(",")}`, () => tf.tensor1d(values as number[], "int32"));
}
