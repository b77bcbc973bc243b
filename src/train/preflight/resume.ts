import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tf } from "../../engine/tensorflow.js";
import { floatsOf } from "../adam.js";
import type { TrainConfig } from "../config.js";
import type { Objective, Trainable } from "../objective.js";
import type { TrainingRow } from "../rows.js";
import type { trainObjective, TrainResult } from "../train.js";
import { type CheckResult, judged, notApplicable } from "./check.js";

const NAME = {
  check: "resume",
  what: "some steps in one go, and stopped, saved and resumed halfway: the same bits",
};
/** Steps that are taken in one go. */
const STEPS = 4;

/**
 * Trains a few steps twice, once in one go and once with a checkpoint in between, and compares all bits. The model has its
 * values back afterwards; the checkpoint is in a temporary folder.
 */
export async function checkResume(
  objective: Objective,
  rows: readonly TrainingRow[],
  config: TrainConfig,
  run: typeof trainObjective,
  compile: boolean,
): Promise<CheckResult> {
  const { model } = objective;
  const start = valuesOf(model);
  const directory = mkdtempSync(join(tmpdir(), "ift-kit-preflight-"));
  const own = withoutSaving(config);
  const until = async (last: number, resume: boolean, saved: boolean): Promise<TrainResult> => {
    const controller = new AbortController();
    return run(objective, rows, saved ? { ...own, checkpoint: { directory, everySteps: 1_000_000 } } : own, {
      compile,
      resume,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step >= last) controller.abort();
      },
    });
  };
  try {
    const whole = await until(STEPS, false, false);
    const [steps, end] = [whole.history.length, valuesOf(model)];
    if (steps < 2) return notApplicable(NAME, "the run has a single step");
    assign(model, start);
    await until(Math.floor(steps / 2), false, true);
    assign(model, start);
    const resumed = await until(steps, true, true);
    const changed = changedNumbers(valuesOf(model), end) + changedSteps(whole, resumed);
    return judged(NAME, changed, 0, {
      detail: changed === 0 ? `${steps} steps` : "numbers that differ, of weights, losses and gradient norms",
      cure: "report it as a defect of the kit, with the configuration; do not resume runs like this one",
    });
  } finally {
    assign(model, start);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same steps, without validation and checkpoints. */
function withoutSaving(config: TrainConfig): TrainConfig {
  const fields = Object.entries(config).filter(([name]) => name !== "validation" && name !== "checkpoint");
  return { ...(Object.fromEntries(fields) as unknown as TrainConfig), spike: "off" };
}

function changedSteps({ history: whole }: TrainResult, { history: resumed }: TrainResult): number {
  return whole.filter((step, index) => {
    const other = resumed[index];
    return step.loss !== other?.loss || step.gradientNorm !== other.gradientNorm;
  }).length;
}

function valuesOf({ parameters }: Trainable): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, variable]) => [name, floatsOf(variable).slice()]));
}

function changedNumbers(
  some: ReadonlyMap<string, Float32Array>,
  others: ReadonlyMap<string, Float32Array>,
): number {
  let changed = 0;
  for (const [name, values] of some) {
    const other = others.get(name);
    values.forEach((value, index) => {
      if (!Object.is(value, other?.[index])) changed++;
    });
  }
  return changed;
}

function assign({ parameters }: Trainable, values: ReadonlyMap<string, Float32Array>): void {
  for (const [name, variable] of parameters) {
    const own = values.get(name);
    if (own !== undefined) tf.tidy(() => variable.assign(tf.tensor(own, variable.shape)));
  }
}
