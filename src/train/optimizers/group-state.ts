import type { TensorFlow } from "../../engine/tensorflow.js";
import type { Slots, StepNumbers } from "./rule.js";

type Vector = TensorFlow.Tensor1D;

/** What a group of parameters starts from: all values of its parameters after one another. */
export interface GroupStart {
  readonly parameters: Float32Array;
  /** What is kept between steps. */
  readonly slots: Slots;
  /** Of each parameter where the rule needs it, else of any: whether they decay follows from it. */
  readonly shape: readonly number[];
}

/** Parameters that are updated together as one flat vector, with what the optimizer keeps for them. */
export interface GroupState {
  /** Takes one step; the caller disposes the result. @returns the new parameters */
  apply(gradient: Vector, step: StepNumbers): Vector;
  /** The parameters now; the caller disposes them. */
  parameters(): Vector;
  /** What is kept, copied to JavaScript. */
  slots(): Slots;
  dispose(): void;
}
