import { tf } from "../engine/tensorflow.js";
import type { Bert } from "../model/bert/bert.js";
import type { Decoder } from "../model/decoder.js";

/** Attention weights of a row, 0 to 1, as `[layer][head][query][key]`: the weights of a query sum to 1. */
export type AttentionWeights = readonly (readonly (readonly (readonly number[])[])[])[];

/**
 * Where each head of each layer looks in a row of tokens: what the softmax of its scores gives.
 * @param row token ids, special tokens included; token types where a BERT reads a pair of texts
 * @throws KitError when the row is longer than the context
 */
export function attentionWeights(
  model: Decoder | Bert,
  row: { readonly ids: readonly number[]; readonly tokenTypes?: readonly number[] },
): AttentionWeights {
  const layers: number[][][][] = [];
  tf.tidy(() => {
    const matrix = (values: readonly number[]): ReturnType<typeof tf.tensor2d> =>
      tf.tensor2d([[...values]], [1, values.length], "int32");
    model.hiddenStates({
      ids: matrix(row.ids),
      ...(row.tokenTypes === undefined ? {} : { tokenTypes: matrix(row.tokenTypes) }),
      onAttention: (layer, weights) => {
        [layers[layer]] = weights.arraySync() as [number[][][]];
      },
    });
  });
  return layers;
}
