import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { softmaxCrossEntropySum, type TokenLoss } from "../../src/engine/ops/index.js";
import { startEngine, type BackendName } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { assertClose, largestDifference } from "../engine/numeric.js";

interface Golden {
  readonly shape: [number, number];
  readonly logits: number[];
  readonly targets: number[];
  readonly weights: number[];
  readonly cases: readonly {
    readonly labelSmoothing: number;
    readonly zLoss: number;
    readonly weighted: boolean;
    readonly loss: number;
    readonly gradient: number[];
  }[];
}
const golden = JSON.parse(readFileSync(new URL("golden/token-loss.json", import.meta.url), "utf8")) as Golden;

/** The loss, and its gradient with respect to the logits. */
function lossAndGradient(weighted: boolean, options: TokenLoss): { loss: number; gradient: number[] } {
  return tf.tidy(() => {
    const logits = tf.tensor2d(golden.logits, golden.shape);
    const targets = tf.tensor1d(golden.targets, "int32");
    const weights = weighted ? tf.tensor1d(golden.weights) : undefined;
    const { value, grad } = tf.valueAndGrad((x: TensorFlow.Tensor) =>
      softmaxCrossEntropySum(x as TensorFlow.Tensor2D, targets, weights, options),
    )(logits);
    return { loss: value.dataSync()[0] ?? NaN, gradient: [...grad.dataSync()] };
  });
}

for (const backend of ["tensorflow", "wasm", "cpu"] as const satisfies readonly BackendName[]) {
  test(`${backend}: label smoothing and z-loss are PyTorch's, with their gradients`, async () => {
    await startEngine({ backend });
    for (const { labelSmoothing, zLoss, weighted, loss, gradient } of golden.cases) {
      const made = lossAndGradient(weighted, { labelSmoothing, zLoss });
      assertClose([made.loss], [loss], 1e-5 * Math.max(1, Math.abs(loss)));
      assertClose(made.gradient, gradient, 1e-5);
      // Controls: a little more of either shows in both.
      for (const other of [
        { labelSmoothing: labelSmoothing * 0.5 + 0.01, zLoss },
        { labelSmoothing, zLoss: zLoss + 1e-3 },
      ]) {
        const wrong = lossAndGradient(weighted, other);
        assert.ok(Math.abs(wrong.loss - loss) > 1e-3, JSON.stringify(other));
        assert.ok(largestDifference(wrong.gradient, gradient).worst > 1e-3, JSON.stringify(other));
      }
    }
  });
}
