import type { Random } from "../../support/random.js";

const BLOCK = 8192;

/**
 * A block-wise stream of 32-bit words for loops that draw hundreds of millions of them (xoshiro128**, as `Random`).
 * The caller reads `words` from `position` on and asks for room with `reserve`.
 *
 *     words.reserve(n);
 *     for (let i = 0; i < n; i++) index = Math.floor(words.block[words.position++] * limit / 2 ** 32);
 */
export class WordStream {
  block: Uint32Array;
  position: number;
  readonly #state: Int32Array;

  /** Starts where `random` stands; `random` itself does not move. */
  constructor(random: Random) {
    this.#state = Int32Array.from(random.state);
    this.block = new Uint32Array(BLOCK);
    this.position = BLOCK;
  }

  /** After this call at least `count` unread words lie at `block[position...]`. */
  reserve(count: number): void {
    if (this.position + count <= this.block.length) return;
    if (count > this.block.length) this.block = new Uint32Array(count);
    this.#fill();
    this.position = 0;
  }

  #fill(): void {
    const block = this.block;
    let [a = 0, b = 0, c = 0, d = 0] = this.#state;
    for (let i = 0; i < block.length; i++) {
      const product = Math.imul(b, 5);
      block[i] = Math.imul((product << 7) | (product >>> 25), 9);
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
    }
    this.#state.set([a, b, c, d]);
  }
}
