import { join } from "node:path";
import { KitError } from "../../support/errors.js";
import { readJsonFile } from "../../support/files.js";
import { CONFIG_FILE, type SaveOptions } from "../checkpoint.js";
import { checkTensors, readParameter, type StoredIn, storedTensors } from "../stored-weights.js";
import { WeightsFolder } from "../weights.js";
import { TORCH_TYPES, writeJson, writeWeights } from "../write-weights.js";
import { Bert } from "./bert.js";
import { bertFromHuggingFace, bertToHuggingFace } from "./hugging-face.js";
import { isBertCopy, storedBertParameter } from "./names.js";
import { bertParameterSpecs } from "./parameters.js";

/** How a BERT is written; what is left out changes no weight. The layout is that of `transformers`. */
export type BertSaveOptions = Omit<SaveOptions, "layout">;

/**
 * Writes `config.json` and the weights into a folder, which is made when it is not there. Each file is written whole or
 * not at all.
 * @throws KitError when the folder cannot be written, or the model has an adapter
 */
export function saveBert(directory: string, model: Bert, options: BertSaveOptions = {}): void {
  const { special, type = "F32", maxFileBytes } = options;
  if (model.adapter !== undefined) {
    throw new KitError(
      "the model has an adapter, which is no part of its weights",
      "save the adapter by itself (saveAdapter), or merge it first (mergeAdapter)",
    );
  }
  const storedIn: StoredIn = (spec) => storedBertParameter(spec);
  writeWeights(
    directory,
    storedTensors(model, bertParameterSpecs(model.config), storedIn, type),
    maxFileBytes,
  );
  writeJson(join(directory, CONFIG_FILE), {
    ...bertToHuggingFace(model.config, special?.pad),
    torch_dtype: TORCH_TYPES[type],
  });
}

/**
 * Reads a BERT from a folder of `transformers` (BertForPreTraining, BertForMaskedLM, BertForSequenceClassification; F32,
 * F16 or BF16, one file or several). Config and headers are checked against each other before memory is taken, and the
 * weights are read one tensor at a time.
 * @throws KitError when a file is missing, cut off or corrupt, or the files do not fit together
 */
export function loadBert(directory: string): Bert {
  const file = join(directory, CONFIG_FILE);
  const value = readJsonFile(file);
  const config = bertFromHuggingFace(typeof value === "object" && value !== null ? value : {}, { file });
  const weights = WeightsFolder.open(directory);
  try {
    const oldNorms = weights.names.some((name) => name.endsWith("LayerNorm.gamma"));
    const storedIn: StoredIn = (spec) => storedBertParameter(spec, oldNorms);
    checkTensors(weights, bertParameterSpecs(config), storedIn, isBertCopy);
    return Bert.fromValues(config, (spec) => readParameter(weights, spec, storedIn(spec)));
  } finally {
    weights.close();
  }
}
