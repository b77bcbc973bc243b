import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { KeyValueCache } from "../cache.js";

type Tensor = TensorFlow.Tensor;

/** Keys and values of the encoder's output for one layer of the decoder, each `[batch, heads, inputTime, headWidth]`. */
export interface CrossPart {
  readonly key: Tensor;
  readonly value: Tensor;
}

/**
 * What the decoder has read: the encoder's output, as the keys and values of each of its layers, computed once, and its
 * own tokens so far. All rows have the same number of tokens.
 */
export class T5Cache {
  readonly own: KeyValueCache;
  #cross: readonly CrossPart[];
  /** `[batch, 1, 1, inputTime]` */
  #mask: Tensor;

  /** Takes the tensors over. */
  constructor(cross: readonly CrossPart[], mask: Tensor) {
    this.#cross = cross;
    this.#mask = mask;
    const [batch = 0] = mask.shape;
    this.own = new KeyValueCache(batch);
  }

  /** Number of tokens that the decoder has read. */
  get length(): number {
    return this.own.lengths[0] ?? 0;
  }

  /** What the decoder's layer reads of the encoder's output. */
  cross(layer: number): CrossPart & { readonly bias: Tensor } {
    const part = this.#cross[layer];
    if (part === undefined) throw new RangeError(`the decoder has no layer ${layer}`);
    return { ...part, bias: this.#mask };
  }

  /** Goes on with some of the rows only, in the given order; a row may come several times. */
  select(rows: readonly number[]): void {
    this.own.select(rows);
    const index = tf.tensor1d([...rows], "int32");
    const pick = (tensor: Tensor): Tensor => {
      const picked = tf.keep(tf.gather(tensor, index));
      tensor.dispose();
      return picked;
    };
    this.#cross = this.#cross.map(({ key, value }) => ({ key: pick(key), value: pick(value) }));
    this.#mask = pick(this.#mask);
    index.dispose();
  }

  /** Frees the keys and values. */
  dispose(): void {
    this.own.dispose();
    tf.dispose([this.#mask, ...this.#cross.flatMap(({ key, value }) => [key, value])]);
  }
}
