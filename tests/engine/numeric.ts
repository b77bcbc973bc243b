import assert from "node:assert/strict";
import { startEngine, type BackendName } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { Random } from "../../src/support/random.js";

type Tensor = TensorFlow.Tensor;

/** The native path and both homes of the portable one. */
export const BACKENDS: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];

/** Runs a synchronous body on a backend. */
export async function on<Result>(backend: BackendName, body: () => Result): Promise<Result> {
  await startEngine({ backend });
  return body();
}

/** Standard normal values, the same for the same seed. */
export function normals(shape: readonly number[], seed: number, deviation = 1): Tensor {
  const random = new Random(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => deviation * random.normal());
  return tf.tensor(values, [...shape]);
}

/** Integers in `[0, limit)`, the same for the same seed. */
export function integers(shape: readonly number[], limit: number, seed: number): Tensor {
  const random = new Random(seed);
  const values = Int32Array.from({ length: sizeOf(shape) }, () => random.integer(limit));
  return tf.tensor(values, [...shape], "int32");
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `sum(output * weights)` with fixed weights, so that each output value has its own part in the gradient. */
function project(output: Tensor): TensorFlow.Scalar {
  return tf.sum(tf.mul(output, normals(output.shape, 99)));
}

/** The gradients of a projection of `f`, by TF.js. */
export function gradientsOf(
  f: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): Float32Array[] {
  return tf.tidy(() =>
    tf
      .grads((...values: Tensor[]) => project(f(values)))([...inputs])
      .map((gradient) => gradient.dataSync<"float32">().slice()),
  );
}

/** The largest difference between the gradient and finite differences (fourth order), relative to the gradient's size. */
export function finiteDifferenceError(
  f: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  gradients: readonly Float32Array[] = gradientsOf(f, inputs),
): number {
  const step = 0.03;
  let worst = 0;
  inputs.forEach((input, which) => {
    const gradient = gradients[which] ?? new Float32Array();
    const largest = Math.max(...gradient.map(Math.abs), 1e-3);
    const start = input.dataSync<"float32">().slice();
    // Up to about 20 places of each input, the first among them.
    for (let index = 0; index < start.length; index += Math.ceil(start.length / 20)) {
      const at = (offset: number): number =>
        tf.tidy(() => {
          const moved = start.slice();
          moved[index] = (moved[index] ?? 0) + offset;
          const values = inputs.map((other, k) => (k === which ? tf.tensor(moved, input.shape) : other));
          // The projection in float64, so that only the rounding of `f` itself is left.
          const output = f(values);
          const weights = normals(output.shape, 99).dataSync<"float32">();
          return output.dataSync<"float32">().reduce((sum, value, k) => sum + value * (weights[k] ?? 0), 0);
        });
      const slope = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      worst = Math.max(worst, Math.abs(slope - (gradient[index] ?? NaN)) / largest);
    }
  });
  return worst;
}

/** Asserts that two lists of numbers agree within an absolute tolerance, and says where they do not. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  const { worst, index } = largestDifference(actual, expected);
  assert.ok(worst <= tolerance, `value ${index}: ${actual[index]} and ${expected[index]} differ by ${worst}`);
}

/** The largest absolute difference of two lists and its place; not a number counts as infinite. */
export function largestDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { readonly worst: number; readonly index: number } {
  let worst = 0;
  let index = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = Math.abs((a[k] ?? NaN) - (b[k] ?? NaN));
    if (Number.isNaN(difference)) return { worst: Infinity, index: k };
    if (difference > worst) [worst, index] = [difference, k];
  }
  return { worst, index };
}
