import { dropoutMask, dropoutOperation } from "../engine/ops/dropout.js";
import type { TensorFlow } from "../engine/tensorflow.js";
import type { Layers } from "./layers.js";

type Tensor = TensorFlow.Tensor;

/** Apart from the places of adapters, which draw from the same seed. */
const FIRST_PLACE = 1_500_000_000;

/** Draws the dropout of one pass, place after place. */
export class Dropout {
  readonly #rate: number;
  readonly #seed: Tensor | undefined;
  #place: number;

  /**
   * @param seed int32 `[2]`; undefined: nothing is left out
   * @param after how many places the same pass has drawn before
   */
  constructor(rate: number, seed: Tensor | undefined, after = 0) {
    this.#rate = rate;
    this.#seed = seed;
    this.#place = FIRST_PLACE + after;
  }

  /** What is multiplied with a tensor of this shape, or undefined. */
  mask(shape: readonly number[]): Tensor | undefined {
    const place = this.#place++;
    if (this.#seed === undefined || this.#rate === 0) return undefined;
    return dropoutMask(shape, this.#rate, this.#seed, place);
  }

  /**
   * A part of the pass that draws the same masks each time it is run, wherever the pass has come to by then.
   * Activation checkpointing runs a part twice.
   */
  repeatable<Inputs, Result>(part: (inputs: Inputs) => Result): (inputs: Inputs) => Result {
    const first = this.#place;
    return (inputs) => {
      this.#place = first;
      return part(inputs);
    };
  }

  apply({ tape }: Layers, x: Tensor): Tensor {
    const mask = this.mask(x.shape);
    return mask === undefined ? x : tape.apply(dropoutOperation, [x], { mask });
  }
}
