import {
  add,
  addScalar,
  divide,
  mean,
  multiply,
  reshape,
  rsqrt,
  scale,
  square,
  subtract,
} from "../../engine/ops/kernels.js";
import { scalarConstant } from "../../engine/ops/constants.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import type { AdafactorConfig } from "./config.js";
import {
  decays,
  slotOf,
  type StepNumbers,
  type Updated,
  type UpdateRule,
  type UpdateTensors,
} from "./rule.js";

type Tensor = TensorFlow.Tensor;
type Names = "kept" | "added" | "rate";

/**
 * The step size that Adafactor chooses by the number of the step where it is not given a learning rate.
 * @param count the step that is taken, counted from 1
 */
export function relativeStep(kind: "relative" | "relative-warmup", count: number): number {
  return Math.min(kind === "relative" ? 1e-2 : 1e-6 * count, 1 / Math.sqrt(count));
}

/**
 * `transformers.optimization.Adafactor`. Several parameters of one shape are `[parameters, others, rows, columns]`
 * (vectors `[parameters, 1, 1, length]`), and every mean is taken for each parameter by itself.
 */
export class AdafactorRule implements UpdateRule<Names> {
  readonly needsShape = true;
  readonly #config: AdafactorConfig;

  constructor(config: AdafactorConfig) {
    this.#config = config;
  }

  slots(shape: readonly number[]): Record<string, readonly number[]> {
    const first: Record<string, readonly number[]> = this.#config.beta1 === "off" ? {} : { first: shape };
    if (shape.length < 2) return { ...first, second: shape };
    return { ...first, rows: shape.slice(0, -1), columns: [...shape.slice(0, -2), ...shape.slice(-1)] };
  }

  numbers({ learningRate, count }: StepNumbers): Record<Names, number> {
    const kept = 1 - count ** -this.#config.decayRate;
    return { kept, added: 1 - kept, rate: learningRate };
  }

  apply(
    { parameter, gradient, slots }: UpdateTensors,
    numbers: Readonly<Record<Names, Tensor>>,
    shape: readonly number[],
  ): Updated {
    const { beta1, clipThreshold, epsilonScale, scaleParameter, weightDecay } = this.#config;
    const layout = layoutOf(shape);
    const [weights, slopes] = [reshape(parameter, layout), reshape(gradient, layout)];
    const moments = this.#secondMoments(slopes, slots, numbers, shape);
    const raw = multiply(moments.inverseRoot, slopes);
    const excess = tf.maximum(scale(rootMeanSquare(raw), 1 / clipThreshold), scalarConstant(1));
    const rate = scaleParameter
      ? multiply(tf.maximum(rootMeanSquare(weights), scalarConstant(epsilonScale)), numbers.rate)
      : numbers.rate;
    const step = multiply(divide(raw, excess), rate);
    const first =
      beta1 === "off"
        ? undefined
        : add(scale(reshape(slotOf(slots, "first"), layout), beta1), scale(step, 1 - beta1));
    const kept =
      decays(shape) && weightDecay !== 0
        ? subtract(weights, multiply(weights, scale(rate, weightDecay)))
        : weights;
    const made = { ...moments.slots, ...(first && { first }) };
    return {
      parameter: reshape(subtract(kept, first ?? step), parameter.shape),
      slots: Object.fromEntries(
        Object.entries(made).map(([name, value]) => [name, reshape(value, slotOf(slots, name).shape)]),
      ),
    };
  }

  /** The new moments of the squared gradients, and the inverse of their root for each weight. */
  #secondMoments(
    gradient: Tensor,
    slots: UpdateTensors["slots"],
    { kept, added }: Readonly<Record<Names, Tensor>>,
    shape: readonly number[],
  ): { readonly inverseRoot: Tensor; readonly slots: Readonly<Record<string, Tensor>> } {
    const squares = addScalar(square(gradient), this.#config.epsilonSquare);
    const moved = (name: string, now: Tensor): Tensor =>
      add(multiply(reshape(slotOf(slots, name), [-1, ...now.shape.slice(1)]), kept), multiply(now, added));
    if (shape.length < 2) {
      const second = moved("second", squares);
      return { inverseRoot: rsqrt(second), slots: { second } };
    }
    const rows = moved("rows", mean(squares, [3], true));
    const columns = moved("columns", mean(squares, [2], true));
    const rowFactor = rsqrt(divide(rows, mean(rows, [2], true)));
    return { inverseRoot: multiply(rowFactor, rsqrt(columns)), slots: { rows, columns } };
  }
}

function layoutOf(shape: readonly number[]): [number, number, number, number] {
  const others = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return [-1, others, shape.at(-2) ?? 1, shape.at(-1) ?? 1];
}

/** Of each parameter: `[parameters, ...]` -> `[parameters, 1, 1, 1]`. */
function rootMeanSquare(values: Tensor): Tensor {
  return tf.sqrt(mean(square(values), [1, 2, 3], true));
}
