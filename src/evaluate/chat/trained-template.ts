import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { MINI_IFT, MINI_SFT } from "../../data/mini/template.js";
import type { Template } from "../../data/template.js";
import { type PatternOptions, patternTemplate, TEMPLATES } from "../../data/templates/index.js";
import { KitError } from "../../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../../support/files.js";
import { validate } from "../../support/validate.js";

/** The file of a model's folder that says what template it was trained with. */
const TRAINED_TEMPLATE_FILE = "trained_template.json";

/** A template by which rows of a run are shown: the name of one of the kit, or a pattern of the user's own. */
export type TrainedTemplate = string | PatternOptions;

const text = z.string();
const schema = z.strictObject({
  template: z.union([
    text.min(1),
    z.strictObject({
      name: text.min(1),
      format: z.enum(["sft", "ift"]),
      prompt: text,
      promptWithoutInput: text.optional(),
      response: z.enum(["{output}", " {output}"]).optional(),
      stop: z.array(text).optional(),
    }),
  ]),
  hash: text,
  pairAt: text.min(1).optional(),
});

/** The templates of the kit that a run may name. */
export const NAMED_TEMPLATES: readonly Template[] = [MINI_IFT, MINI_SFT, ...TEMPLATES];

/**
 * Writes down in a model's folder what template it was trained with; `hash` is that of the template.
 * @param pairAt where a classification cut what the template shows in two, for the texts of a pair
 */
export function saveTrainedTemplate(
  directory: string,
  template: TrainedTemplate,
  { hash }: Pick<Template, "hash">,
  pairAt?: string,
): void {
  const content = `${JSON.stringify({ template, hash, pairAt }, undefined, 2)}\n`;
  writeFileAtomic(join(directory, TRAINED_TEMPLATE_FILE), content);
}

/**
 * The template that a model was trained with; undefined where its folder does not say.
 * @throws KitError when the file is damaged, or names a template that this version of the kit writes in another way
 */
export function trainedTemplate(directory: string): Template | undefined {
  const file = join(directory, TRAINED_TEMPLATE_FILE);
  const saved = readTrainedTemplate(file);
  if (saved === undefined) return undefined;
  const { template: choice, hash } = saved;
  const template =
    typeof choice === "string"
      ? NAMED_TEMPLATES.find(({ name }) => name === choice)
      : patternTemplate(choice);
  if (template?.hash === hash) return template;
  throw new KitError(
    `the model was trained with a template "${typeof choice === "string" ? choice : choice.name}" that this version of the kit does not have`,
    "name a template with --template, or remove the file",
    { file },
  );
}

/**
 * Where a model's training cut what the template shows in two; undefined where it did not, or its folder does not say.
 * @throws KitError when the file is damaged
 */
export function trainedPairAt(directory: string): string | undefined {
  return readTrainedTemplate(join(directory, TRAINED_TEMPLATE_FILE))?.pairAt;
}

function readTrainedTemplate(file: string): z.infer<typeof schema> | undefined {
  if (!existsSync(file)) return undefined;
  return validate(schema, readJsonFile(file), "the template of the training", { file });
}
