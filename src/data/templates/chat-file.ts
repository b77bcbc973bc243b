import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import { readJsonFile, readTextFile } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import type { Template } from "../template.js";
import { chatTemplate, type ChatTemplateOptions } from "./chat.js";

const tokenName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const addedToken = z.looseObject({ content: z.string() });

const configSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))])
    .optional(),
  bos_token: tokenName,
  eos_token: tokenName,
  added_tokens_decoder: z.record(z.string(), addedToken).optional(),
});

const tokenizerSchema = z.looseObject({ added_tokens: z.array(addedToken).optional() });

/**
 * The chat template that a tokenizer's folder carries: `chat_template` of tokenizer_config.json (of several, the one with
 * the name "default") or the file chat_template.jinja. All added tokens of the tokenizer are its special tokens.
 * @throws KitError when the folder has no chat template, or it cannot be used (`chatTemplate`)
 */
export function chatTemplateOfTokenizer(
  directory: string,
  options: Pick<ChatTemplateOptions, "name" | "format"> &
    Partial<Pick<ChatTemplateOptions, "system" | "variables">>,
): Template {
  const file = join(directory, "tokenizer_config.json");
  const config = validate(configSchema, readJsonFile(file), "the tokenizer's configuration", { file });
  return chatTemplate({
    ...options,
    chatTemplate: sourceOf(directory, file, config.chat_template),
    bosToken: textOf(config.bos_token),
    eosToken: textOf(config.eos_token),
    specialTokens: [
      ...new Set(
        [...Object.values(config.added_tokens_decoder ?? {}), ...addedTokensOf(directory)].map(
          ({ content }) => content,
        ),
      ),
    ],
  });
}

function sourceOf(
  directory: string,
  file: string,
  written: z.output<typeof configSchema>["chat_template"],
): string {
  const separate = join(directory, "chat_template.jinja");
  if (existsSync(separate)) return readTextFile(separate);
  const source = Array.isArray(written) ? written.find(({ name }) => name === "default")?.template : written;
  if (source !== undefined) return source;
  throw new KitError(
    "the tokenizer has no chat template",
    "give a tokenizer with one, or use chatml, llama3 or gemma",
    { file, field: "chat_template" },
  );
}

function addedTokensOf(directory: string): readonly { readonly content: string }[] {
  const file = join(directory, "tokenizer.json");
  if (!existsSync(file)) return [];
  return validate(tokenizerSchema, readJsonFile(file), "the tokenizer", { file }).added_tokens ?? [];
}

function textOf(name: z.output<typeof tokenName>): string {
  return (typeof name === "string" ? name : name?.content) ?? "";
}
