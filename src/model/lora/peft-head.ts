import type { Bert } from "../bert/bert.js";
import type { BertConfig } from "../bert/config.js";
import { storedBertParameter } from "../bert/names.js";
import { bertParameterSpecs, isHeadParameter } from "../bert/parameters.js";
import type { StoredParameter } from "../hugging-face/names.js";
import type { ParameterSpec } from "../parameters.js";
import type { StoredTensor } from "../safetensors.js";
import { storedTensors } from "../stored-weights.js";

/** A parameter that was trained whole beside an adapter, and where it is in a file. */
export interface SavedParameter {
  readonly spec: ParameterSpec;
  readonly stored: StoredParameter;
}

/**
 * The modules of `transformers` that the head of a BERT is, for PEFT's `modules_to_save`: it copies them, trains the copies
 * whole, and writes them beside the adapter.
 */
export function headModules({ head }: Pick<BertConfig, "head">): string[] {
  switch (head.kind) {
    case "classification":
      return ["classifier", "pooler"];
    case "masked-language":
      return ["cls"];
    case "pre-training":
      return ["cls", "pooler"];
  }
}

/**
 * The head as PEFT writes these modules, by names of `transformers`. With "cls" it copies the matrix of the words too, which
 * is the token embedding and not trained, and the bias a second time.
 */
export function headTensors(bert: Bert): Map<string, StoredTensor> {
  const specs = bertParameterSpecs(bert.config);
  const tensorsOf = (some: readonly ParameterSpec[]): Map<string, StoredTensor> =>
    storedTensors(bert, some, (spec) => storedBertParameter(spec), "F32");
  const tensors = tensorsOf(specs.filter(({ name }) => isHeadParameter(name)));
  if (bert.config.head.kind === "classification") return tensors;
  for (const [name, copy] of [
    ["embedding.token", "weight"],
    ["masked.bias", "bias"],
  ]) {
    for (const tensor of tensorsOf(specs.filter((spec) => spec.name === name)).values()) {
      tensors.set(`cls.predictions.decoder.${copy}`, tensor);
    }
  }
  return tensors;
}

/** The parameters of the head that are in these modules; PEFT's own classifiers leave the pooler as it is. */
export function savedHeadParts(config: BertConfig, modules: readonly string[]): SavedParameter[] {
  return bertParameterSpecs(config).flatMap((spec) => {
    if (!isHeadParameter(spec.name)) return [];
    const stored = storedBertParameter(spec);
    const isSaved = stored.parts.some(({ name }) => name.split(".").some((part) => modules.includes(part)));
    return isSaved ? [{ spec, stored }] : [];
  });
}
