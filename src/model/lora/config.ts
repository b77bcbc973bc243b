import { z } from "zod";
import { type ErrorLocation, KitError } from "../../support/errors.js";
import { validate } from "../../support/validate.js";
import { type DecoderConfig, headShape } from "../config.js";
import { type ParameterSpec, parameterSpecs } from "../parameters.js";
import type { T5Config } from "../t5/config.js";
import type { BertConfig } from "../bert/config.js";
import { bertParameterSpecs } from "../bert/parameters.js";
import { t5ParameterSpecs } from "../t5/parameters.js";

/** Low-rank adaptation (Hu et al. 2021): which linear layers are adapted, and how. */
export interface LoraConfig {
  /** Inner width of an update, in features. */
  readonly rank: number;
  /** The update is multiplied by `alpha / rank`. */
  readonly alpha: number;
  /** Share of an adapted layer's inputs that the update does not see in training; 0 for none. */
  readonly dropout: number;
  /**
   * Ends of the names of linear layers, `*` for any part of a name: "attention.query", "attention.output",
   * "feedForward.*", "layers.0.*.*". Queries, keys and values are adapted together ("attention.queryKeyValue", as in
   * PEFT on GPT-2) or each by itself ("attention.query", as in PEFT on Llama).
   */
  readonly targets: readonly string[];
  /** Of the start values and the dropout. */
  readonly seed: number;
}

const schema = z.strictObject({
  rank: z.int().min(1).max(65_536),
  alpha: z.number().positive(),
  dropout: z.number().min(0).lt(1),
  targets: z.array(z.string().min(1)).min(1),
  seed: z.int().nonnegative(),
});

/**
 * Checks the config of an adapter.
 * @throws KitError that names the field
 */
export function parseLoraConfig(value: unknown, location: ErrorLocation = {}): LoraConfig {
  return validate<LoraConfig>(schema, value, "the config of the adapter", location);
}

/** A linear layer that can be adapted, or one of the three parts of a joint one. */
export interface LoraTarget {
  /** "layers.0.attention.query" */
  readonly name: string;
  /** The linear layer that it is, or is a part of: "layers.0.attention.queryKeyValue". */
  readonly layer: string;
  /** Width of the input. */
  readonly inputs: number;
  /** Columns `[begin, end)` of the layer's output. */
  readonly columns: readonly [begin: number, end: number];
  /** Width of the layer's whole output. */
  readonly outputs: number;
}

const JOINT = "queryKeyValue";
const PARTS = ["query", "key", "value"] as const;

/** The config of a model whose layers can be adapted. */
export type AdaptableConfig = DecoderConfig | T5Config | BertConfig;

/** Whether a model is an encoder-decoder. */
export function isT5Config(config: AdaptableConfig): config is T5Config {
  return "encoderLayers" in config;
}

/** Whether a model is a BERT. */
export function isBertConfig(config: AdaptableConfig): config is BertConfig {
  return "tokenTypes" in config;
}

/** Everything in a model that can be adapted; the joint layers and their parts are both in it. */
export function loraTargets(config: AdaptableConfig): LoraTarget[] {
  if (isT5Config(config)) return t5ParameterSpecs(config).flatMap((spec) => wholeLayer(spec) ?? []);
  const bert = isBertConfig(config);
  const { heads, keyValueHeads, headWidth } = bert
    ? { heads: config.heads, keyValueHeads: config.heads, headWidth: config.width / config.heads }
    : headShape(config);
  return (bert ? bertParameterSpecs(config) : parameterSpecs(config)).flatMap(({ name, shape }) => {
    const whole = wholeLayer({ name, shape });
    if (whole === undefined) return [];
    const { layer } = whole;
    if (!layer.endsWith(JOINT)) return [whole];
    const stem = layer.slice(0, -JOINT.length);
    let begin = 0;
    const parts = [heads, keyValueHeads, keyValueHeads].map((count, index): LoraTarget => {
      const columns = [begin, begin + count * headWidth] as const;
      [, begin] = columns;
      return { ...whole, name: `${stem}${PARTS[index] ?? ""}`, columns };
    });
    return [whole, ...parts];
  });
}

/** A linear layer of a block, or below a head, as a target; undefined for what is none. */
function wholeLayer({ name, shape }: Pick<ParameterSpec, "name" | "shape">): LoraTarget | undefined {
  if (!/((^|\.)layers\..*|^pooler|^masked\.transform)\.weight$/.test(name)) return undefined;
  const layer = name.slice(0, -".weight".length);
  const [inputs = 0, outputs = 0] = shape;
  return { name: layer, layer, inputs, columns: [0, outputs], outputs };
}

/**
 * The layers that a config asks for, in the order of the forward pass.
 * @throws KitError for a target that no layer has, and for a joint layer that is adapted both whole and in parts
 */
export function chooseTargets(
  model: AdaptableConfig,
  { targets }: Pick<LoraConfig, "targets">,
  location: ErrorLocation = {},
): LoraTarget[] {
  const all = loraTargets(model);
  const field = {
    ...location,
    field: location.field === undefined ? "targets" : `${location.field}.targets`,
  };
  for (const target of targets) {
    if (all.some(({ name }) => matches(name, target))) continue;
    const known = new Set(all.map(({ name }) => name.replace(/^.*layers\.\d+\./, "")));
    throw new KitError(
      `no linear layer is called "${target}"`,
      `use ends of names, with * for any part: ${[...known].join(", ")}`,
      field,
    );
  }
  const chosen = all.filter(({ name }) => targets.some((target) => matches(name, target)));
  const whole = new Set(chosen.filter(({ name, layer }) => name === layer).map(({ layer }) => layer));
  const twice = chosen.find(({ name, layer }) => name !== layer && whole.has(layer));
  if (twice === undefined) return chosen;
  throw new KitError(
    `the targets take in ${twice.layer} and its part ${twice.name}`,
    `name either ${JOINT} or its parts (${PARTS.join(", ")}), and no pattern that has both`,
    field,
  );
}

/** Whether a name ends with a pattern, part by part; `*` is any one part. */
function matches(name: string, pattern: string): boolean {
  const [own, wanted] = [name.split("."), pattern.split(".")];
  const start = own.length - wanted.length;
  return start >= 0 && wanted.every((part, index) => part === "*" || part === own[start + index]);
}
