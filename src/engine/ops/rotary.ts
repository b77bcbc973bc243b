import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { add, gatherColumns, gatherRows, matmul, multiply, reshape } from "./kernels.js";

type Tensor = TensorFlow.Tensor;

/**
 * Llama 3's stretching of a rotary base for contexts beyond the one of pre-training (Meta's llama-models,
 * `apply_scaling`): slow waves become `factor` times slower, fast ones stay, those between are mixed.
 */
export interface RotaryScaling {
  readonly factor: number;
  /** Waves longer than `originalContextLength / lowFrequencyFactor` tokens are slow. */
  readonly lowFrequencyFactor: number;
  /** Waves shorter than `originalContextLength / highFrequencyFactor` tokens are fast. */
  readonly highFrequencyFactor: number;
  /** In tokens. */
  readonly originalContextLength: number;
}

/** What the angles depend on besides the position. */
export interface RotarySettings {
  readonly contextLength: number;
  readonly headWidth: number;
  /** Number of query heads. */
  readonly heads: number;
  /** Number of key heads, and of value heads. */
  readonly keyValueHeads: number;
  readonly base: number;
  readonly scaling?: RotaryScaling | undefined;
}

/**
 * Cosines and sines for queries, keys and values side by side: `[time, columns]` for all rows, or
 * `[batch, time, columns]`, where `columns = (heads + 2 * keyValueHeads) * headWidth`. Values are not turned (cosine 1,
 * sine 0), and the part of the queries holds the factor `1 / sqrt(headWidth)` of attention: so one multiplication by
 * each does everything for the three of them.
 */
export interface RotaryAngles {
  readonly cosines: Tensor;
  readonly sines: Tensor;
}

/** Angle per token of each pair of features, `[headWidth / 2]`, fastest first. */
export function rotaryFrequencies({
  headWidth,
  base,
  scaling,
}: Pick<RotarySettings, "headWidth" | "base" | "scaling">): number[] {
  return Array.from({ length: headWidth / 2 }, (_, index) => {
    const frequency = base ** (-(2 * index) / headWidth);
    if (scaling === undefined) return frequency;
    const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling;
    const turns = (originalContextLength * frequency) / (2 * Math.PI);
    const fast = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    const share = Math.min(1, Math.max(0, fast));
    return share * frequency + ((1 - share) * frequency) / factor;
  });
}

/** Most numbers of a table that holds every column of every position (16 MB); a longer context keeps a compact one. */
const WIDE_LIMIT = 2 ** 22;

type Wave = "cosine" | "sine";

/**
 * The distinct numbers of one wave, `[rows, headWidth + 1]` for the positions from 0: the halves of a query, scaled; those
 * of a key; what a value is multiplied by.
 */
function compactValues(settings: RotarySettings, name: Wave, rows: number): Float32Array {
  const { headWidth } = settings;
  const [wave, atRest] = name === "cosine" ? [Math.cos, 1] : [Math.sin, 0];
  const frequencies = rotaryFrequencies(settings);
  const half = headWidth / 2;
  const values = new Float32Array(rows * (headWidth + 1)).fill(atRest);
  for (let position = 0; position < rows; position++) {
    frequencies.forEach((frequency, index) => {
      const value = wave(position * frequency);
      const place = position * (headWidth + 1) + index;
      values[place] = value / Math.sqrt(headWidth);
      values[place + half] = value;
    });
  }
  return values;
}

/** Which compact number each column of queries, keys and values takes. */
function columnsOf({ headWidth, heads, keyValueHeads }: RotarySettings): number[] {
  const half = headWidth / 2;
  return Array.from({ length: (heads + 2 * keyValueHeads) * headWidth }, (_, column) => {
    const head = Math.floor(column / headWidth);
    if (head >= heads + keyValueHeads) return headWidth;
    return (column % half) + (head < heads ? 0 : half);
  });
}

/** The compact table for all positions. */
function compactTable(settings: RotarySettings, name: Wave): Tensor {
  const { contextLength, headWidth } = settings;
  return constant(`${keyOf(settings)}/${name}`, () =>
    tf.tensor2d(compactValues(settings, name, contextLength), [contextLength, headWidth + 1]),
  );
}

/**
 * `[rows, columns]` of the first positions, made once for each number of them. From JavaScript's numbers alone: an op here
 * would be recorded with a step or not, after what has run before.
 */
function wideTable(settings: RotarySettings, name: Wave, rows: number): Tensor {
  return constant(`${keyOf(settings)}/${name}:${rows}`, () => {
    const columns = columnsOf(settings);
    const compact = compactValues(settings, name, rows);
    const values = new Float32Array(rows * columns.length);
    for (let row = 0; row < rows; row++) {
      columns.forEach((from, column) => {
        values[row * columns.length + column] = compact[row * (settings.headWidth + 1) + from] ?? NaN;
      });
    }
    return tf.tensor2d(values, [rows, columns.length]);
  });
}

function keyOf(settings: RotarySettings): string {
  const { contextLength, headWidth, heads, keyValueHeads, base, scaling } = settings;
  return `rotary:${contextLength},${headWidth},${heads},${keyValueHeads},${base},${JSON.stringify(scaling ?? 0)}`;
}

/**
 * Angles of the given positions.
 * @param positions int32 `[batch, time]`, or a number of tokens that start at position 0
 */
export function rotaryAngles(
  positions: TensorFlow.Tensor2D | number,
  settings: RotarySettings,
): RotaryAngles {
  const { contextLength } = settings;
  const rowsOf = (name: Wave): Tensor => {
    if (typeof positions === "number") return wideTable(settings, name, positions);
    const columns = columnsOf(settings);
    return contextLength * columns.length <= WIDE_LIMIT
      ? gatherRows(wideTable(settings, name, contextLength), positions)
      : gatherColumns(gatherRows(compactTable(settings, name), positions), columns);
  };
  return { cosines: rowsOf("cosine"), sines: rowsOf("sine") };
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
 * @param joint `[batch, time, columns]`, see `RotaryAngles`
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
