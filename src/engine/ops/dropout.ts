import { Random } from "../../support/random.js";
import { tf, type TensorFlow } from "../tensorflow.js";
import { integersConstant } from "./constants.js";
import { add, multiply, scale } from "./kernels.js";
import type { Operation } from "./operation.js";
import { floatType, type OpAttribute, rawOps } from "./raw-ops.js";

type Tensor = TensorFlow.Tensor;

/**
 * What dropout multiplies by: 0 with the probability `rate`, else `1 / (1 - rate)`. The same seed and place give the same
 * mask on the same backend.
 * @param shape of the mask
 * @param seed int32 `[2]`, another one for each pass; a tensor, so that a recorded step can be fed it
 * @param place tells the layers of one pass apart
 */
export function dropoutMask(shape: readonly number[], rate: number, seed: Tensor, place: number): Tensor {
  return tf.tidy(() => {
    const own = add(seed, integersConstant([0, place]));
    const kept = tf.cast(tf.greaterEqual(uniform(shape, own), rate), "float32");
    return scale(kept, 1 / (1 - rate));
  });
}

/** `x * mask`, where the mask has no gradient. */
export const dropoutOperation: Operation<readonly [Tensor], { readonly mask: Tensor }> = {
  name: "dropout",
  forward: ([x], { mask }) => ({ output: multiply(x, mask), saved: [mask] }),
  backward(gradient, [mask]) {
    if (mask === undefined) throw new Error("dropout: nothing was saved");
    return [multiply(gradient, mask)];
  },
};

/** Uniform numbers in [0, 1). */
function uniform(shape: readonly number[], seed: Tensor): Tensor {
  const raw = rawOps();
  if (raw !== undefined) {
    const attributes: OpAttribute[] = [floatType(raw, "dtype")];
    return raw.executeSingleOutput("StatelessRandomUniform", attributes, [integersConstant(shape), seed]);
  }
  const random = Random.derive(0, Array.from(seed.dataSync()).join());
  const length = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(
    Float32Array.from({ length }, () => random.next()),
    [...shape],
  );
}
