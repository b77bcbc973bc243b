import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { KitError } from "../support/errors.js";
import type { LoraAdapter } from "./lora/adapter.js";
import type { ParameterSpec } from "./parameters.js";

/** Weights by name. */
export type Weights = ReadonlyMap<string, TensorFlow.Variable>;

/** Gives the values of a parameter, e.g. from a checkpoint. */
export type ValuesOf = (spec: ParameterSpec) => Float32Array;

/**
 * Variables with the given values, which are asked for one parameter after another.
 * @throws whatever `valuesOf` throws, after freeing what was made before
 */
export function makeWeights(specs: readonly ParameterSpec[], valuesOf: ValuesOf): Weights {
  const weights = new Map<string, TensorFlow.Variable>();
  try {
    for (const spec of specs) {
      const value = tf.tensor(valuesOf(spec), [...spec.shape], "float32");
      weights.set(spec.name, tf.variable(value, true));
      value.dispose();
    }
  } catch (error) {
    for (const weight of weights.values()) weight.dispose();
    throw error;
  }
  return weights;
}

/** A model's weights in float32 variables, and which of them are trained: all, or those of an adapter alone. */
export abstract class WeightedModel<Config> {
  readonly config: Config;
  /** All weights by name, trained or not. */
  readonly weights: Weights;
  /** Low-rank updates of some layers; then these alone are trained. */
  readonly adapter: LoraAdapter | undefined;
  readonly #afterwards: (() => void)[] = [];

  protected constructor(config: Config, weights: Weights, adapter: LoraAdapter | undefined) {
    this.config = config;
    this.weights = weights;
    this.adapter = adapter;
  }

  /** What is trained, by name. */
  get parameters(): Weights {
    return this.adapter?.parameters ?? this.weights;
  }

  /** What is not trained, by name: the weights, where there is an adapter. */
  get frozen(): Weights {
    return this.adapter === undefined ? new Map() : this.weights;
  }

  /** What decides the numbers besides the weights, where there is an adapter. */
  get settings(): unknown {
    return this.adapter?.config;
  }

  /** The largest share of anything that training leaves out. */
  protected get dropoutRate(): number {
    return this.adapter?.config.dropout ?? 0;
  }

  /** Whether training draws random numbers. */
  get hasDropout(): boolean {
    return this.dropoutRate > 0;
  }

  /** Number of trained numbers; a tied head counts once. */
  get parameterCount(): number {
    let count = 0;
    for (const parameter of this.parameters.values()) count += parameter.size;
    return count;
  }

  /** A weight by name. */
  weight(name: string): TensorFlow.Tensor {
    const weight = this.weights.get(name);
    if (weight === undefined) throw new Error(`no weight ${name}`);
    return weight;
  }

  /** Frees the weights, or the adapter where there is one. */
  dispose(): void {
    for (const free of this.#afterwards.splice(0)) free();
    for (const parameter of this.parameters.values()) parameter.dispose();
  }

  /** Has something that was made of the model freed with it. */
  whenDisposed(free: () => void): void {
    this.#afterwards.push(free);
  }

  /** @throws KitError when there is dropout and no seed to draw it from */
  protected checkDropout(seed: TensorFlow.Tensor1D | undefined): void {
    if (!this.hasDropout || seed !== undefined) return;
    throw new KitError(
      `${this.adapter === undefined ? "the model" : "the adapter"} has a dropout of ${this.dropoutRate}, and this training step gives it no random numbers`,
      "set the dropout to 0, or give dropoutSeed",
      { field: "dropout" },
    );
  }
}
