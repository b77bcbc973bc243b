import { type Command, Option } from "commander";
import type { Example } from "../../../data/example.js";
import { readExamples } from "../../../data/read/index.js";
import type { RenderPolicy } from "../../../data/spans.js";
import type { Template } from "../../../data/template.js";
import {
  chatTemplateOfTokenizer,
  promptSourceTemplate,
  type PromptSourceTemplate,
  readPromptSource,
  readTemplateFile,
  TEMPLATE_NAMES,
  templateByName,
  type TemplateSettings,
  withSettings,
} from "../../../data/templates/index.js";
import { KitError } from "../../../support/errors.js";
import { positiveInteger, wholeNumber } from "../../options.js";

/** The options with which every command makes templates. */
export interface TemplateFlags {
  readonly shots?: number;
  readonly shotsFrom?: string;
  readonly shotSeed: number;
  readonly paraphraseSeed?: number;
}

/** The options with which every command renders. */
export interface PolicyFlags {
  readonly maxTokens: number;
  readonly overlong: RenderPolicy["overlong"];
  readonly lossOn: RenderPolicy["lossOn"];
  readonly demonstrations: "keep" | "drop-last";
}

/** What a template may be called, for help texts. */
export const TEMPLATE_HELP = `one of ${TEMPLATE_NAMES.join(", ")}; "chat" for the tokenizer's own; a JSON file; or templates.yaml#NAME of PromptSource`;

/** Adds the options of `TemplateFlags` to a command. */
export function withTemplateFlags(command: Command): Command {
  return command
    .option("--shots <k>", "how many demonstrations a few-shot template shows", positiveInteger)
    .option("--shots-from <path>", "choose demonstrations from these rows, not from the task's own examples")
    .option("--shot-seed <n>", "seed of the choice from --shots-from", wholeNumber, 0)
    .option(
      "--paraphrase-seed <n>",
      "say instructions in one of their wordings, chosen by this seed",
      wholeNumber,
    );
}

/** Adds the options of `PolicyFlags` to a command. */
export function withPolicyFlags(command: Command): Command {
  return command
    .option("--max-tokens <n>", "longest row in tokens", positiveInteger, 2048)
    .addOption(
      new Option("--overlong <what>", "what becomes of longer rows")
        .choices(["drop", "cut-input-start", "cut-input-end"])
        .default("drop"),
    )
    .addOption(
      new Option("--demonstrations <what>", "what becomes of demonstrations where that is not enough")
        .choices(["keep", "drop-last"])
        .default("keep"),
    )
    .addOption(
      new Option("--loss-on <what>", "which tokens are targets")
        .choices(["response", "all"])
        .default("response"),
    );
}

/**
 * The template that the flags ask for.
 * @param tokenizer folder of the tokenizer, for the name "chat"
 * @throws KitError for a name or a file that is no template, and settings that it has no place for
 */
export async function templateOf(name: string, tokenizer: string, flags: TemplateFlags): Promise<Template> {
  const { shots, shotsFrom, shotSeed, paraphraseSeed } = flags;
  const settings: TemplateSettings = {
    ...(shots === undefined ? {} : { shots }),
    ...(shotsFrom === undefined ? {} : { pool: await poolOf(shotsFrom, shotSeed) }),
    ...(paraphraseSeed === undefined ? {} : { paraphraseSeed }),
  };
  if (name === "chat")
    return withSettings(chatTemplateOfTokenizer(tokenizer, { name, format: "ift" }), settings);
  if (name.endsWith(".json")) return withSettings(readTemplateFile(name), settings);
  const [file = "", wanted] = name.split("#");
  if (file.endsWith(".yaml"))
    return promptSourceTemplate(promptSourceByName(file, wanted), flags.paraphraseSeed ?? 0);
  return templateByName(name, settings);
}

/** A template of a PromptSource file. @throws KitError with the names that exist */
function promptSourceByName(file: string, wanted: string | undefined): PromptSourceTemplate {
  const templates = readPromptSource(file);
  const template = templates.find(({ name, id }) => wanted === name || wanted === id);
  if (template !== undefined) return template;
  const names = templates.map(({ name }) => `${file}#${name}`);
  throw new KitError(
    wanted === undefined ? "the file has several templates" : `there is no template "${wanted}"`,
    `give one of ${names.join(", ")}`,
    { file },
  );
}

/** The policy that the flags say. */
export function policyOf({ maxTokens, overlong, lossOn, demonstrations }: PolicyFlags): RenderPolicy {
  return { maxTokens, overlong, lossOn, demonstrations };
}

async function poolOf(
  path: string,
  seed: number,
): Promise<{ rows: readonly Example[]; seed: number; order: "random"; balance: "labels" }> {
  const { examples } = await readExamples(path);
  return { rows: examples, seed, order: "random", balance: "labels" };
}
