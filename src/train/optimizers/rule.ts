import type { TensorFlow } from "../../engine/tensorflow.js";

type Tensor = TensorFlow.Tensor;

/** What is kept for one parameter between steps, flat, by name: its moments, for example. */
export type Slots = Readonly<Record<string, Float32Array>>;

/** The numbers of one step that an update depends on. */
export interface StepNumbers {
  readonly learningRate: number;
  /** The step that is taken, counted from 1. */
  readonly count: number;
}

/** What an update works on. The tensors have any layout with the values of the parameters after one another. */
export interface UpdateTensors {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/** What an update results in, in the layouts that were given. */
export interface Updated {
  readonly parameter: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/**
 * The arithmetic of an optimizer, written once: the eager step runs it on the parameters of a group after one another,
 * the compiled step records it for each parameter.
 */
export interface UpdateRule<Names extends string = string> {
  /** Whether parameters that are updated together need equal shapes: where an update looks at more than one value. */
  readonly needsShape: boolean;
  /** Shapes of what is kept for a parameter of a shape, by name; all of it is 0 before the first step. */
  slots(shape: readonly number[]): Readonly<Record<string, readonly number[]>>;
  /** What is fed to the update of a step. */
  numbers(step: StepNumbers): Readonly<Record<Names, number>>;
  /**
   * One step.
   * @param numbers of `numbers`, as scalars
   * @param shape of each of the parameters
   */
  apply(tensors: UpdateTensors, numbers: Readonly<Record<Names, Tensor>>, shape: readonly number[]): Updated;
}

/** Number of values of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether a parameter decays: matrices do, gains and biases do not. */
export function decays(shape: readonly number[]): boolean {
  return shape.length >= 2;
}

/** What is kept under a name. */
export function slotOf<Value>(slots: Readonly<Record<string, Value>>, name: string): Value {
  const slot = slots[name];
  if (slot === undefined) throw new Error(`the optimizer has no ${name}`);
  return slot;
}

/** Steps taken so far and what is kept for each parameter, to go on from a checkpoint. */
export interface SavedOptimizer {
  readonly count: number;
  /** By the names of the parameters. */
  readonly slots: ReadonlyMap<string, Slots>;
}
