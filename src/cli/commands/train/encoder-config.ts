import { z } from "zod";
import type { Template } from "../../../data/template.js";
import type { TrainedTemplate } from "../../../evaluate/chat/trained-template.js";
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
import { DOCUMENT_FIELDS, type DocumentData } from "./documents.js";
import type { LabelledData } from "./labelled-rows.js";
import { templateOf, templateSchema } from "./run-config.js";

/** A saved WordPiece tokenizer, or how to make one from the texts that are trained on. */
export type WordPieceChoice =
  { readonly directory: string } | { readonly train: "wordpiece"; readonly vocabularySize: number };

/** What the runs of a BERT have in common. */
interface EncoderConfig extends CommonConfig {
  /** Left out: that of the saved model. */
  readonly tokenizer: WordPieceChoice | undefined;
  /** Longest row in tokens, `[CLS]` and `[SEP]` included; left out: the context of the model. */
  readonly maxTokens: number | undefined;
  /** A new BERT, or the folder of a saved one (whose head is replaced where it is another); "base" is the one that ships. */
  readonly bert: ModelChoice;
}

/**
 * A BERT that learns the label of each row: what a template shows is the text, the answer is the label.
 *
 *     {
 *       "objective": "classification",
 *       "data": { "path": "datasets/mini/task-rows/train.jsonl", "validation": { "by": "row", "share": 0.1 } },
 *       "template": { "name": "text", "format": "sft", "prompt": "{input}" },
 *       "bert": { "from": "base" },
 *       "tune": "head", left out: "all"
 *       "train": { ... }
 *     }
 */
export interface ClassificationConfig extends EncoderConfig {
  readonly objective: "classification";
  readonly data: LabelledData;
  readonly template: Template;
  /** As the file has it. */
  readonly templateChoice: TrainedTemplate;
  /** Cuts the text in two where this stands first in it, for the two texts of a pair; left out: one text. */
  readonly pairAt: string | undefined;
  /** Left out: the labels of the rows, sorted. */
  readonly labels: readonly string[] | undefined;
  /** What becomes of a row that is too long: it is dropped, or its (first) text loses its end. */
  readonly overlong: "drop" | "cut-end";
  /** Everything, or the head (with the pooler) over a frozen encoder. */
  readonly tune: "all" | "head";
}

/** A BERT that learns masked words of plain text, and whether the second text of a row follows the first. */
export interface MaskedConfig extends EncoderConfig {
  readonly objective: "masked-language" | "masked-language-next-sentence";
  readonly data: DocumentData;
  /** Of the tokens that are not special; as published: 0.15. */
  readonly maskedShare: number;
}

const count = z.int().positive();
const text = z.string().min(1);

const encoderFields = {
  ...COMMON_FIELDS,
  tokenizer: z
    .union([
      z.strictObject({ directory: text }),
      z.strictObject({ train: z.literal("wordpiece"), vocabularySize: count }),
    ])
    .optional(),
  maxTokens: z.int().min(5).optional(),
  bert: z.record(z.string(), z.unknown()),
};

const classificationSchema = z.strictObject({
  objective: z.literal("classification"),
  ...encoderFields,
  data: z.strictObject({ ...dataFields, taskTypes: z.array(text).min(1).optional() }),
  template: templateSchema,
  pairAt: text.optional(),
  labels: z.array(text).min(2).optional(),
  overlong: z.enum(["drop", "cut-end"]).optional(),
  tune: z.enum(["all", "head"]).optional(),
});

const maskedFields = {
  ...encoderFields,
  data: z.strictObject(DOCUMENT_FIELDS),
  maskedShare: z.number().gt(0).lt(1).optional(),
};

/** The fields of the runs of a BERT, by objective. */
export const ENCODER_SCHEMAS = {
  classification: classificationSchema,
  "masked-language": z.strictObject({ objective: z.literal("masked-language"), ...maskedFields }),
  "masked-language-next-sentence": z.strictObject({
    objective: z.literal("masked-language-next-sentence"),
    ...maskedFields,
  }),
} as const;

const WHAT = "the run configuration";
const MASKED_SHARE = 0.15;

/** @throws KitError that names the file and the wrong field */
export function parseClassificationConfig(source: unknown, file: string): ClassificationConfig {
  const config = validate<z.infer<typeof classificationSchema>>(classificationSchema, source, WHAT, { file });
  const { overlong = "drop", tune = "all", pairAt, labels } = config;
  if (config.lora !== undefined && config.tune !== undefined) {
    throw new KitError(
      "low-rank updates are trained together with the head, and with nothing else of the model",
      "remove this field or lora",
      { file, field: "tune" },
    );
  }
  const { onMalformed = "error", onUnrenderable = "error" } = config.data;
  return {
    ...encoderOf(config, source, file),
    objective: config.objective,
    data: { ...config.data, onMalformed, onUnrenderable },
    template: templateOf(file, config.template),
    templateChoice: config.template,
    pairAt,
    labels,
    overlong,
    tune,
  };
}

/** @throws KitError that names the file and the wrong field */
export function parseMaskedConfig(
  source: unknown,
  objective: MaskedConfig["objective"],
  file: string,
): MaskedConfig {
  type Checked = z.infer<(typeof ENCODER_SCHEMAS)[MaskedConfig["objective"]]>;
  const config = validate<Checked>(ENCODER_SCHEMAS[objective], source, WHAT, { file });
  return {
    ...encoderOf(config, source, file),
    objective,
    data: config.data,
    maskedShare: config.maskedShare ?? MASKED_SHARE,
  };
}

type CheckedEncoder = Parameters<typeof commonOf>[0] &
  Pick<z.infer<typeof classificationSchema>, "tokenizer" | "maxTokens" | "bert">;

function encoderOf(config: CheckedEncoder, source: unknown, file: string): EncoderConfig {
  const bert = modelChoiceOf(file, "bert", config.bert);
  if (config.tokenizer === undefined && !("from" in bert)) {
    throw new KitError(
      "a new model needs a tokenizer",
      'give {"train": "wordpiece", "vocabularySize": N} or {"directory": DIR}',
      { file, field: "tokenizer" },
    );
  }
  return {
    ...commonOf(config, source, file),
    tokenizer: config.tokenizer,
    maxTokens: config.maxTokens,
    bert,
  };
}
