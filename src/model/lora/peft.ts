import { join } from "node:path";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../../support/files.js";
import { isWeightType, toFloat32 } from "../half.js";
import { modelTypeOf } from "../hugging-face/config.js";
import { KIT_LAYOUT, type Layout, storedParameter, type StoredParameter } from "../hugging-face/names.js";
import { joinParts, partOf } from "../hugging-face/parts.js";
import { SafetensorsFile, type StoredTensor, writeSafetensors } from "../safetensors.js";
import { corrupt } from "../safetensors-header.js";
import { storedBertParameter } from "../bert/names.js";
import { storedT5Parameter } from "../t5/names.js";
import { downName, LoraAdapter, upName } from "./adapter.js";
import { type AdaptableConfig, isBertConfig, isT5Config, type LoraTarget, loraTargets } from "./config.js";

/** Names of the files of an adapter, as PEFT has them. */
export const ADAPTER_CONFIG_FILE = "adapter_config.json";
export const ADAPTER_WEIGHTS_FILE = "adapter_model.safetensors";

const PREFIX = "base_model.model.";

/**
 * Writes an adapter as PEFT does: `adapter_config.json` and `adapter_model.safetensors`.
 * @param model the config of the model that is adapted
 * @param base its name or folder, noted in the file for PEFT
 * @throws KitError when the folder cannot be written, or the family keeps its queries, keys and values in another way
 *   than they are adapted
 */
export function saveAdapter(
  directory: string,
  adapter: LoraAdapter,
  model: AdaptableConfig,
  base?: string,
): void {
  const layout = layoutOf(model);
  const tensors = new Map<string, StoredTensor>();
  const modules = new Set<string>();
  for (const { target, down, up } of adapter.pairs) {
    const module = moduleOf(model, target);
    if (module === undefined) throw otherParts(layout, target);
    // BERT's "output.dense" is the end of two names.
    modules.add(layout === "bert" ? module : module.replace(/^.*\.\d+\./, ""));
    for (const [end, matrix] of [
      ["lora_A", down],
      ["lora_B", up],
    ] as const) {
      const [rows = 0, columns = 0] = matrix.shape;
      const values = matrix.dataSync<"float32">();
      const data = partOf(values, [rows, columns], [0, columns], true);
      tensors.set(`${PREFIX}${module}.${end}.weight`, { dtype: "F32", shape: [columns, rows], data });
    }
  }
  const { rank, alpha, dropout, seed } = adapter.config;
  const config = {
    peft_type: "LORA",
    task_type: taskTypeOf(model),
    base_model_name_or_path: base ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: [...modules],
    bias: "none",
    // GPT-2 stores its matrices the other way round, and PEFT has to know.
    fan_in_fan_out: layout === "gpt2",
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
    "ift-kit": { seed },
  };
  writeSafetensors(join(directory, ADAPTER_WEIGHTS_FILE), tensors, { format: "pt" });
  writeFileAtomic(join(directory, ADAPTER_CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
}

/**
 * Checks, before training, that an adapter can be written.
 * @throws KitError when the family keeps its queries, keys and values in another way than they are adapted
 */
export function checkAdapterLayout(model: AdaptableConfig, targets: readonly LoraTarget[]): void {
  const layout = layoutOf(model);
  const other = targets.find((target) => moduleOf(model, target) === undefined);
  if (other !== undefined) throw otherParts(layout, other);
}

/** What PEFT wraps the model in; a BERT with masked words in nothing of its own. */
function taskTypeOf(model: AdaptableConfig): string | null {
  if (isBertConfig(model)) return model.head.kind === "classification" ? "SEQ_CLS" : null;
  return isT5Config(model) ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
}

/** How the family of a model names its parameters. */
function layoutOf(model: AdaptableConfig): Layout | "t5" | "bert" {
  if (isBertConfig(model)) return "bert";
  return isT5Config(model) ? "t5" : (modelTypeOf(model) ?? KIT_LAYOUT);
}

/** The module that a target is in a checkpoint, or undefined where the family cuts the layer in another way. */
function moduleOf(model: AdaptableConfig, target: LoraTarget): string | undefined {
  const parameter = { name: `${target.layer}.weight`, shape: [target.inputs, target.outputs] };
  if (isT5Config(model)) {
    const [part] = storedT5Parameter(model.activation === "geglu", parameter).parts;
    return part?.name.slice(0, -".weight".length);
  }
  if (isBertConfig(model)) return partOfLayer(storedBertParameter(parameter), target);
  const layout = modelTypeOf(model);
  if (layout === undefined) return target.name;
  return partOfLayer(storedParameter(layout, model, parameter), target);
}

function partOfLayer({ parts }: StoredParameter, target: LoraTarget): string | undefined {
  const part = parts.find(({ columns }) => columns.join() === target.columns.join());
  return part?.name.slice(0, -".weight".length);
}

function otherParts(layout: Layout | "t5" | "bert", target: LoraTarget): KitError {
  return new KitError(
    `a model of the type ${layout} cannot have an adapter on "${target.name}" alone`,
    layout === "gpt2"
      ? "adapt attention.queryKeyValue, which GPT-2 keeps in one matrix"
      : "adapt attention.query, attention.key and attention.value, which this family keeps apart",
    { field: "targets" },
  );
}

const configSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  bias: z.literal("none").default("none"),
  use_rslora: z.boolean().nullish(),
  use_dora: z.literal(false).nullish(),
  use_qalora: z.literal(false).nullish(),
  alora_invocation_tokens: z.null().optional(),
  modules_to_save: z.null().optional(),
  rank_pattern: z.record(z.string(), z.never()).nullish(),
  alpha_pattern: z.record(z.string(), z.never()).nullish(),
  "ift-kit": z.looseObject({ seed: z.int().nonnegative() }).optional(),
});

/**
 * Reads an adapter that PEFT or the kit wrote, for a model of this config.
 * @throws KitError when a file is missing or corrupt, when it is of another model, or when it asks for something that
 *   the kit does not compute (DoRA, trained biases, ranks that differ)
 */
export function loadAdapter(directory: string, model: AdaptableConfig): LoraAdapter {
  const config = readConfig(join(directory, ADAPTER_CONFIG_FILE));
  const path = join(directory, ADAPTER_WEIGHTS_FILE);
  const file = SafetensorsFile.open(path);
  try {
    file.verify();
    const left = new Map(file.header.entries.map((entry) => [entry.name, entry]));
    const sources = new Map<string, string>();
    const targets: string[] = [];
    for (const target of loraTargets(model)) {
      const module = moduleOf(model, target);
      if (module === undefined || !left.has(`${PREFIX}${module}.lora_A.weight`)) continue;
      targets.push(target.name);
      sources.set(downName(target.name), `${PREFIX}${module}.lora_A.weight`);
      sources.set(upName(target.name), `${PREFIX}${module}.lora_B.weight`);
    }
    const known = new Set(sources.values());
    const unknown = [...left.keys()].find((name) => !known.has(name));
    if (unknown !== undefined)
      throw corrupt(path, `the tensor "${unknown}" belongs to no layer of this model`);
    if (targets.length === 0) throw corrupt(path, "there is no adapted layer in it");
    const { r: rank, lora_alpha: alpha, lora_dropout: dropout } = config;
    const settings = {
      rank,
      // Rank-stabilized: divided by the root of the rank (Kalajdzievski 2023).
      alpha: config.use_rslora === true ? alpha * Math.sqrt(rank) : alpha,
      dropout,
      targets,
      seed: config["ift-kit"]?.seed ?? 0,
    };
    return LoraAdapter.fromValues(model, settings, (name, [rows, columns]) => {
      const source = sources.get(name) ?? "";
      const entry = left.get(source);
      const wanted = `F32, F16 or BF16 [${columns}, ${rows}]`;
      if (entry === undefined) throw corrupt(path, `the tensor "${source}" (${wanted}) is missing`);
      const { dtype, shape } = entry;
      if (!isWeightType(dtype) || shape.join() !== `${columns},${rows}`) {
        throw corrupt(
          path,
          `the tensor "${source}" is ${dtype} [${shape.join(", ")}], it should be ${wanted}`,
        );
      }
      const values = toFloat32(dtype, file.read(entry).data);
      if (!values.every(Number.isFinite))
        throw corrupt(path, `the tensor "${source}" has values that are no numbers`);
      return joinParts([{ columns: [0, columns], values }], [rows, columns], true);
    });
  } finally {
    file.close();
  }
}

function readConfig(file: string): z.infer<typeof configSchema> {
  const result = configSchema.safeParse(readJsonFile(file));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new KitError(
    `the kit cannot use this adapter (${issue?.message ?? "wrong value"})`,
    "use a LoRA adapter of PEFT without trained biases, DoRA, saved modules or patterns of ranks",
    { file, field: issue?.path.map(String).join(".") ?? "" },
  );
}
