import { KitError } from "../../support/errors.js";
import { ownShots, poolShots, type PoolOptions, type ShotChooser } from "../few-shot.js";
import type { Example } from "../example.js";
import type { Template } from "../template.js";
import { alpaca } from "./alpaca.js";
import { chatml, gemma, llama3 } from "./chat-presets.js";
import { flanChainOfThought, flanFewShot, flanZeroShot } from "./flan.js";
import { iftDefinition } from "./ift-definition.js";
import { withParaphrases } from "./seeded.js";
import { sftPlain } from "./sft-plain.js";
import { taskPrefix } from "./task-prefix.js";
import { tkInstruct } from "./tk-instruct.js";

export { alpaca, chatml, gemma, iftDefinition, llama3, sftPlain, taskPrefix };
export { chatTemplate, type ChatTemplateOptions } from "./chat.js";
export { chatTemplateOfTokenizer } from "./chat-file.js";
export { flanChainOfThought, flanFewShot, type FlanOptions, flanZeroShot } from "./flan.js";
export { patternTemplate, type PatternOptions } from "./pattern.js";
export {
  applyPromptSource,
  promptSourceName,
  promptSourceTemplate,
  type PromptSourceTemplate,
  type PromptSourceText,
  readPromptSource,
} from "./promptsource.js";
export { seededChoice, withParaphrases } from "./seeded.js";
export { readTemplateFile } from "./template-file.js";
export { tkInstruct, type TkInstructOptions } from "./tk-instruct.js";

/** What may be decided about a template of the kit besides its name. */
export interface TemplateSettings {
  /** How many demonstrations a few-shot template shows. */
  readonly shots?: number;
  /** Demonstrations from these rows instead of the examples that the task itself carries. */
  readonly pool?: { readonly rows: readonly Example[] } & Omit<PoolOptions, "count">;
  /** Chooses among the wordings of the instruction by this seed and the row's id. */
  readonly paraphraseSeed?: number;
}

/** A template that shows demonstrations, and how many it shows unless told otherwise. */
interface FewShotEntry {
  readonly name: string;
  readonly shots: number;
  readonly make: (chooser: ShotChooser, shots: number) => Template;
}

const FEW_SHOT: readonly FewShotEntry[] = [
  tkEntry("ift-positive", 0, false),
  tkEntry("ift-positive-negative", 2, false),
  tkEntry("ift-positive-explained", 0, true),
  flanEntry("flan-fs-opt", true),
  flanEntry("flan-fs-noopt", false),
];

/** The templates that have a name on the command line. */
export const TEMPLATES: readonly Template[] = [
  sftPlain,
  taskPrefix,
  iftDefinition,
  ...FEW_SHOT.map(({ make, shots }) => make(ownShots(shots), shots)),
  alpaca,
  flanZeroShot({ name: "flan-zs-opt", pattern: 2, options: true }),
  flanZeroShot({ name: "flan-zs-noopt", pattern: 2, options: false }),
  flanChainOfThought({ name: "flan-cot", pattern: 0, response: "rationale" }),
  flanChainOfThought({ name: "flan-cot-answer", pattern: 0, response: "answer" }),
  chatml,
  llama3,
  gemma,
];

/** Names of the templates, for messages and the command line. */
export const TEMPLATE_NAMES: readonly string[] = TEMPLATES.map(({ name }) => name);

/**
 * A template of the kit by its name.
 * @throws KitError for an unknown name, with the names that exist, and for demonstrations where the template shows none
 */
export function templateByName(name: string, settings: TemplateSettings = {}): Template {
  const template = TEMPLATES.find((candidate) => candidate.name === name);
  if (template === undefined) {
    throw new KitError(`there is no template "${name}"`, `use one of ${TEMPLATE_NAMES.join(", ")}`);
  }
  return withSettings(template, settings);
}

/**
 * A template with other settings.
 * @throws KitError for demonstrations where the template shows none
 */
export function withSettings(
  template: Template,
  { shots, pool, paraphraseSeed }: TemplateSettings,
): Template {
  const base = shots === undefined && pool === undefined ? template : withShots(template, shots, pool);
  return paraphraseSeed === undefined ? base : withParaphrases(base, paraphraseSeed);
}

function withShots({ name }: Template, asked: number | undefined, pool: TemplateSettings["pool"]): Template {
  const entry = FEW_SHOT.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new KitError(
      `template "${name}" shows no demonstrations`,
      `leave the demonstrations out, or use one of ${FEW_SHOT.map((known) => known.name).join(", ")}`,
      { field: "shots" },
    );
  }
  const shots = asked ?? entry.shots;
  const chooser = pool === undefined ? ownShots(shots) : poolShots(pool.rows, { ...pool, count: shots });
  return entry.make(chooser, shots);
}

function tkEntry(name: string, negative: number, explanation: boolean): FewShotEntry {
  return {
    name,
    shots: 2,
    make: (chooser, positive) => tkInstruct({ name, positive, negative, explanation }, chooser),
  };
}

function flanEntry(name: string, options: boolean): FewShotEntry {
  return { name, shots: 5, make: (chooser) => flanFewShot({ name, pattern: 3, options }, chooser) };
}
