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
import { Bert } from "../bert/bert.js";
import { isBertCopy, storedBertParameter } from "../bert/names.js";
import { storedT5Parameter } from "../t5/names.js";
import { downName, LoraAdapter, upName } from "./adapter.js";
import { headModules, headTensors, type SavedParameter, savedHeadParts } from "./peft-head.js";
import { type AdaptableConfig, isBertConfig, isT5Config, type LoraTarget, loraTargets } from "./config.js";

/** Names of the files of an adapter, as PEFT has them. */
export const ADAPTER_CONFIG_FILE = "adapter_config.json";
export const ADAPTER_WEIGHTS_FILE = "adapter_model.safetensors";

const PREFIX = "base_model.model.";

/**
 * Writes an adapter as PEFT does: `adapter_config.json` and `adapter_model.safetensors`.
 * @param model the config of the model that is adapted
 * @param base its name or folder, noted in the file for PEFT
 * @param head that of this model is written too, as PEFT's saved modules: it was trained beside the adapter
 * @throws KitError when the folder cannot be written, or the family keeps its queries, keys and values in another way
 *   than they are adapted
 */
export function saveAdapter(
  directory: string,
  adapter: LoraAdapter,
  model: AdaptableConfig,
  base?: string,
  head?: Bert,
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
  for (const [name, tensor] of head === undefined ? [] : headTensors(head)) {
    tensors.set(`${PREFIX}${name}`, tensor);
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
    modules_to_save: head === undefined ? null : headModules(head.config),
    bias: "none",
    // GPT-2 stores its matrices the other way round, and PEFT has to know.
    fan_in_fan_out: layout === "gpt2",
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
    "ift-kit": head === undefined ? { seed } : { seed, head: head.config.head },
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
  modules_to_save: z.array(z.string()).nullish(),
  rank_pattern: z.record(z.string(), z.never()).nullish(),
  alpha_pattern: z.record(z.string(), z.never()).nullish(),
  "ift-kit": z
    .looseObject({
      seed: z.int().nonnegative(),
      head: z
        .discriminatedUnion("kind", [
          z.strictObject({ kind: z.literal("pre-training") }),
          z.strictObject({ kind: z.literal("masked-language") }),
          z.strictObject({ kind: z.literal("classification"), labels: z.array(z.string()) }),
        ])
        .optional(),
    })
    .optional(),
});

/**
 * Reads an adapter that PEFT or the kit wrote, for a model of this config.
 * @throws KitError when a file is missing or corrupt, when it is of another model, or when it asks for something that
 *   the kit does not compute (DoRA, trained biases, ranks that differ); for one with a head, which is read with its model
 *   (`loadAdaptedBert`)
 */
export function loadAdapter(directory: string, model: AdaptableConfig): LoraAdapter {
  const file = join(directory, ADAPTER_CONFIG_FILE);
  const config = readConfig(file);
  if ((config.modules_to_save ?? []).length === 0) return readAdapter(directory, config, model, []).adapter;
  throw new KitError(
    "beside the adapter the file has modules that were trained whole",
    isBertConfig(model)
      ? "read it with loadAdaptedBert, which takes the head too"
      : "use a LoRA adapter of PEFT without saved modules; the kit reads the heads of BERT alone",
    { file, field: "modules_to_save" },
  );
}

/**
 * Reads an adapter with the head that was trained beside it, as PEFT or the kit wrote them.
 * @param base the model that was adapted, whatever its head; it stays as it is
 * @returns a BERT of its own with the head of the file, and the same with the adapter, which is disposed first
 * @throws KitError as `loadAdapter`, and when a tensor of the head is missing
 */
export function loadAdaptedBert(
  directory: string,
  base: Bert,
): { readonly base: Bert; readonly model: Bert } {
  const config = readConfig(join(directory, ADAPTER_CONFIG_FILE));
  const head = config["ift-kit"]?.head ?? base.config.head;
  const modelConfig = { ...base.config, head };
  const saved = savedHeadParts(modelConfig, config.modules_to_save ?? []);
  const { adapter, values } = readAdapter(directory, config, modelConfig, saved);
  const whole = Bert.fromValues(modelConfig, (spec) => {
    const read = values.get(spec.name);
    if (read !== undefined) return read;
    const own = base.weights.get(spec.name);
    if (own?.shape.join() === spec.shape.join()) return own.dataSync<"float32">().slice();
    adapter.dispose();
    throw new KitError(
      `neither the adapter nor the base has the parameter "${spec.name}" of the head`,
      "give the base that was adapted",
      { file: directory },
    );
  });
  return { base: whole, model: whole.withAdapter(adapter, { trainHead: saved.length > 0 }) };
}

/** @param saved what was trained whole, besides */
function readAdapter(
  directory: string,
  config: z.infer<typeof configSchema>,
  model: AdaptableConfig,
  saved: readonly SavedParameter[],
): { readonly adapter: LoraAdapter; readonly values: ReadonlyMap<string, Float32Array> } {
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
    const parts = saved.flatMap(({ stored }) => stored.parts.map(({ name }) => `${PREFIX}${name}`));
    const known = new Set([...sources.values(), ...parts]);
    const isCopy = (name: string): boolean => saved.length > 0 && isBertCopy(name.slice(PREFIX.length));
    const unknown = [...left.keys()].find((name) => !known.has(name) && !isCopy(name));
    if (unknown !== undefined)
      throw corrupt(path, `the tensor "${unknown}" belongs to no layer of this model`);
    if (targets.length === 0) throw corrupt(path, "there is no adapted layer in it");
    const read = (source: string, wantedShape: readonly number[]): Float32Array => {
      const entry = left.get(source);
      const wanted = `F32, F16 or BF16 [${wantedShape.join(", ")}]`;
      if (entry === undefined) throw corrupt(path, `the tensor "${source}" (${wanted}) is missing`);
      const { dtype, shape } = entry;
      if (!isWeightType(dtype) || shape.join() !== wantedShape.join()) {
        throw corrupt(
          path,
          `the tensor "${source}" is ${dtype} [${shape.join(", ")}], it should be ${wanted}`,
        );
      }
      const values = toFloat32(dtype, file.read(entry).data);
      if (values.every(Number.isFinite)) return values;
      throw corrupt(path, `the tensor "${source}" has values that are no numbers`);
    };
    const values = new Map(
      saved.map(({ spec, stored }) => {
        const cut = stored.parts.map(({ name, shape, columns }) => ({
          columns,
          values: read(`${PREFIX}${name}`, shape),
        }));
        return [spec.name, joinParts(cut, spec.shape, stored.transposed)];
      }),
    );
    const { r: rank, lora_alpha: alpha, lora_dropout: dropout } = config;
    const settings = {
      rank,
      // Rank-stabilized: divided by the root of the rank (Kalajdzievski 2023).
      alpha: config.use_rslora === true ? alpha * Math.sqrt(rank) : alpha,
      dropout,
      targets,
      seed: config["ift-kit"]?.seed ?? 0,
    };
    const adapter = LoraAdapter.fromValues(model, settings, (name, [rows, columns]) => {
      const own = read(sources.get(name) ?? "", [columns, rows]);
      return joinParts([{ columns: [0, columns], values: own }], [rows, columns], true);
    });
    return { adapter, values };
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
    "use a LoRA adapter of PEFT without trained biases, DoRA or patterns of ranks",
    { file, field: issue?.path.map(String).join(".") ?? "" },
  );
}
