import type { Signatures } from "./minhash.js";

/** Whole numbers up to here are exact in 32-bit floating point. */
const EXACT_IN_FLOAT32 = 16_777_216;

/**
 * Numbers the different values of each slot 0, 1, 2, ... Only whether two slots are equal matters, and numbers below 2^24
 * survive the 32-bit floating point of a GPU, which the 32-bit words of a signature do not.
 * @returns the number of row `i`, slot `p` at `i * permutations + p`
 * @throws RangeError above 2^24 rows
 */
export function slotCodes({ count, permutations, slots }: Signatures): Float32Array {
  if (count > EXACT_IN_FLOAT32) throw new RangeError(`at most ${EXACT_IN_FLOAT32} rows, got ${count}`);
  const codes = new Float32Array(count * permutations);
  for (let p = 0; p < permutations; p++) {
    const known = new Map<number, number>();
    for (let at = p; at < slots.length; at += permutations) {
      const value = slots[at] ?? 0;
      const code = known.get(value) ?? known.size;
      known.set(value, code);
      codes[at] = code;
    }
  }
  return codes;
}
