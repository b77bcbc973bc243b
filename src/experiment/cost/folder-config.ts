import { join } from "node:path";
import { bertFromHuggingFace } from "../../model/bert/hugging-face.js";
import { CONFIG_FILE, loadDecoderConfig } from "../../model/checkpoint.js";
import type { AdaptableConfig } from "../../model/lora/config.js";
import { t5FromHuggingFace } from "../../model/t5/hugging-face.js";
import { readJsonFile } from "../../support/files.js";

/**
 * The shape of the model in a folder of the kit or of `transformers`, from its `config.json` alone.
 * @throws KitError when there is none, or it is of a model that the kit does not have
 */
export function configIn(folder: string): AdaptableConfig {
  const file = join(folder, CONFIG_FILE);
  const value = readJsonFile(file);
  const fields: Readonly<Record<string, unknown>> =
    typeof value === "object" && value !== null ? { ...value } : {};
  if (fields.model_type === "bert") return bertFromHuggingFace(fields, { file });
  if (fields.model_type !== "t5") return loadDecoderConfig(folder);
  return t5FromHuggingFace(fields, fields.tie_word_embeddings !== false, { file });
}
