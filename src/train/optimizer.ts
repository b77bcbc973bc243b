import { add, reshape } from "../engine/ops/kernels.js";
import { NO_ATTRIBUTES, rawOps } from "../engine/ops/raw-ops.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { createAdamState, floatsOf, type AdamStart, type AdamState } from "./adam.js";
import type { OptimizerConfig } from "./config.js";

type Vector = TensorFlow.Tensor1D;

/** Parameters smaller than this are joined into one vector: then a step takes a handful of kernels, not a thousand. */
const LARGE = 2 ** 20;

/** Parameters that are updated together, as one flat vector. */
interface Group {
  readonly names: readonly string[];
  readonly variables: readonly TensorFlow.Variable[];
  readonly sizes: readonly number[];
  readonly decays: boolean;
  state: AdamState;
  gradient: Vector | undefined;
}

/** The moments of one parameter, flat. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/**
 * AdamW with clipping by the norm over all parameters. Gradients are added up over the passes of a step, then `step`
 * updates the parameters. The optimizer owns the parameters while it lives: values that others assign in between
 * are overwritten.
 */
export class AdamW {
  readonly #config: OptimizerConfig;
  readonly #groups: readonly Group[];
  #count: number;

  /**
   * @param parameters what is trained, with their values now
   * @param saved the steps taken so far and the moments of every parameter, to go on from a checkpoint
   */
  constructor(
    parameters: ReadonlyMap<string, TensorFlow.Variable>,
    config: OptimizerConfig,
    saved?: { readonly count: number; readonly moments: ReadonlyMap<string, Moments> },
  ) {
    this.#config = config;
    this.#count = saved?.count ?? 0;
    this.#groups = groupsOf(parameters).map((entries) => {
      const variables = entries.map(([, variable]) => variable);
      const names = entries.map(([name]) => name);
      const sizes = variables.map(({ size }) => size);
      const state = createAdamState(startOf(names, variables, saved?.moments));
      return { names, variables, sizes, decays: (variables[0]?.rank ?? 0) >= 2, state, gradient: undefined };
    });
  }

  /** Steps taken. */
  get count(): number {
    return this.#count;
  }

  /** Adds to the gradient of the step. @param gradients by the names of the variables (not of the parameters) */
  accumulate(gradients: Readonly<Record<string, TensorFlow.Tensor>>): void {
    for (const group of this.#groups) {
      const parts = group.variables.map((variable) => {
        const gradient = gradients[variable.name];
        if (gradient === undefined)
          throw new Error(`the loss does not depend on the parameter ${variable.name}`);
        return reshape(gradient, [-1]) as Vector;
      });
      const flat = tf.tidy(() => {
        const joined = concatenate(parts);
        return group.gradient === undefined ? joined : (add(group.gradient, joined) as Vector);
      });
      tf.dispose([...parts.filter((part) => part !== flat)]);
      group.gradient?.dispose();
      group.gradient = tf.keep(flat);
    }
  }

  /** Norm of the step's gradient over all parameters, before clipping. */
  gradientNorm(): number {
    const squares = this.#groups.map(({ gradient }) => (gradient === undefined ? 0 : sumOfSquares(gradient)));
    return Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
  }

  /**
   * Clips, updates the parameters and forgets the gradient.
   * @param norm of `gradientNorm()`
   */
  step(learningRate: number, norm: number): void {
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.#config;
    const count = ++this.#count;
    // PyTorch's clip_grad_norm_ adds the same 1e-6.
    const clip = clipNorm === "off" ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
    for (const group of this.#groups) {
      const { gradient, state, decays } = group;
      if (gradient === undefined) throw new Error("step() without a gradient: call accumulate() first");
      const keep = decays ? 1 - learningRate * weightDecay : 1;
      tf.tidy(() => {
        const clipped = clip === 1 ? gradient : tf.mul<Vector>(gradient, tf.scalar(clip));
        assign(group, state.apply(clipped, { learningRate, beta1, beta2, epsilon, keep, count }));
      });
    }
    this.discardGradient();
  }

  /** The step's gradient by parameter name, copied to JavaScript: for tests and reports. */
  gradients(): Map<string, Float32Array> {
    return new Map(
      this.#groups.flatMap(({ names, sizes, gradient }) =>
        gradient === undefined ? [] : zip(names, cut(floatsOf(gradient), sizes)),
      ),
    );
  }

  /** Forgets the gradient of a step that is not taken. */
  discardGradient(): void {
    for (const group of this.#groups) {
      group.gradient?.dispose();
      group.gradient = undefined;
    }
  }

  /** The moments of every parameter, copied to JavaScript. */
  moments(): Map<string, Moments> {
    return new Map(
      this.#groups.flatMap(({ names, sizes, state }) => {
        const { first, second } = state.moments();
        const seconds = cut(second, sizes);
        return zip(names, cut(first, sizes)).map(([name, part], index): [string, Moments] => [
          name,
          { first: part, second: seconds[index] ?? new Float32Array() },
        ]);
      }),
    );
  }

  dispose(): void {
    this.discardGradient();
    for (const { state } of this.#groups) state.dispose();
  }
}

type Entry = readonly [string, TensorFlow.Variable];

/** Small parameters by whether they decay, large ones alone (joining them would copy them twice a step). */
function groupsOf(parameters: ReadonlyMap<string, TensorFlow.Variable>): Entry[][] {
  const entries = [...parameters];
  const small = entries.filter(([, { size }]) => size < LARGE);
  return [
    small.filter(([, { rank }]) => rank >= 2),
    small.filter(([, { rank }]) => rank < 2),
    ...entries.filter(([, { size }]) => size >= LARGE).map((entry) => [entry]),
  ].filter((group) => group.length > 0);
}

function startOf(
  names: readonly string[],
  variables: readonly TensorFlow.Variable[],
  moments: ReadonlyMap<string, Moments> | undefined,
): AdamStart {
  const zeros = variables.map(({ size }) => new Float32Array(size));
  const saved = names.map((name) => moments?.get(name));
  return {
    parameters: join(variables.map((variable) => floatsOf(variable))),
    first: join(saved.map((part, index) => part?.first ?? zeros[index] ?? new Float32Array())),
    second: join(saved.map((part, index) => part?.second ?? zeros[index] ?? new Float32Array())),
  };
}

/** Gives the variables their new values from the flat vector. */
function assign({ variables, sizes }: Group, flat: Vector): void {
  const parts = variables.length === 1 ? [flat] : tf.split(flat, [...sizes]);
  variables.forEach((variable, index) => {
    const part = parts[index];
    if (part !== undefined) variable.assign(variable.rank === 1 ? part : reshape(part, variable.shape));
  });
}

function concatenate(parts: readonly Vector[]): Vector {
  const [first, ...others] = parts;
  return first !== undefined && others.length === 0 ? first : tf.concat1d([...parts]);
}

function sumOfSquares(vector: Vector): number {
  return tf.tidy(() => {
    const raw = rawOps();
    if (raw === undefined) return tf.sum(tf.square(vector)).dataSync()[0] ?? NaN;
    return 2 * (raw.executeSingleOutput("L2Loss", NO_ATTRIBUTES, [vector]).dataSync()[0] ?? NaN);
  });
}

function join(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    result.set(part, start);
    start += part.length;
  }
  return result;
}

function cut(values: Float32Array, sizes: readonly number[]): Float32Array[] {
  let start = 0;
  return sizes.map((size) => values.slice(start, (start += size)));
}

function zip(names: readonly string[], parts: readonly Float32Array[]): [string, Float32Array][] {
  return names.map((name, index) => [name, parts[index] ?? new Float32Array()]);
}
