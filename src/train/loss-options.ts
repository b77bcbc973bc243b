import { KitError } from "../support/errors.js";
import type { TrainConfig } from "./config.js";
import type { LossOptions, Objective } from "./objective.js";

/** What a configuration asks for; slices are up to the compiled step. */
type AskedOption = Exclude<keyof LossOptions, "querySlices">;

/** The field of the configuration that each option comes from. */
const FIELDS: Readonly<Record<AskedOption, string>> = {
  labelSmoothing: "loss.labelSmoothing",
  zLoss: "loss.zLoss",
  recomputeBlocks: "activationCheckpointing",
};

/**
 * What the configuration asks of the loss in training.
 * @throws KitError that names the field and what is learnt, where the objective does not heed an option
 */
export function lossOptions(
  { loss, activationCheckpointing }: Pick<TrainConfig, "loss" | "activationCheckpointing">,
  { name, options = new Set() }: Objective,
): LossOptions {
  const asked: LossOptions = {
    labelSmoothing: loss?.labelSmoothing,
    zLoss: loss?.zLoss,
    recomputeBlocks: activationCheckpointing,
  };
  for (const [option, field] of Object.entries(FIELDS) as [AskedOption, string][]) {
    const value = asked[option];
    if (value === undefined || value === false || value === 0 || options.has(option)) continue;
    throw new KitError(`${field} does nothing for this model and what it learns (${name})`, "leave it away", {
      field,
    });
  }
  return asked;
}

/** Whether the loss of a step is cross entropy alone. */
export function isPlainLoss({ loss }: Pick<TrainConfig, "loss">): boolean {
  return (loss?.labelSmoothing ?? 0) === 0 && (loss?.zLoss ?? 0) === 0;
}
