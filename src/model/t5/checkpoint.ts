import { join } from "node:path";
import { KitError } from "../../support/errors.js";
import { readJsonFile } from "../../support/files.js";
import { CONFIG_FILE, GENERATION_FILE, type SaveOptions } from "../checkpoint.js";
import { checkTensors, readParameter, type StoredIn, storedTensors } from "../stored-weights.js";
import { WeightsFolder } from "../weights.js";
import { TORCH_TYPES, writeJson, writeWeights } from "../write-weights.js";
import { t5FromHuggingFace, t5ToHuggingFace, t5TokenIds } from "./hugging-face.js";
import { EMBEDDING, HEAD, isT5Copy, storedT5Parameter } from "./names.js";
import { t5ParameterSpecs } from "./parameters.js";
import { T5 } from "./t5.js";

/** How a T5 is written; what is left out changes no weight. The layout is that of `transformers`. */
export type T5SaveOptions = Omit<SaveOptions, "layout">;

/**
 * Writes `config.json`, the weights and, where the special tokens are given, `generation_config.json` into a folder,
 * which is made when it is not there. Each file is written whole or not at all.
 * @throws KitError when the folder cannot be written, or the model has an adapter
 */
export function saveT5(directory: string, model: T5, options: T5SaveOptions = {}): void {
  const { special, type = "F32", maxFileBytes } = options;
  const { config } = model;
  if (model.adapter !== undefined) {
    throw new KitError(
      "the model has an adapter, which is no part of its weights",
      "save the adapter by itself (saveAdapter), or merge it first (mergeAdapter)",
    );
  }
  if (!config.tiedHead && config.scaledHead) {
    throw new KitError(
      "no T5 of transformers has a head of its own that reads scaled states",
      "tie the head, or do not scale it",
      { field: "scaledHead" },
    );
  }
  const storedIn: StoredIn = (spec) => storedT5Parameter(config.activation === "geglu", spec);
  const tensors = storedTensors(model, t5ParameterSpecs(config), storedIn, type);
  // Without the scale transformers 4 takes the head to be untied, and wants it written.
  const embedding = tensors.get(EMBEDDING);
  if (config.tiedHead && !config.scaledHead && embedding !== undefined) tensors.set(HEAD, embedding);
  writeWeights(directory, tensors, maxFileBytes);
  writeJson(join(directory, CONFIG_FILE), {
    ...t5ToHuggingFace(config, special),
    torch_dtype: TORCH_TYPES[type],
  });
  if (special !== undefined) writeJson(join(directory, GENERATION_FILE), t5TokenIds(config, special));
}

/**
 * Reads a T5 from a folder of `transformers` (T5, T0, FLAN-T5; F32, F16 or BF16, one file or several). Config and headers
 * are checked against each other before memory is taken, and the weights are read one tensor at a time.
 * @throws KitError when a file is missing, cut off or corrupt, or the files do not fit together
 */
export function loadT5(directory: string): T5 {
  const file = join(directory, CONFIG_FILE);
  const value = readJsonFile(file);
  const weights = WeightsFolder.open(directory);
  try {
    const fields = typeof value === "object" && value !== null ? value : {};
    const config = t5FromHuggingFace(fields, isTied(weights), { file });
    const storedIn: StoredIn = (spec) => storedT5Parameter(config.activation === "geglu", spec);
    const specs = t5ParameterSpecs(config);
    checkTensors(weights, specs, storedIn, (name) => isT5Copy(name) || (config.tiedHead && name === HEAD));
    return T5.fromValues(config, (spec) => readParameter(weights, spec, storedIn(spec)));
  } finally {
    weights.close();
  }
}

/** Whether the head is the embedding: it is not written, or written a second time. */
function isTied(weights: WeightsFolder): boolean {
  if (!weights.names.includes(HEAD) || !weights.names.includes(EMBEDDING)) return true;
  const [head, embedding] = [weights.read(HEAD), weights.read(EMBEDDING)];
  return head.length === embedding.length && head.every((weight, index) => weight === embedding[index]);
}
