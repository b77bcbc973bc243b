import { existsSync } from "node:fs";
import { join } from "node:path";
import { MINI_IFT } from "../../data/mini/template.js";
import type { Template } from "../../data/template.js";
import {
  chatml,
  chatTemplateOfTokenizer,
  patternTemplate,
  readTemplateFile,
} from "../../data/templates/index.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { KitError } from "../../support/errors.js";
import { readJsonFile } from "../../support/files.js";
import { loadTokenizer } from "../../tokenizer/load.js";
import { BASE_NAMES, baseFolder } from "../base-checkpoint.js";
import { NAMED_TEMPLATES, trainedTemplate } from "./trained-template.js";

/** No template: the model goes on with the text. What a base model was trained for. */
export const CONTINUE = patternTemplate({ name: "continue", format: "sft", prompt: "{input}" });

/** The name of the template that a model's own folder carries. */
export const OWN_TEMPLATE = "own";

/** The name of the template that a model was trained with. */
export const TRAINED_TEMPLATE = "trained";

const NAMED: readonly Template[] = [CONTINUE, ...NAMED_TEMPLATES];

/** What `chatTemplateByName` knows. */
export const CHAT_TEMPLATE_NAMES: readonly string[] = [
  TRAINED_TEMPLATE,
  OWN_TEMPLATE,
  ...NAMED.map(({ name }) => name),
];

/**
 * A template to talk in: one of the kit, the one that the model was trained with ("trained"), the `chat_template` of its
 * folder ("own"), or a JSON file with the fields of `readTemplateFile`.
 * @param directory folder of the model
 * @throws KitError for an unknown name, with the names that exist; for a folder without a chat template, or that does not say
 *   what it was trained with
 */
export function chatTemplateByName(name: string, directory: string): Template {
  if (name === TRAINED_TEMPLATE) {
    const trained = trainedTemplate(directory);
    if (trained !== undefined) return trained;
    throw new KitError(
      "the folder does not say what the model was trained with",
      "name a template of the kit",
      {
        file: directory,
      },
    );
  }
  if (name === OWN_TEMPLATE) return chatTemplateOfTokenizer(directory, { name, format: "ift" });
  if (name.endsWith(".json")) return readTemplateFile(name);
  const template = NAMED.find((candidate) => candidate.name === name);
  if (template !== undefined) return template;
  throw new KitError(
    `there is no template "${name}"`,
    `use one of ${CHAT_TEMPLATE_NAMES.join(", ")}, or a JSON file`,
  );
}

/**
 * The template to talk in when none is named: the one that the model was trained with (`ift-kit train` writes it into the
 * folder); the `chat_template` of the folder; ChatML where the tokenizer has its
 * tokens; the one of the mini world for the kit's own models and those tuned from them; else none (`CONTINUE`).
 * @param directory folder of the model, where it has one
 * @throws KitError when the folder's template cannot be used
 */
export function defaultChatTemplate(tokenizer: Tokenizer, directory?: string): Template {
  if (directory !== undefined) {
    const trained = trainedTemplate(directory);
    if (trained !== undefined) return trained;
    if (hasChatTemplate(directory)) return chatTemplateByName(OWN_TEMPLATE, directory);
  }
  const { stopToken } = chatml;
  if (stopToken !== undefined && tokenizer.addedTokens?.has(stopToken) === true) return chatml;
  const isMini = BASE_NAMES.some((name) => loadTokenizer(baseFolder(name)).hash === tokenizer.hash);
  return isMini ? MINI_IFT : CONTINUE;
}

/**
 * The template that is named, or else the default one.
 * @param directory folder of the model
 * @throws KitError as `chatTemplateByName` and `defaultChatTemplate`
 */
export function chosenChatTemplate(
  name: string | undefined,
  tokenizer: Tokenizer,
  directory: string,
): Template {
  return name === undefined ? defaultChatTemplate(tokenizer, directory) : chatTemplateByName(name, directory);
}

function hasChatTemplate(directory: string): boolean {
  if (existsSync(join(directory, "chat_template.jinja"))) return true;
  const file = join(directory, "tokenizer_config.json");
  const config: unknown = existsSync(file) ? readJsonFile(file) : undefined;
  return typeof config === "object" && config !== null && "chat_template" in config;
}
