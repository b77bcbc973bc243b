import type { TensorFlow } from "../engine/tensorflow.js";
import { canonicalJson, sha256 } from "../support/hash.js";

/** SHA-256 over names, shapes and bits of weights, whatever their order. */
export function weightsHash(weights: ReadonlyMap<string, TensorFlow.Tensor>): string {
  const hashes = [...weights].map(([name, weight]): [string, readonly number[], string] => {
    const values = weight.dataSync();
    return [name, weight.shape, sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))];
  });
  return sha256(canonicalJson(hashes.sort(([a], [b]) => (a < b ? -1 : 1))));
}
