import { hashFiles } from "../../support/hash-files.js";
import { startHash } from "../mini/start.js";
import type { RunSpecification } from "../result.js";
import {
  type InstructionArm,
  type InstructionRunSettings,
  type InstructionSettings,
  runSettingsOf,
} from "./settings.js";

/** One training run on the folder's tasks. */
export interface InstructionRun extends RunSpecification {
  readonly suite: "natural-instructions";
  readonly format: InstructionArm;
  /** SHA-256 of the folder's files, so that an edited file makes a new run. */
  readonly dataHash: string;
  /** The same of the data that is trained on instead, where there is some. */
  readonly trainingDataHash?: string;
  /** Of the start, where it is a folder. */
  readonly startHash?: string;
  readonly settings: Omit<InstructionRunSettings, "format">;
}

/**
 * What a run with these settings is asked to do.
 * @throws KitError when the folder cannot be read
 */
export function specifyInstructions({
  format,
  ...settings
}: InstructionRunSettings): Pick<
  InstructionRun,
  "format" | "dataHash" | "trainingDataHash" | "startHash" | "settings"
> {
  const { data, trainingData, start } = settings;
  return {
    format,
    dataHash: hashFiles(data),
    ...(trainingData === undefined ? {} : { trainingDataHash: hashFiles(trainingData) }),
    ...(start === undefined ? {} : { startHash: startHash(start) }),
    settings,
  };
}

/** All runs: each arm with each seed. */
export function planInstructionRuns(settings: InstructionSettings): InstructionRun[] {
  return settings.arms.flatMap((format) => {
    const specified = specifyInstructions(runSettingsOf(settings, format));
    return settings.seeds.map((seed) => ({
      suite: "natural-instructions" as const,
      id: `${format}-seed-${seed}`,
      arm: format,
      seed,
      ...specified,
    }));
  });
}
