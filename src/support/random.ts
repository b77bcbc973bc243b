import { createHash } from "node:crypto";

/** The whole state of a generator, for checkpoints: four unsigned 32-bit integers. */
export type RandomState = readonly [number, number, number, number];

/**
 * A seeded generator of random numbers (xoshiro128**, Blackman and Vigna 2018). The same seed gives the same sequence
 * on every platform; nothing in the kit draws from the global random state.
 */
export class Random {
  readonly #words: Uint32Array;

  /** @param seed an integer, or an earlier generator's `state` */
  constructor(seed: number | RandomState) {
    this.#words = typeof seed === "number" ? wordsOf(`seed:${seed}`) : Uint32Array.from(seed);
  }

  /** A generator for a named purpose: streams of different labels do not move when one of them draws more. */
  static derive(seed: number, label: string): Random {
    return new Random(stateOf(wordsOf(`seed:${seed}/${label}`)));
  }

  /** The state now; `new Random(state)` goes on with the same sequence. */
  get state(): RandomState {
    return stateOf(this.#words);
  }

  /** An unsigned 32-bit integer. */
  nextWord(): number {
    const s = this.#words;
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const a = s2 ^ s0;
    const b = s3 ^ s1;
    s[1] = s1 ^ a;
    s[0] = s0 ^ b;
    s[2] = a ^ (s1 << 9);
    s[3] = rotateLeft(b, 11);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  next(): number {
    return ((this.nextWord() >>> 5) * 67108864 + (this.nextWord() >>> 6)) / 9007199254740992;
  }

  /** An integer in [0, limit), without modulo bias. */
  integer(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1)
      throw new RangeError(`limit must be a positive integer, got ${limit}`);
    return Math.floor(this.next() * limit);
  }

  /** One item, each with the same probability. */
  choice<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError("cannot choose from an empty list");
    return items[this.integer(items.length)] as Item;
  }

  /** The items in a new random order (Fisher-Yates); the input stays as it is. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const swap = result[last] as Item;
      result[last] = result[other] as Item;
      result[other] = swap;
    }
    return result;
  }

  /** A standard normal deviate (Box-Muller; two uniform numbers a call, so the state alone fixes the sequence). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function wordsOf(label: string): Uint32Array {
  const digest = createHash("sha256").update(label).digest();
  return Uint32Array.from([0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)));
}

function stateOf(words: Uint32Array): RandomState {
  const [a = 0, b = 0, c = 0, d = 0] = words;
  return [a, b, c, d];
}
