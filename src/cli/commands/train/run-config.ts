import { z } from "zod";
import type { FORMAT_NAMES } from "../../../data/read/index.js";
import type { RenderPolicy } from "../../../data/spans.js";
import type { Template } from "../../../data/template.js";
import { patternTemplate } from "../../../data/templates/index.js";
import { NAMED_TEMPLATES, type TrainedTemplate } from "../../../evaluate/chat/trained-template.js";
import { KitError } from "../../../support/errors.js";
import { validate } from "../../../support/validate.js";
import {
  type CommonConfig,
  COMMON_FIELDS,
  commonOf,
  dataFields,
  type ModelChoice,
  modelChoiceOf,
} from "./common-config.js";

/**
 * A run on labelled rows that a template shows: a decoder that goes on with them, or a T5 that reads and answers them. Paths
 * are relative to the working directory. Whatever changes a result is required.
 *
 *     {
 *       "objective": "next-token", left out: what the model's family does
 *       "data": { "path": "tasks", "heldOutTaskTypes": ["Question Rewriting"] },
 *       "template": "ift-definition",
 *       "tokenizer": { "train": "byte-level-bpe", "vocabularySize": 2000 },
 *       "render": { "maxTokens": 256, "overlong": "drop", "lossOn": "response" },
 *       "decoder": { "width": 96, "layers": 3, ... } or { "from": "runs/base/model" },
 *       "lora": { "rank": 8, "alpha": 16, "dropout": 0, "targets": ["attention.query"] }, left out: all weights are trained
 *       "train": { "budget": { "unit": "supervised-tokens", "amount": 200000 }, ... }
 *     }
 *
 * With the objective "sequence-to-sequence" the model is in "t5" instead of "decoder".
 */
export interface RunConfig extends CommonConfig {
  readonly objective: AnswerObjective | undefined;
  readonly data: RowData;
  readonly template: Template;
  /** As the file has it. */
  readonly templateChoice: TrainedTemplate;
  readonly tokenizer: TokenizerChoice;
  readonly render: RenderPolicy;
  /** The field of the file that has the model. */
  readonly modelField: "decoder" | "t5";
  /** The shape of a new model (its start values come from `train.seed`), or the folder of a saved one. */
  readonly decoder: ModelChoice;
  /** The answers to set-aside rows that are scored; none where it is left out. */
  readonly evaluation: AnswerEvaluation | undefined;
}

/** What is learned from labelled rows by answering them. */
export type AnswerObjective = "next-token" | "sequence-to-sequence";

/** The evaluation of a run on answers. */
export type AnswerEvaluation = {
  /** Rows of those set aside for validation, at most; the first in their order. */
  readonly rows: number;
  /** Steps between evaluations during the run, for the curves; left out, there is one at the end. */
  readonly everySteps?: number | undefined;
} & (
  | {
      /** Answers are written. */
      readonly answers?: "generated" | undefined;
      /** Longest answer, in tokens. */
      readonly maxNewTokens: number;
    }
  /** The most probable of a row's options; without options, of the answers of its task. */
  | { readonly answers: "ranked" }
);

/** Labelled rows, and which of them are trained on. */
export interface RowData {
  readonly path: string;
  /** Told from the content where it is left out. */
  readonly format?: (typeof FORMAT_NAMES)[number];
  /** What a malformed row does. */
  readonly onMalformed: "error" | "skip";
  /** What a row does that lacks what the template shows. */
  readonly onUnrenderable: "error" | "drop";
  readonly limitPerTask?: number;
  /** Task types that are not trained on. */
  readonly heldOutTaskTypes?: readonly string[];
  /** What is set aside of the other rows to measure the loss on, drawn by `train.seed`; with `train.validation`. */
  readonly validation?: { readonly by: "row" | "task type"; readonly share: number };
}

/** A saved tokenizer, or how to make one from the texts that are trained on. */
export type TokenizerChoice =
  | { readonly directory: string }
  | { readonly train: "byte-level-bpe"; readonly vocabularySize: number }
  | { readonly train: "character" };

const count = z.int().positive();
const text = z.string().min(1);

/** The field "template": a name, or a pattern. */
export const templateSchema = z.union([
  text,
  z.strictObject({
    name: text,
    format: z.enum(["sft", "ift"]),
    prompt: text,
    promptWithoutInput: text.optional(),
    response: z.enum(["{output}", " {output}"]).optional(),
    stop: z.array(text).optional(),
  }),
]);

const answerFields = {
  data: z.strictObject(dataFields),
  template: templateSchema,
  tokenizer: z.union([
    z.strictObject({ directory: text }),
    z.strictObject({ train: z.literal("byte-level-bpe"), vocabularySize: count }),
    z.strictObject({ train: z.literal("character") }),
  ]),
  render: z.strictObject({
    maxTokens: count,
    overlong: z.enum(["drop", "cut-input-start", "cut-input-end"]),
    lossOn: z.enum(["response", "all"]),
  }),
};

const evaluationSchema = z
  .union([
    z.strictObject({
      rows: count,
      everySteps: count.optional(),
      answers: z.literal("generated").optional(),
      maxNewTokens: count,
    }),
    z.strictObject({ rows: count, everySteps: count.optional(), answers: z.literal("ranked") }),
  ])
  .optional();

/** The fields of a run on answers, by objective. */
export const ANSWER_SCHEMAS = {
  "next-token": z.strictObject({
    ...answerFields,
    decoder: z.record(z.string(), z.unknown()),
    ...COMMON_FIELDS,
    evaluation: evaluationSchema,
    objective: z.literal("next-token").optional(),
  }),
  "sequence-to-sequence": z.strictObject({
    ...answerFields,
    t5: z.record(z.string(), z.unknown()),
    ...COMMON_FIELDS,
    evaluation: evaluationSchema,
    objective: z.literal("sequence-to-sequence"),
  }),
} as const;

/**
 * Checks the configuration of a run on answers; the model's shape is checked when the vocabulary is known.
 * @throws KitError that names the file and the wrong field
 */
export function parseAnswerConfig(source: unknown, objective: AnswerObjective, file: string): RunConfig {
  const config: z.infer<(typeof ANSWER_SCHEMAS)[AnswerObjective]> = validate<
    z.infer<(typeof ANSWER_SCHEMAS)[AnswerObjective]>
  >(ANSWER_SCHEMAS[objective], source, "the run configuration", { file });
  const common = commonOf(config, source, file);
  if (config.evaluation !== undefined && config.data.validation === undefined) {
    throw new KitError(
      "the evaluation is on rows that are set aside, and none are",
      "give data.validation and train.validation, or leave this field out",
      { file, field: "evaluation" },
    );
  }
  const [modelField, model] =
    "t5" in config ? (["t5", config.t5] as const) : (["decoder", config.decoder] as const);
  const { onMalformed = "error", onUnrenderable = "error" } = config.data;
  return {
    ...common,
    objective: config.objective,
    data: { ...config.data, onMalformed, onUnrenderable },
    template: templateOf(file, config.template),
    templateChoice: config.template,
    tokenizer: config.tokenizer,
    render: config.render,
    modelField,
    decoder: modelChoiceOf(file, modelField, model),
    evaluation: config.evaluation,
  };
}

/** @throws KitError for a name that no template has, or a pattern that does not work */
export function templateOf(file: string, choice: z.infer<typeof templateSchema>): Template {
  const location = { file, field: "template" };
  if (typeof choice === "string") {
    const named = NAMED_TEMPLATES.find(({ name }) => name === choice);
    if (named !== undefined) return named;
    const names = NAMED_TEMPLATES.map(({ name }) => name);
    throw new KitError(
      `there is no template "${choice}"`,
      `use one of ${names.join(", ")}, or give one: {"name", "format", "prompt"}`,
      location,
    );
  }
  try {
    return patternTemplate(choice);
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    throw new KitError(`the template does not work (${error.message})`, error.cure, location, {
      cause: error,
    });
  }
}
