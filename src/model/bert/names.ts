import type { StoredParameter, StoredPart } from "../hugging-face/names.js";
import type { ParameterSpec } from "../parameters.js";

/** Our name -> theirs, `*` for the number of the layer; several names are parts side by side. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "embedding.token": ["bert.embeddings.word_embeddings.weight"],
  "embedding.position": ["bert.embeddings.position_embeddings.weight"],
  "embedding.type": ["bert.embeddings.token_type_embeddings.weight"],
  "masked.bias": ["cls.predictions.bias"],
};
const LINEAR: Readonly<Record<string, readonly string[]>> = {
  "layers.*.attention.queryKeyValue": ["query", "key", "value"].map(
    (part) => `bert.encoder.layer.*.attention.self.${part}`,
  ),
  "layers.*.attention.output": ["bert.encoder.layer.*.attention.output.dense"],
  "layers.*.feedForward.up": ["bert.encoder.layer.*.intermediate.dense"],
  "layers.*.feedForward.down": ["bert.encoder.layer.*.output.dense"],
  pooler: ["bert.pooler.dense"],
  "masked.transform": ["cls.predictions.transform.dense"],
  nextSentence: ["cls.seq_relationship"],
  classifier: ["classifier"],
};
const NORMS: Readonly<Record<string, string>> = {
  "embedding.norm": "bert.embeddings.LayerNorm",
  "layers.*.attention.norm": "bert.encoder.layer.*.attention.output.LayerNorm",
  "layers.*.feedForward.norm": "bert.encoder.layer.*.output.LayerNorm",
  "masked.norm": "cls.predictions.transform.LayerNorm",
};

/** Copies of the token embedding and its bias as the head has them, and the numbers 0, 1, 2, ... */
const COPIES = /^cls\.predictions\.decoder\.(weight|bias)$|(^|\.)embeddings\.position_ids$/;

/** Whether a tensor of a checkpoint holds no parameter of its own. */
export function isBertCopy(name: string): boolean {
  return COPIES.test(name);
}

/**
 * Where a parameter is in a checkpoint of `transformers`.
 * @param oldNorms whether norms have `gamma` and `beta`, as the first checkpoints do
 */
export function storedBertParameter(
  { name, shape }: Pick<ParameterSpec, "name" | "shape">,
  oldNorms = false,
): StoredParameter {
  const layer = /^layers\.(\d+)\./.exec(name)?.[1] ?? "";
  const general = name.replace(/^layers\.\d+\./, "layers.*.");
  const stem = general.slice(0, general.lastIndexOf("."));
  const end = general.slice(stem.length + 1);
  const ours = (pattern: string): string => pattern.replace("*", layer);
  const norm = NORMS[stem];
  if (norm !== undefined) {
    const gain = oldNorms ? "gamma" : "weight";
    return whole(`${ours(norm)}.${end === "gain" ? gain : oldNorms ? "beta" : "bias"}`, shape);
  }
  const theirs = LINEAR[stem];
  if (theirs === undefined) {
    const [known] = NAMES[general] ?? [];
    if (known === undefined) throw new Error(`BERT has no parameter ${name}`);
    return whole(known, shape);
  }
  const total = shape.at(-1) ?? 0;
  const width = total / theirs.length;
  const matrix = shape.length === 2;
  const parts = theirs.map((pattern, index): StoredPart => {
    const own = `${ours(pattern)}.${end}`;
    // nn.Linear holds [out, in].
    return {
      name: own,
      shape: matrix ? [width, shape[0] ?? 0] : [width],
      columns: [index * width, (index + 1) * width],
    };
  });
  return { parts, transposed: matrix };
}

function whole(name: string, shape: readonly number[]): StoredParameter {
  return { parts: [{ name, shape, columns: [0, shape.at(-1) ?? 0] }], transposed: false };
}
