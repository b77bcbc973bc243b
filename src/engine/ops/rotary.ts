import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { add, gatherRows, matmul, multiply, reshape } from "./kernels.js";

type Tensor = TensorFlow.Tensor;

/** What the angles depend on besides the position. */
export interface RotarySettings {
  readonly contextLength: number;
  readonly width: number;
  readonly heads: number;
  readonly base: number;
}

/**
 * Cosines and sines for queries, keys and values side by side: `[time, 3 * width]` for all rows, or
 * `[batch, time, 3 * width]`. Values are not turned (cosine 1, sine 0), and the part of the queries holds the factor
 * `1 / sqrt(headWidth)` of attention: so one multiplication by each does everything for the three of them.
 */
export interface RotaryAngles {
  readonly cosines: Tensor;
  readonly sines: Tensor;
}

/** The tables for all positions, `[contextLength, 3 * width]` each, as Llama lays them out (halves, not pairs). */
function tables(settings: RotarySettings): RotaryAngles {
  const { contextLength, width, heads, base } = settings;
  const headWidth = width / heads;
  const half = headWidth / 2;
  const make = (name: string, wave: (angle: number) => number, atRest: number): Tensor =>
    constant(`${keyOf(settings)}/${name}`, () => {
      const values = Float32Array.from({ length: contextLength * 3 * width }, (_, index) => {
        const position = Math.floor(index / (3 * width));
        const part = Math.floor((index % (3 * width)) / width);
        if (part === 2) return atRest;
        const frequency = base ** (-(2 * (index % half)) / headWidth);
        return wave(position * frequency) * (part === 0 ? 1 / Math.sqrt(headWidth) : 1);
      });
      return tf.tensor2d(values, [contextLength, 3 * width]);
    });
  return { cosines: make("cosine", Math.cos, 1), sines: make("sine", Math.sin, 0) };
}

function keyOf({ contextLength, width, heads, base }: RotarySettings): string {
  return `rotary:${contextLength},${width},${heads},${base}`;
}

/**
 * Angles of the given positions.
 * @param positions int32 `[batch, time]`, or a number of tokens that start at position 0
 */
export function rotaryAngles(
  positions: TensorFlow.Tensor2D | number,
  settings: RotarySettings,
): RotaryAngles {
  const { cosines, sines } = tables(settings);
  const columns = 3 * settings.width;
  if (typeof positions === "number") {
    const first = (name: string, table: Tensor): Tensor =>
      constant(`${keyOf(settings)}/${name}:${positions}`, () =>
        tf.slice(table, [0, 0], [positions, columns]),
      );
    return { cosines: first("cosine", cosines), sines: first("sine", sines) };
  }
  return { cosines: gatherRows(cosines, positions), sines: gatherRows(sines, positions) };
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

function turn(x: Tensor, headWidth: number, back: boolean): Tensor {
  return reshape(matmul(reshape(x, [-1, headWidth]), quarterTurn(headWidth), false, back), x.shape);
}

/**
 * Turns queries and keys by their positions (Su et al. 2021) and scales the queries.
 * @param joint `[batch, time, 3 * width]`
 */
export function rotate(joint: Tensor, { cosines, sines }: RotaryAngles, headWidth: number): Tensor {
  return add(multiply(joint, cosines), multiply(turn(joint, headWidth, false), sines));
}

/** The gradient of `rotate` with respect to `joint`. */
export function rotateGradient(
  gradient: Tensor,
  { cosines, sines }: RotaryAngles,
  headWidth: number,
): Tensor {
  return add(multiply(gradient, cosines), turn(multiply(gradient, sines), headWidth, true));
}
