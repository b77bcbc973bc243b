import type { RunSpecification } from "../result.js";
import type { InstructionArm, InstructionSettings } from "./settings.js";

/** One training run on the folder's tasks. */
export interface InstructionRun extends RunSpecification {
  readonly suite: "natural-instructions";
  readonly format: InstructionArm;
  /** SHA-256 of the rows that are read, so that an edited file makes a new run. */
  readonly dataHash: string;
  readonly settings: InstructionSettings;
}

/** All runs: each arm with each seed. */
export function planInstructionRuns(settings: InstructionSettings, dataHash: string): InstructionRun[] {
  return settings.arms.flatMap((format) =>
    settings.seeds.map((seed) => ({
      suite: "natural-instructions" as const,
      id: `${format}-seed-${seed}`,
      arm: format,
      seed,
      format,
      dataHash,
      settings,
    })),
  );
}
