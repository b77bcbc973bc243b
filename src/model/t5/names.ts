import type { StoredParameter } from "../hugging-face/names.js";
import type { ParameterSpec } from "../parameters.js";

/** The token embedding, and an untied head, in a checkpoint. */
export const EMBEDDING = "shared.weight";
export const HEAD = "lm_head.weight";

/** Our name of a part of a block -> theirs, after the place of the sublayer. */
const ATTENTION: Readonly<Record<string, string>> = { query: "q", key: "k", value: "v", output: "o" };

/** Tensors that hold no parameter: copies of the embedding, and a table of distances that old decoders have and none reads. */
const COPIES =
  /^(encoder|decoder)\.embed_tokens\.weight$|^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/;

/** Whether a tensor of a checkpoint can be left out. */
export function isT5Copy(name: string): boolean {
  return COPIES.test(name);
}

/**
 * Where a parameter is in a checkpoint of `T5ForConditionalGeneration`.
 * @param gated whether the feed-forward layers have a gate, which changes the name of the layer beside it
 */
export function storedT5Parameter(
  gated: boolean,
  { name, shape }: Pick<ParameterSpec, "name" | "shape">,
): StoredParameter {
  const matrix = /\.layers\..*\.weight$/.test(name);
  return {
    // nn.Linear holds [out, in].
    transposed: matrix,
    parts: [
      {
        name: theirName(name, gated),
        shape: matrix ? [...shape].reverse() : shape,
        columns: [0, shape.at(-1) ?? 0],
      },
    ],
  };
}

function theirName(name: string, gated: boolean): string {
  if (name === "embedding.token") return EMBEDDING;
  if (name === "head.weight") return HEAD;
  const [stack = "", kind, layer, sublayer = "", part = ""] = name.split(".");
  if (kind === "positions") return `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
  if (kind === "norm") return `${stack}.final_layer_norm.weight`;
  const place = { attention: 0, crossAttention: 1, feedForward: stack === "decoder" ? 2 : 1 }[sublayer];
  const block = `${stack}.block.${layer ?? ""}.layer.${place ?? ""}`;
  if (part === "norm") return `${block}.layer_norm.weight`;
  if (sublayer === "feedForward") {
    const theirs = { gate: "wi_0", up: gated ? "wi_1" : "wi", down: "wo" }[part];
    return `${block}.DenseReluDense.${theirs ?? ""}.weight`;
  }
  const attention = sublayer === "attention" ? "SelfAttention" : "EncDecAttention";
  return `${block}.${attention}.${ATTENTION[part] ?? ""}.weight`;
}
