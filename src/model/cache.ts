import type { AttentionMask } from "../engine/ops/attention-mask.js";
import { HIDDEN } from "../engine/ops/attention-mask.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";

type Tensor = TensorFlow.Tensor;

/**
 * Keys and values of the tokens seen so far, for generation. The rows of a batch may differ in length: each `extend`
 * fills the same slots in all rows, and a row that has fewer tokens than slots marks the rest as unused. An unused slot
 * is seen by no query and takes no position, so that a row gives what it would give alone.
 *
 *     slots        0 1 2 3 | 4 5
 *     row 0        a b c d | e f     positions 0 1 2 3 4 5
 *     row 1        g h . . | i j     positions 0 1 . . 2 3
 */
export class KeyValueCache {
  /** For each layer, `[batch, keyValueHeads, slots, headWidth]`; undefined before the first tokens. */
  readonly #keys: Tensor[] = [];
  readonly #values: Tensor[] = [];
  /** For each row, whether each slot holds a token. */
  #used: boolean[][];

  /** @param batch number of rows */
  constructor(batch: number) {
    this.#used = Array.from({ length: batch }, () => []);
  }

  /** Number of rows. */
  get batch(): number {
    return this.#used.length;
  }

  /** Number of tokens of each row so far. */
  get lengths(): number[] {
    return this.#used.map((slots) => slots.filter(Boolean).length);
  }

  /**
   * Marks the slots of new tokens.
   * @param count number of new slots
   * @param tokens for each row, how many of the new slots, from the first, hold a token
   */
  reserve(count: number, tokens: readonly number[]): void {
    this.#used.forEach((slots, row) => {
      for (let index = 0; index < count; index++) slots.push(index < (tokens[row] ?? 0));
    });
  }

  /** Joins a layer's new keys and values `[batch, keyValueHeads, new, headWidth]` to the earlier ones and gives all of them. */
  join(layer: number, key: Tensor, value: Tensor): { readonly key: Tensor; readonly value: Tensor } {
    const append = (stored: Tensor[], added: Tensor): Tensor => {
      const earlier = stored[layer];
      const all = tf.keep(earlier === undefined ? added.clone() : tf.concat([earlier, added], 2));
      earlier?.dispose();
      stored[layer] = all;
      return all;
    };
    return { key: append(this.#keys, key), value: append(this.#values, value) };
  }

  /** What the queries of the last `count` slots see: used slots up to their own. */
  mask(count: number): AttentionMask {
    const batch = this.batch;
    const slots = this.#used[0]?.length ?? 0;
    const unused = new Float32Array(batch * slots);
    this.#used.forEach((row, index) => {
      row.forEach((used, slot) => {
        if (!used) unused[index * slots + slot] = HIDDEN;
      });
    });
    if (count === 1) return { bias: tf.tensor(unused, [batch, 1, 1, slots]) };
    const later = new Float32Array(count * slots);
    for (let query = 0; query < count; query++) {
      later.fill(HIDDEN, query * slots + (slots - count + query) + 1, (query + 1) * slots);
    }
    return {
      bias: tf.tidy(() =>
        tf.minimum(tf.tensor(unused, [batch, 1, 1, slots]), tf.tensor(later, [1, 1, count, slots])),
      ),
    };
  }

  /** Goes on with some of the rows only, in the given order; the others have ended. */
  select(rows: readonly number[]): void {
    const index = tf.tensor1d([...rows], "int32");
    for (const stored of [this.#keys, this.#values]) {
      stored.forEach((tensor, layer) => {
        stored[layer] = tf.keep(tf.gather(tensor, index));
        tensor.dispose();
      });
    }
    index.dispose();
    this.#used = rows.map((row) => [...(this.#used[row] ?? [])]);
  }

  /** Frees the keys and values. */
  dispose(): void {
    for (const tensor of [...this.#keys, ...this.#values]) tensor.dispose();
    this.#keys.length = 0;
    this.#values.length = 0;
  }
}
