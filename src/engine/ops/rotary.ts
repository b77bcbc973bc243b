import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { add, gatherRows, matmul, multiply, reshape } from "./kernels.js";

type Tensor = TensorFlow.Tensor;

/** Cosines and sines of the rotation angles, each broadcastable to `[batch, heads, time, headWidth]`. */
export interface RotaryAngles {
  readonly cosines: Tensor;
  readonly sines: Tensor;
}

/** The tables for all positions, `[contextLength, headWidth]` each, as Llama lays them out (halves, not pairs). */
function tables(contextLength: number, headWidth: number, base: number): [Tensor, Tensor] {
  const make = (name: string, wave: (angle: number) => number): Tensor =>
    constant(`rotary-${name}:${contextLength},${headWidth},${base}`, () => {
      const half = headWidth / 2;
      const values = Float32Array.from({ length: contextLength * headWidth }, (_, index) => {
        const position = Math.floor(index / headWidth);
        const frequency = base ** (-(2 * (index % half)) / headWidth);
        return wave(position * frequency);
      });
      return tf.tensor2d(values, [contextLength, headWidth]);
    });
  return [make("cosine", Math.cos), make("sine", Math.sin)];
}

/**
 * Angles of the given positions.
 * @param positions int32 `[batch, time]`, or a number of tokens that start at position 0
 */
export function rotaryAngles(
  positions: TensorFlow.Tensor2D | number,
  contextLength: number,
  headWidth: number,
  base: number,
): RotaryAngles {
  const [cosines, sines] = tables(contextLength, headWidth, base);
  if (typeof positions === "number") {
    const key = `rotary-first:${positions},${contextLength},${headWidth},${base}`;
    const first = (name: string, table: Tensor): Tensor =>
      constant(`${key}/${name}`, () => tf.slice(table, [0, 0], [positions, headWidth]));
    return { cosines: first("cosine", cosines), sines: first("sine", sines) };
  }
  const [batch, time] = positions.shape;
  const shape = [batch, 1, time, headWidth];
  return {
    cosines: reshape(gatherRows(cosines, positions), shape),
    sines: reshape(gatherRows(sines, positions), shape),
  };
}

/** `x R` puts `(-second half, first half)` in place of `(first half, second half)`. */
function quarterTurn(headWidth: number): Tensor {
  return constant(`quarter-turn:${headWidth}`, () => {
    const half = headWidth / 2;
    const values = new Float32Array(headWidth * headWidth);
    for (let index = 0; index < half; index++) {
      values[(index + half) * headWidth + index] = -1;
      values[index * headWidth + index + half] = 1;
    }
    return tf.tensor2d(values, [headWidth, headWidth]);
  });
}

function turn(x: Tensor, back: boolean): Tensor {
  const headWidth = x.shape[x.rank - 1] ?? 0;
  return reshape(matmul(reshape(x, [-1, headWidth]), quarterTurn(headWidth), false, back), x.shape);
}

/** Rotates queries or keys `[batch, heads, time, headWidth]` by their positions (Su et al. 2021). */
export function rotate(x: Tensor, { cosines, sines }: RotaryAngles): Tensor {
  return add(multiply(x, cosines), multiply(turn(x, false), sines));
}

/** The gradient of `rotate` with respect to `x`. */
export function rotateGradient(gradient: Tensor, { cosines, sines }: RotaryAngles): Tensor {
  return add(multiply(gradient, cosines), turn(multiply(gradient, sines), true));
}
