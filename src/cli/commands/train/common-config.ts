import { z } from "zod";
import { FORMAT_NAMES } from "../../../data/read/index.js";
import { type LoraConfig, parseLoraConfig } from "../../../model/lora/config.js";
import { KitError } from "../../../support/errors.js";
import { validate } from "../../../support/validate.js";
import { parseTrainConfig, type TrainConfig } from "../../../train/config.js";

/** What the configuration of a run has, whatever is learned. */
export interface CommonConfig {
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

/** The shape of a new model (its start values come from `train.seed`), or the folder of a saved one. */
export type ModelChoice = { readonly from: string } | { readonly shape: Readonly<Record<string, unknown>> };

/** Often enough to lose minutes, seldom enough to cost nothing. */
const CHECKPOINT_STEPS = 250;

const count = z.int().positive();
const text = z.string().min(1);

/** Fields of the file that every run has. */
export const COMMON_FIELDS = {
  lora: z.record(z.string(), z.unknown()).optional(),
  train: z.record(z.string(), z.unknown()),
  checkpointEverySteps: count.optional(),
  tracking: z
    .strictObject({
      tensorboard: z.boolean().optional(),
      mlflow: z.strictObject({ uri: text.optional(), experiment: text.optional() }).optional(),
    })
    .optional(),
};

/** Fields of "data" where rows are labelled. */
export const dataFields = {
  path: text,
  format: z.enum(FORMAT_NAMES).optional(),
  onMalformed: z.enum(["error", "skip"]).optional(),
  onUnrenderable: z.enum(["error", "drop"]).optional(),
  limitPerTask: count.optional(),
  heldOutTaskTypes: z.array(text).min(1).optional(),
  validation: z.strictObject({ by: z.enum(["row", "task type"]), share: z.number().gt(0).lt(1) }).optional(),
};

interface CheckedCommon {
  readonly data: { readonly validation?: unknown };
  readonly lora?: Readonly<Record<string, unknown>> | undefined;
  readonly train: Readonly<Record<string, unknown>>;
  readonly checkpointEverySteps?: number | undefined;
  readonly tracking?: z.infer<typeof COMMON_FIELDS.tracking>;
}

/**
 * The common part of a configuration whose fields are there.
 * @throws KitError that names the file and the wrong field
 */
export function commonOf(config: CheckedCommon, source: unknown, file: string): CommonConfig {
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
  return {
    ...(config.lora === undefined
      ? {}
      : { lora: parseLoraConfig({ ...config.lora, seed: train.seed }, { file, field: "lora" }) }),
    train,
    checkpointEverySteps: config.checkpointEverySteps ?? CHECKPOINT_STEPS,
    tracking: config.tracking ?? {},
    source,
  };
}

/** @param field of the file that has the model */
export function modelChoiceOf(
  file: string,
  field: string,
  model: Readonly<Record<string, unknown>>,
): ModelChoice {
  if (!("from" in model)) return { shape: model };
  return validate(z.strictObject({ from: text }), model, "the choice of a saved model", { file, field });
}
