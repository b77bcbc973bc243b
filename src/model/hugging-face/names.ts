import type { ParameterSpec } from "../parameters.js";
import { headShape, type DecoderConfig } from "../config.js";

/** How a family of `transformers` calls and stores the parameters of a decoder. */
interface NameTable {
  /** `model_type` in config.json. */
  readonly type: "gpt2" | "llama" | "qwen2";
  /** Matrices of linear layers: `[out, in]` is `nn.Linear`, `[in, out]` is GPT-2's `Conv1D` and the kit. */
  readonly linear: "out-in" | "in-out";
  /** Put before every name but the head's; checkpoints without a head may lack it. */
  readonly prefix: string;
  /**
   * Our name -> theirs, `*` for the number of the layer. Several names are parts side by side: queries, keys, values.
   * Rotary features need no reordering: `transformers` stores them as halves, as the kit does (Meta's own Llama files
   * have them as pairs).
   */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Tensors of old checkpoints that hold no parameter. */
  readonly ignored: RegExp;
}

const GPT2: NameTable = {
  type: "gpt2",
  linear: "in-out",
  prefix: "transformer.",
  names: {
    "embedding.token": ["wte.weight"],
    "embedding.position": ["wpe.weight"],
    "layers.*.attention.norm.gain": ["h.*.ln_1.weight"],
    "layers.*.attention.norm.bias": ["h.*.ln_1.bias"],
    "layers.*.attention.queryKeyValue.weight": ["h.*.attn.c_attn.weight"],
    "layers.*.attention.queryKeyValue.bias": ["h.*.attn.c_attn.bias"],
    "layers.*.attention.output.weight": ["h.*.attn.c_proj.weight"],
    "layers.*.attention.output.bias": ["h.*.attn.c_proj.bias"],
    "layers.*.feedForward.norm.gain": ["h.*.ln_2.weight"],
    "layers.*.feedForward.norm.bias": ["h.*.ln_2.bias"],
    "layers.*.feedForward.up.weight": ["h.*.mlp.c_fc.weight"],
    "layers.*.feedForward.up.bias": ["h.*.mlp.c_fc.bias"],
    "layers.*.feedForward.down.weight": ["h.*.mlp.c_proj.weight"],
    "layers.*.feedForward.down.bias": ["h.*.mlp.c_proj.bias"],
    "norm.gain": ["ln_f.weight"],
    "norm.bias": ["ln_f.bias"],
  },
  // The causal mask and what it hides with.
  ignored: /(^|\.)h\.\d+\.attn\.(masked_)?bias$/,
};

const LLAMA: NameTable = {
  type: "llama",
  linear: "out-in",
  prefix: "model.",
  names: {
    "embedding.token": ["embed_tokens.weight"],
    "layers.*.attention.norm.gain": ["layers.*.input_layernorm.weight"],
    "layers.*.attention.queryKeyValue.weight": [
      "layers.*.self_attn.q_proj.weight",
      "layers.*.self_attn.k_proj.weight",
      "layers.*.self_attn.v_proj.weight",
    ],
    "layers.*.attention.queryKeyValue.bias": [
      "layers.*.self_attn.q_proj.bias",
      "layers.*.self_attn.k_proj.bias",
      "layers.*.self_attn.v_proj.bias",
    ],
    "layers.*.attention.output.weight": ["layers.*.self_attn.o_proj.weight"],
    "layers.*.attention.output.bias": ["layers.*.self_attn.o_proj.bias"],
    "layers.*.feedForward.norm.gain": ["layers.*.post_attention_layernorm.weight"],
    "layers.*.feedForward.gate.weight": ["layers.*.mlp.gate_proj.weight"],
    "layers.*.feedForward.gate.bias": ["layers.*.mlp.gate_proj.bias"],
    "layers.*.feedForward.up.weight": ["layers.*.mlp.up_proj.weight"],
    "layers.*.feedForward.up.bias": ["layers.*.mlp.up_proj.bias"],
    "layers.*.feedForward.down.weight": ["layers.*.mlp.down_proj.weight"],
    "layers.*.feedForward.down.bias": ["layers.*.mlp.down_proj.bias"],
    "norm.gain": ["norm.weight"],
  },
  ignored: /\.rotary_emb\.inv_freq$/,
};

/** The tables by `model_type`. */
export const NAME_TABLES = {
  gpt2: GPT2,
  llama: LLAMA,
  qwen2: { ...LLAMA, type: "qwen2" },
} as const satisfies Record<string, NameTable>;

/** A `model_type` of `transformers` that the kit reads and writes. */
export type ModelType = keyof typeof NAME_TABLES;

/** The kit's own layout: our names and shapes, for decoders that no family computes. */
export const KIT_LAYOUT = "ift-kit-decoder";

/** How a checkpoint names and stores its parameters. */
export type Layout = ModelType | typeof KIT_LAYOUT;

/** A tensor of a checkpoint that is a part of a parameter. */
export interface StoredPart {
  readonly name: string;
  readonly shape: readonly number[];
  /** Columns of the parameter, `[begin, end)`, that it holds. */
  readonly columns: readonly [begin: number, end: number];
}

/** Where the parts of a parameter are in a checkpoint. */
export interface StoredParameter {
  readonly parts: readonly StoredPart[];
  /** Whether the parts are stored with rows and columns exchanged. */
  readonly transposed: boolean;
}

const HEAD = "lm_head.weight";

/**
 * Where a parameter is in a checkpoint.
 * @param prefixed whether names begin with the family's prefix; the first GPT-2 files have none
 */
export function storedParameter(
  layout: Layout,
  config: DecoderConfig,
  { name, shape }: Pick<ParameterSpec, "name" | "shape">,
  prefixed = true,
): StoredParameter {
  const total = shape.at(-1) ?? 0;
  if (layout === KIT_LAYOUT || name === "head.weight") {
    const stored = layout === KIT_LAYOUT ? name : HEAD;
    return { parts: [{ name: stored, shape, columns: [0, total] }], transposed: false };
  }
  const table: NameTable = NAME_TABLES[layout];
  const layer = /^layers\.(\d+)\./.exec(name)?.[1];
  const theirs = table.names[layer === undefined ? name : name.replace(`.${layer}.`, ".*.")];
  if (theirs === undefined) throw new Error(`${layout} has no parameter ${name}`);
  const transposed = table.linear === "out-in" && layer !== undefined && shape.length === 2;
  const { heads, keyValueHeads, headWidth } = headShape(config);
  const widths =
    theirs.length === 1 ? [total] : [heads, keyValueHeads, keyValueHeads].map((n) => n * headWidth);
  let begin = 0;
  const parts = theirs.map((pattern, index): StoredPart => {
    const end = begin + (widths[index] ?? 0);
    const rows = shape.length === 2 ? [shape[0] ?? 0] : [];
    const stored = transposed ? [end - begin, ...rows] : [...rows, end - begin];
    const own = pattern.replace("*", layer ?? "");
    const part: StoredPart = {
      name: prefixed ? `${table.prefix}${own}` : own,
      shape: stored,
      columns: [begin, end],
    };
    begin = end;
    return part;
  });
  return { parts, transposed };
}

/** Whether a tensor of a checkpoint can be left out: no parameter, or the tied head written a second time. */
export function isIgnored(type: ModelType, tiedHead: boolean, name: string): boolean {
  return NAME_TABLES[type].ignored.test(name) || (tiedHead && name === HEAD);
}
