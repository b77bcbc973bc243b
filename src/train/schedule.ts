import type { Budget, ScheduleConfig, TrainConfig } from "./config.js";
import { relativeStep } from "./optimizers/adafactor.js";
import type { DecayShape } from "./schedule-config.js";

/**
 * The learning rate of a step as a share of the maximum, 0 to 1.
 *
 *     1 |   /‾‾\___           cosine, warmupFraction 0.2, finalFraction 0.2
 *       |  /       \__
 *       | /           ‾‾
 *     0 +-------------------> progress
 *
 * A step is placed at the middle of the share of the budget that it uses, whatever the unit: so the first step does
 * something although the warm-up starts at 0, and so does the last one where the schedule ends at 0.
 * @param used budget used before the step, in its unit
 * @param own budget that the step uses
 */
export function scheduleFactor(schedule: ScheduleConfig, budget: Budget, used: number, own: number): number {
  const progress = Math.min(1, (used + own / 2) / budget.amount);
  const warmup = schedule.warmupFraction ?? schedule.warmupSteps / budget.amount;
  if (progress < warmup) return progress / warmup;
  const { kind, finalFraction } = schedule;
  if (kind === "constant") return 1;
  if (kind === "warmup-stable-decay") {
    const decay = schedule.decayFraction ?? schedule.decaySteps / budget.amount;
    const fall = progress - (1 - decay);
    if (fall <= 0) return 1;
    return finalFraction + (1 - finalFraction) * DECAYS[schedule.decayShape](fall / decay);
  }
  const fall = (progress - warmup) / (1 - warmup);
  return finalFraction + (1 - finalFraction) * DECAYS[kind](fall);
}

/** From 1 to 0 over 0 to 1. */
const DECAYS: Readonly<Record<DecayShape, (fall: number) => number>> = {
  linear: (fall) => 1 - fall,
  cosine: (fall) => (1 + Math.cos(Math.PI * fall)) / 2,
  "1-sqrt": (fall) => 1 - Math.sqrt(fall),
};

/**
 * The learning rate of a step: that of the schedule, or the step size that Adafactor chooses by itself.
 * @param step counted from 1
 * @param used budget used before the step, in its unit
 * @param own budget that the step uses
 */
export function learningRateOf(
  { optimizer, schedule, budget }: Pick<TrainConfig, "optimizer" | "schedule" | "budget">,
  step: number,
  used: number,
  own: number,
): number {
  const { learningRate } = optimizer;
  if (typeof learningRate !== "number") return relativeStep(learningRate, step);
  return learningRate * scheduleFactor(schedule, budget, used, own);
}
