import { rmSync } from "node:fs";
import type { TrainConfig } from "../../train/config.js";
import type { TrainOptions } from "../../train/options.js";
import type { TrainResult } from "../../train/train.js";
import { type AnyResult, type PretrainOptions, writeLog, writeResult } from "./files.js";
import type { PretrainPlan } from "./plan.js";

/** What every pre-training tells the trainer besides its configuration. */
type FrameOptions = Pick<TrainOptions, "signal" | "progress" | "label" | "resume">;

/** What differs between the families of base models. */
interface BaseModel<Quality> {
  readonly model: { readonly parameterCount: number; dispose(): void };
  readonly corpus: AnyResult["corpus"];
  /** Steps between checkpoints. */
  readonly everySteps: number;
  readonly train: (config: TrainConfig, options: FrameOptions) => Promise<TrainResult>;
  /** Writes model and tokenizer into the folder. */
  readonly save: () => void;
  /** What ships is what is measured: the weights as they were rounded. Undefined when it was stopped. */
  readonly measure: () => Promise<Quality | undefined>;
}

/**
 * Trains, saves and measures a base model, writes log and result, and frees the model. A run that was stopped goes on
 * from its work folder.
 * @returns undefined when it was stopped
 */
export async function makeBase<Plan extends PretrainPlan, Quality>(
  plan: Plan,
  folder: string,
  { signal, progress = false, workFolder }: PretrainOptions,
  { model, corpus, everySteps, train, save, measure }: BaseModel<Quality>,
): Promise<(AnyResult & { readonly plan: Plan; readonly quality: Quality }) | undefined> {
  try {
    const trained = await train(
      { ...plan.training, checkpoint: { directory: workFolder, everySteps } },
      { ...(signal === undefined ? {} : { signal }), progress, label: "pre-training", resume: true },
    );
    if (trained.status === "stopped") return undefined;
    save();
    writeLog(folder, trained.history);
    const quality = await measure();
    if (quality === undefined) return undefined;
    const { step, totalTokens, seconds } = trained.progress;
    const result = {
      plan,
      parameterCount: model.parameterCount,
      corpus,
      training: { steps: step, tokens: totalTokens, seconds },
      quality,
    };
    writeResult(folder, result);
    rmSync(workFolder, { recursive: true, force: true });
    return result;
  } finally {
    model.dispose();
  }
}
