import { z } from "zod";
import { FORMAT_NAMES } from "../../../data/read/index.js";
import type { RenderPolicy } from "../../../data/spans.js";
import type { Template } from "../../../data/template.js";
import { patternTemplate } from "../../../data/templates/index.js";
import { NAMED_TEMPLATES, type TrainedTemplate } from "../../../evaluate/chat/trained-template.js";
import { type LoraConfig, parseLoraConfig } from "../../../model/lora/config.js";
import { KitError } from "../../../support/errors.js";
import { readJsonFile } from "../../../support/files.js";
import { validate } from "../../../support/validate.js";
import { parseTrainConfig, type TrainConfig } from "../../../train/config.js";

/**
 * What `ift-kit train` reads from a JSON file. Paths are relative to the working directory. Whatever changes a result
 * is required.
 *
 *     {
 *       "data": { "path": "tasks", "heldOutTaskTypes": ["Question Rewriting"] },
 *       "template": "ift-definition",
 *       "tokenizer": { "train": "byte-level-bpe", "vocabularySize": 2000 },
 *       "render": { "maxTokens": 256, "overlong": "drop", "lossOn": "response" },
 *       "decoder": { "width": 96, "layers": 3, ... } or { "from": "runs/base/model" },
 *       "lora": { "rank": 8, "alpha": 16, "dropout": 0, "targets": ["attention.query"] }, left out: all weights are trained
 *       "train": { "budget": { "unit": "supervised-tokens", "amount": 200000 }, ... }
 *     }
 */
export interface RunConfig {
  readonly data: {
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
  };
  readonly template: Template;
  /** As the file has it. */
  readonly templateChoice: TrainedTemplate;
  readonly tokenizer: TokenizerChoice;
  readonly render: RenderPolicy;
  /** The shape of a new decoder (its start values come from `train.seed`), or the folder of a saved one. */
  readonly decoder: { readonly from: string } | { readonly shape: Readonly<Record<string, unknown>> };
  /** Trains low-rank updates of some layers instead of the weights; their start comes from `train.seed`. */
  readonly lora?: LoraConfig;
  readonly train: TrainConfig;
  /** Steps between checkpoints. */
  readonly checkpointEverySteps: number;
  /** Where the curves go besides metrics.jsonl. */
  readonly tracking: {
    /** Event files for TensorBoard in the folder of the run. Default: true. */
    readonly tensorboard?: boolean;
    /** An MLflow server; the environment names one too (MLFLOW_TRACKING_URI), and alone has the token. */
    readonly mlflow?: { readonly uri?: string; readonly experiment?: string };
  };
  /** The file's content, for the record of the run. */
  readonly source: unknown;
}

/** A saved tokenizer, or how to make one from the texts that are trained on. */
export type TokenizerChoice =
  | { readonly directory: string }
  | { readonly train: "byte-level-bpe"; readonly vocabularySize: number }
  | { readonly train: "character" };

/** Often enough to lose minutes, seldom enough to cost nothing. */
const CHECKPOINT_STEPS = 250;

const count = z.int().positive();
const text = z.string().min(1);

const schema = z.strictObject({
  data: z.strictObject({
    path: text,
    format: z.enum(FORMAT_NAMES).optional(),
    onMalformed: z.enum(["error", "skip"]).optional(),
    onUnrenderable: z.enum(["error", "drop"]).optional(),
    limitPerTask: count.optional(),
    heldOutTaskTypes: z.array(text).min(1).optional(),
    validation: z
      .strictObject({ by: z.enum(["row", "task type"]), share: z.number().gt(0).lt(1) })
      .optional(),
  }),
  template: z.union([
    text,
    z.strictObject({
      name: text,
      format: z.enum(["sft", "ift"]),
      prompt: text,
      promptWithoutInput: text.optional(),
      response: z.enum(["{output}", " {output}"]).optional(),
      stop: z.array(text).optional(),
    }),
  ]),
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
  decoder: z.record(z.string(), z.unknown()),
  lora: z.record(z.string(), z.unknown()).optional(),
  train: z.record(z.string(), z.unknown()),
  checkpointEverySteps: count.optional(),
  tracking: z
    .strictObject({
      tensorboard: z.boolean().optional(),
      mlflow: z.strictObject({ uri: text.optional(), experiment: text.optional() }).optional(),
    })
    .optional(),
});

/**
 * Reads and checks a run's configuration; the decoder's shape is checked when the vocabulary is known.
 * @throws KitError that names the file and the wrong field
 */
export function readRunConfig(file: string): RunConfig {
  const source = readJsonFile(file);
  const config = validate(schema, source, "the run configuration", { file });
  if (config.train.checkpoint !== undefined) {
    throw new KitError(
      "a run of the command line keeps its checkpoints in its own folder",
      "remove this field; checkpointEverySteps, beside train, says how often to save",
      { file, field: "train.checkpoint" },
    );
  }
  const train = parseTrainConfig(config.train, { file, field: "train" });
  if ((train.validation === undefined) !== (config.data.validation === undefined)) {
    const [given, lacking] = train.validation === undefined ? ["data", "train"] : ["train", "data"];
    throw new KitError(
      `${given}.validation is given, but ${lacking}.validation is not`,
      "data.validation says which rows, train.validation how often: give both or none",
      { file, field: `${lacking}.validation` },
    );
  }
  const { onMalformed = "error", onUnrenderable = "error" } = config.data;
  return {
    data: { ...config.data, onMalformed, onUnrenderable },
    template: templateOf(file, config.template),
    templateChoice: config.template,
    tokenizer: config.tokenizer,
    render: config.render,
    decoder: decoderOf(file, config.decoder),
    ...(config.lora === undefined
      ? {}
      : { lora: parseLoraConfig({ ...config.lora, seed: train.seed }, { file, field: "lora" }) }),
    train,
    checkpointEverySteps: config.checkpointEverySteps ?? CHECKPOINT_STEPS,
    tracking: config.tracking ?? {},
    source,
  };
}

function templateOf(file: string, choice: z.infer<typeof schema>["template"]): Template {
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

function decoderOf(file: string, decoder: Readonly<Record<string, unknown>>): RunConfig["decoder"] {
  if (!("from" in decoder)) return { shape: decoder };
  const field = "decoder";
  return validate(z.strictObject({ from: text }), decoder, "the choice of a saved decoder", { file, field });
}
