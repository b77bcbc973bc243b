import { z } from "zod";
import { readJsonFile } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import type { Template } from "../template.js";
import { chatTemplate } from "./chat.js";
import { patternTemplate } from "./pattern.js";

const text = z.string();

const patternSchema = z.strictObject({
  name: text.min(1),
  format: z.enum(["sft", "ift"]),
  prompt: text,
  promptWithoutInput: text.optional(),
  stop: z.array(text).optional(),
});

const chatSchema = z.strictObject({
  name: text.min(1),
  format: z.enum(["sft", "ift"]),
  chatTemplate: text,
  specialTokens: z.array(text),
  bosToken: text.optional(),
  eosToken: text.optional(),
  system: text.optional(),
  variables: z.record(text, z.unknown()).optional(),
});

/**
 * A template from a JSON file: the fields of `patternTemplate`, or, where it has `chatTemplate`, those of `chatTemplate`.
 * @throws KitError that names the file and the wrong field
 */
export function readTemplateFile(file: string): Template {
  const source = readJsonFile(file);
  const isChat = typeof source === "object" && source !== null && "chatTemplate" in source;
  return isChat
    ? chatTemplate(withoutUndefined(validate(chatSchema, source, "the template", { file })))
    : patternTemplate(withoutUndefined(validate(patternSchema, source, "the template", { file })));
}

/** Optional fields that are absent instead of undefined. */
type Exact<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };

function withoutUndefined<Fields extends object>(fields: Fields): Exact<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Exact<Fields>;
}
